//! Processes, from `/proc`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The thread of mainstay that holds the pipes of services, in a descriptor table of its own.
const WITH_ITS_OWN: &str = "outputs";

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    /// Its id.
    pub(crate) pid: u32,
    /// Its parent's id.
    pub(crate) parent: u32,
    /// `R`, `S`, `Z`, …: see proc(5).
    pub(crate) state: char,
    /// Its command name, at most 15 bytes.
    pub(crate) command: String,
    /// Its arguments, joined with blanks; empty for a zombie and for the kernel's own.
    pub(crate) arguments: String,
}

/// All processes that are there.
pub(crate) fn all() -> Result<Vec<Process>> {
    let pids = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().to_string_lossy().parse().ok());
    Ok(pids.filter_map(read).collect())
}

/// Processes that carry a variable in their environment. (A zombie has none.)
pub(crate) fn with_variable(name: &str) -> Result<Vec<Process>> {
    let start = format!("{name}=");
    Ok(all()?
        .into_iter()
        .filter(|process| {
            fs::read(format!("/proc/{}/environ", process.pid)).is_ok_and(|environment| {
                environment.split(|byte| *byte == 0).any(|entry| entry.starts_with(start.as_bytes()))
            })
        })
        .collect())
}

/// Whether a process lives (a zombie does not).
pub(crate) fn lives(pid: u32) -> bool {
    read(pid).is_some_and(|process| process.state != 'Z')
}

/// What a process holds open and runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holdings {
    /// What each of its descriptors points to, sorted, numbers of sockets and pipes left out; those of a thread with a table
    /// of its own end with its name.
    pub(crate) descriptors: Vec<String>,
    /// The names of its threads, sorted.
    pub(crate) threads: Vec<String>,
}

impl Holdings {
    /// What it has more of than `before`, each with how many more.
    pub(crate) fn beyond(&self, before: &Self) -> Vec<String> {
        let mut more = surplus(&self.descriptors, &before.descriptors, "descriptors of");
        more.extend(surplus(&self.threads, &before.threads, "threads"));
        more
    }
}

fn surplus(after: &[String], before: &[String], what: &str) -> Vec<String> {
    let count = |list: &[String], name: &String| list.iter().filter(|item| *item == name).count();
    let names: BTreeSet<&String> = after.iter().collect();
    let more = names.into_iter().filter_map(|name| {
        let more = count(after, name).saturating_sub(count(before, name));
        (more > 0).then(|| format!("{more} {what} {name}"))
    });
    more.collect()
}

/// What a process holds open and runs now.
pub(crate) fn holdings(pid: u32) -> Result<Holdings> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let mut descriptors = targets(&process).with_context(|| format!("process {pid} cannot be looked at"))?;
    let mut threads = Vec::new();
    for thread in fs::read_dir(process.join("task"))?.flatten() {
        // It may end meanwhile.
        let Ok(name) = fs::read_to_string(thread.path().join("comm")) else { continue };
        let name = name.trim().to_owned();
        if name == WITH_ITS_OWN {
            let own = targets(&thread.path()).with_context(|| format!("its thread {name} cannot be looked at"))?;
            descriptors.extend(own.into_iter().map(|target| format!("{target} in {name}")));
        }
        threads.push(name);
    }
    descriptors.sort();
    threads.sort();
    Ok(Holdings { descriptors, threads })
}

/// What each descriptor of a process or thread points to, numbers of sockets and pipes left out.
fn targets(holder: &Path) -> Result<Vec<String>> {
    let links = fs::read_dir(holder.join("fd"))?.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    Ok(links.map(|target| target.to_string_lossy().split(":[").next().unwrap_or_default().to_owned()).collect())
}

fn read(pid: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // "PID (COMMAND) STATE PARENT …"; the command may itself hold blanks and brackets.
    let (start, rest) = stat.rsplit_once(')')?;
    let command = start.split_once('(')?.1.to_owned();
    let mut rest = rest.split_whitespace();
    let state = rest.next()?.chars().next()?;
    let parent = rest.next()?.parse().ok()?;
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ").trim().to_owned();
    Some(Process { pid, parent, state, command, arguments })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holding_one_more_of_what_was_held_before_is_seen() {
        let holdings = |descriptors: &[&str]| Holdings {
            descriptors: descriptors.iter().map(|&target| target.to_owned()).collect(),
            threads: vec!["usb-events".to_owned()],
        };
        let before = holdings(&["socket", "/dev/null", "socket"]);
        assert!(holdings(&["/dev/null", "socket"]).beyond(&before).is_empty());
        assert_eq!(holdings(&["socket", "socket", "socket"]).beyond(&before), ["1 descriptors of socket"]);
    }
}
