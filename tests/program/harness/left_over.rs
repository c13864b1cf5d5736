//! Processes, as `/proc` shows them.

use std::fs;
use std::path::Path;

/// Processes whose environment holds this variable with this value, without those that have ended and wait to be reaped.
pub(crate) fn processes_with(variable: &str) -> Vec<u32> {
    let mut pids = all();
    pids.retain(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    });
    pids
}

/// Whether a process runs (a zombie does not).
pub(crate) fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

/// Log-keepers that are children of this process or have files in this folder open.
pub(crate) fn log_keepers(parent: u32, dir: &Path) -> Vec<u32> {
    let mut pids = all();
    pids.retain(|pid| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).any(|word| word == b"log-keeper")
            && (parent_of(*pid) == Some(parent) || has_open(*pid, dir))
    });
    pids
}

/// Whatever a process has started, and what that has.
pub(crate) fn descendants(ancestor: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = all().into_iter().filter_map(|pid| Some((pid, parent_of(pid)?))).collect();
    let mut found = Vec::new();
    let mut of = vec![ancestor];
    while let Some(parent) = of.pop() {
        let children = parents.iter().filter(|(pid, theirs)| *theirs == parent && *pid != parent).map(|(pid, _)| *pid);
        of.extend(children.clone());
        found.extend(children);
    }
    found
}

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok())
}

fn has_open(pid: u32, dir: &Path) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    files.filter_map(|file| fs::read_link(file.path()).ok()).any(|file| file.starts_with(dir))
}
