//! What `/proc` says of processes (proc(5)), while they come and go: who is whose child, and what each carries.

use std::collections::HashSet;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// No more processes than this are looked at; Linux has a default limit of 32,768 on small machines.
const MAX_PROCESSES: usize = 131_072;
/// A file of one process has a few hundred bytes.
const MAX_SMALL: u64 = 4096;
/// Room for the environment of one process. The kernel allows 2 MiB with the arguments; a mark beyond this is not found.
const MAX_ENVIRONMENT: u64 = 512 * 1024;

/// A process and no other: numbers are used again, a start time with the same number is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct ProcessId {
    /// When it started, in clock ticks since boot (proc_pid_stat(5), field 22).
    pub started: u64,
    /// Its number.
    pub pid: u32,
}

/// One process as the kernel shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    /// Which.
    pub id: ProcessId,
    /// Its parent.
    pub parent: u32,
    /// Its process group.
    pub group: u32,
    /// Its session. Unlike a group, nobody can join the one of somebody else.
    pub session: u32,
    /// Whether anything of it still runs.
    pub life: Life,
}

/// Whether anything of a process still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It runs, sleeps or is stopped.
    Runs,
    /// It has ended and waits to be reaped.
    Ended,
}

/// A pipe: its inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct PipeId(pub u64);

/// A `/proc`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proc<'a>(pub(crate) &'a Path);

/// The kernel's own.
pub(crate) fn here() -> Proc<'static> {
    Proc(Path::new("/proc"))
}

impl Proc<'_> {
    /// The numbers of all processes, the smallest first.
    pub(crate) fn all(self) -> Vec<u32> {
        let entries = fs::read_dir(self.0).into_iter().flatten().flatten();
        let mut pids: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        pids.sort_unstable();
        pids
    }

    /// Looks at all processes.
    pub(crate) fn processes(self) -> Vec<Process> {
        let mut all: Vec<Process> =
            self.all().into_iter().filter_map(|pid| self.process(pid)).take(MAX_PROCESSES).collect();
        self.adopt_again(&mut all);
        all
    }

    /// Looks at these processes and all that descend from them. `None`: the kernel does not list children.
    pub(crate) fn descending(self, from: Vec<u32>) -> Option<Vec<Process>> {
        let (mut found, mut todo, mut seen) = (Vec::new(), from, HashSet::new());
        while let Some(pid) = todo.pop().filter(|_| found.len() < MAX_PROCESSES) {
            let Some(process) = self.process(pid).filter(|_| seen.insert(pid)) else { continue };
            found.push(process);
            for thread in self.threads(pid) {
                match self.children(pid, thread) {
                    Some(children) => todo.extend(children),
                    // It has ended meanwhile; or there are no such lists.
                    None if self.children("self", std::process::id()).is_none() => return None,
                    None => {}
                }
            }
        }
        self.adopt_again(&mut found);
        Some(found)
    }

    fn threads(self, pid: u32) -> Vec<u32> {
        let tasks = fs::read_dir(self.0.join(format!("{pid}/task"))).into_iter().flatten().flatten();
        tasks.filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
    }

    /// A parent that ended during the look is missing, and its children have a new one: look at those again.
    fn adopt_again(self, all: &mut [Process]) {
        let present: HashSet<u32> = all.iter().map(|p| p.id.pid).collect();
        for process in all.iter_mut().filter(|p| p.parent != 0 && !present.contains(&p.parent)) {
            if let Some(now) = self.process(process.id.pid).filter(|now| now.id == process.id) {
                *process = now;
            }
        }
    }

    /// Looks at one process. `None`: it is gone.
    pub(crate) fn process(self, pid: u32) -> Option<Process> {
        parse(pid, &self.read(&format!("{pid}/stat"), MAX_SMALL)?)
    }

    /// The children of a thread, as far as the kernel lists them (`CONFIG_PROC_CHILDREN`).
    pub(crate) fn children(self, process: impl Display, thread: u32) -> Option<Vec<u32>> {
        let text = fs::read_to_string(self.0.join(format!("{process}/task/{thread}/children"))).ok()?;
        Some(text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect())
    }

    /// Its name, as the kernel cuts it.
    pub(crate) fn command(self, pid: u32) -> Option<String> {
        let name = self.text(&format!("{pid}/comm"))?;
        let plain: String = name.trim_end().chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        Some(plain).filter(|name| !name.is_empty())
    }

    /// What it has open; nothing when it has ended, or is not ours to see.
    pub(crate) fn descriptors(self, pid: u32) -> impl Iterator<Item = PathBuf> {
        let descriptors = fs::read_dir(self.0.join(format!("{pid}/fd"))).into_iter().flatten().flatten();
        descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
    }

    /// The pipes that it has as its standard output and error. Empty: it has none, or it is not ours to see.
    pub(crate) fn outputs(self, pid: u32) -> Vec<PipeId> {
        let pipe = |number: u8| {
            let target = fs::read_link(self.0.join(format!("{pid}/fd/{number}"))).ok()?;
            target.to_str()?.strip_prefix("pipe:[")?.strip_suffix(']')?.parse().ok().map(PipeId)
        };
        [1, 2].into_iter().filter_map(pipe).collect()
    }

    /// The value of a variable in the environment it was started with. `None`: not there, or not ours to see.
    pub(crate) fn environment(self, pid: u32, variable: &str) -> Option<String> {
        find_variable(&self.read(&format!("{pid}/environ"), MAX_ENVIRONMENT)?, variable)
    }

    /// Its user, or root where it may not be looked into (proc_pid(5)).
    pub(crate) fn user(self, pid: u32) -> Option<u32> {
        Some(std::fs::metadata(self.0.join(pid.to_string())).ok()?.uid())
    }

    /// The name of the cgroup that it is in (version 2), below that folder. `None`: it is elsewhere.
    pub(crate) fn cgroup(self, pid: u32, folder: &str) -> Option<String> {
        let text = self.text(&format!("{pid}/cgroup"))?;
        let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
        path.split('/').skip_while(|name| *name != folder).nth(1).map(str::to_owned)
    }

    /// The hard limit on realtime processor time: the tag of a run, where it has one (proc_pid_limits(5)). Everybody may read it, and
    /// nothing that the process does can hold up the reader.
    pub(crate) fn realtime_limit(self, pid: u32) -> Option<u64> {
        find_realtime_limit(&self.text(&format!("{pid}/limits"))?)
    }

    fn text(self, file: &str) -> Option<String> {
        Some(String::from_utf8_lossy(&self.read(file, MAX_SMALL)?).into_owned())
    }

    fn read(self, file: &str, most: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(512);
        File::open(self.0.join(file)).ok()?.take(most).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// proc_pid_stat(5). The name in parentheses may hold anything, spaces and parentheses too.
fn parse(pid: u32, stat: &[u8]) -> Option<Process> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    // Fields 7 to 19 lie between; 20 is the number of threads, 22 the start time.
    let threads: u64 = fields.nth(13)?.parse().ok()?;
    let started = fields.nth(1)?.parse().ok()?;
    // A main thread can end before the others do: the process is shown as a zombie and still runs.
    let life = if matches!(state, "Z" | "X") && threads <= 1 { Life::Ended } else { Life::Runs };
    Some(Process { id: ProcessId { started, pid }, parent, group, session, life })
}

fn find_variable(environment: &[u8], variable: &str) -> Option<String> {
    let value = |entry: &[u8]| entry.strip_prefix(variable.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    String::from_utf8(environment.split(|byte| *byte == 0).find_map(value)?).ok()
}

fn find_realtime_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max realtime timeout"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_does_not_confuse_the_fields() {
        let stat = b"42 (a ) b) S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 1000 200";
        let process = parse(42, stat).unwrap();
        assert_eq!(
            process,
            Process { id: ProcessId { started: 12345, pid: 42 }, parent: 7, group: 8, session: 9, life: Life::Runs }
        );
    }

    #[test]
    fn a_zombie_has_ended_unless_other_threads_of_it_run() {
        let stat = |threads: u32| format!("42 (x) Z 7 8 9 0 -1 4 1 2 3 4 5 6 7 8 20 0 {threads} 0 12345 1000");
        assert_eq!(parse(42, stat(1).as_bytes()).unwrap().life, Life::Ended);
        assert_eq!(parse(42, stat(2).as_bytes()).unwrap().life, Life::Runs);
    }

    #[test]
    fn this_very_process_is_found_with_its_start_time() {
        let us = here().process(std::process::id()).unwrap();
        assert!(here().processes().contains(&us));
    }

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let environment = b"XMAINSTAY_RUN=no\0MAINSTAY_RUN=gpsd.3\0LANG=C\0";
        assert_eq!(find_variable(environment, "MAINSTAY_RUN").as_deref(), Some("gpsd.3"));
        assert_eq!(find_variable(environment, "MAINSTAY"), None);
    }

    #[test]
    fn the_hard_limit_is_the_second_number() {
        let limits = "Limit   Soft Limit   Hard Limit  Units\nMax realtime timeout      1  4611686018427387911  us  \n";
        assert_eq!(find_realtime_limit(limits), Some((1 << 62) + 7));
        assert_eq!(find_realtime_limit("Max realtime timeout      unlimited   unlimited   us \n"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(1, &bytes);
            let _ = find_variable(&bytes, "A");
        }
    }
}
