//! One look at every process of the machine: who is whose child.

use std::collections::HashSet;
use std::io::Read;

/// No more processes than this are looked at; Linux has a default limit of 32,768 on small machines.
const MAX_PROCESSES: usize = 131_072;
/// `/proc/PID/stat` is a few hundred bytes.
const MAX_STAT: u64 = 4096;
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
pub(super) struct Process {
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
pub(super) enum Life {
    /// It runs, sleeps or is stopped.
    Runs,
    /// It has ended and waits to be reaped.
    Ended,
}

/// A pipe: its inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct PipeId(pub u64);

/// The pipes that a process has as its standard output and error. Empty: it has none, or it is not ours to see.
pub(super) fn outputs_of(pid: u32) -> Vec<PipeId> {
    let pipe = |number: u8| {
        let target = std::fs::read_link(format!("/proc/{pid}/fd/{number}")).ok()?;
        target.to_str()?.strip_prefix("pipe:[")?.strip_suffix(']')?.parse().ok().map(PipeId)
    };
    [1, 2].into_iter().filter_map(pipe).collect()
}

/// Reads `/proc` once.
pub(super) fn read_all() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut all: Vec<Process> = pids.filter_map(read).take(MAX_PROCESSES).collect();
    adopt_again(&mut all);
    all
}

/// A parent that ended during the look is missing, and its children have a new one: look at those again.
fn adopt_again(all: &mut [Process]) {
    let present: HashSet<u32> = all.iter().map(|p| p.id.pid).collect();
    for process in all.iter_mut().filter(|p| p.parent != 0 && !present.contains(&p.parent)) {
        if let Some(now) = read(process.id.pid).filter(|now| now.id == process.id) {
            *process = now;
        }
    }
}

/// Looks at one process. `None`: it is gone.
pub(super) fn read(pid: u32) -> Option<Process> {
    let file = std::fs::File::open(format!("/proc/{pid}/stat")).ok()?;
    let mut bytes = Vec::with_capacity(512);
    file.take(MAX_STAT).read_to_end(&mut bytes).ok()?;
    parse(pid, &bytes)
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

/// The value of a variable in the environment a process was started with. `None`: not there, or not ours to see.
pub(super) fn environment_of(pid: u32, variable: &str) -> Option<String> {
    let file = std::fs::File::open(format!("/proc/{pid}/environ")).ok()?;
    let mut bytes = Vec::new();
    file.take(MAX_ENVIRONMENT).read_to_end(&mut bytes).ok()?;
    find_variable(&bytes, variable)
}

fn find_variable(environment: &[u8], variable: &str) -> Option<String> {
    let value = |entry: &[u8]| entry.strip_prefix(variable.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    String::from_utf8(environment.split(|byte| *byte == 0).find_map(value)?).ok()
}

/// The name of the cgroup that a process is in (version 2), below that folder. `None`: it is elsewhere.
pub(super) fn cgroup_of(pid: u32, folder: &str) -> Option<String> {
    let text = read_text(&format!("/proc/{pid}/cgroup"), MAX_STAT)?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    let mut names = path.split('/').skip_while(|name| *name != folder);
    names.nth(1).map(str::to_owned)
}

/// The hard limit on realtime processor time: the tag of a run, where it has one (proc_pid_limits(5)). Everybody may read it, and
/// nothing that the process does can hold up the reader.
pub(super) fn realtime_limit_of(pid: u32) -> Option<u64> {
    find_realtime_limit(&read_text(&format!("/proc/{pid}/limits"), MAX_STAT)?)
}

fn find_realtime_limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max realtime timeout"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn read_text(path: &str, most: u64) -> Option<String> {
    let mut text = String::new();
    std::fs::File::open(path).ok()?.take(most).read_to_string(&mut text).ok()?;
    Some(text)
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
        let us = read(std::process::id()).unwrap();
        assert!(read_all().contains(&us));
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
