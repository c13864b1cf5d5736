//! What the kernel says of processes.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use rustix::time::{ClockId, clock_gettime};

/// The present moment on the clock that `tiny.c` reads.
pub(crate) fn monotonic() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// What the calling thread has used of a processor.
pub(crate) fn thread_time() -> Duration {
    let used = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(used.tv_sec).unwrap_or(0), u32::try_from(used.tv_nsec).unwrap_or(0))
}

fn pid(pid: u32) -> Pid {
    i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id")
}

/// Sends a signal.
pub(crate) fn signal(to: u32, signal: Signal) {
    kill_process(pid(to), signal).expect("a process that can be signalled");
}

/// Waits until a process has ended, at most ten seconds.
pub(crate) fn wait_for_end(of: u32) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    // It may have ended already.
    let Ok(process) = pidfd_open(pid(of), PidfdFlags::empty()) else { return };
    let patience = Timespec { tv_sec: 10, tv_nsec: 0 };
    // The end of another child interrupts it.
    rustix::io::retry_on_intr(|| poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)))
        .expect("a process that can be waited for");
}

/// The share of memory that a process takes, in KiB: what it shares with others counts in part.
pub(crate) fn pss(of: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{of}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// How often all threads of a process have been put on a processor.
pub(crate) fn switches(of: u32) -> u64 {
    let threads = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let status = threads.filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok());
    let count = |text: String| -> u64 {
        let counts = text.lines().filter_map(|line| line.split_once("voluntary_ctxt_switches:"));
        counts.filter_map(|(_, count)| count.trim().parse::<u64>().ok()).sum()
    };
    status.map(count).sum()
}

/// How many threads it has.
pub(crate) fn threads(of: u32) -> usize {
    fs::read_dir(format!("/proc/{of}/task")).map_or(0, Iterator::count)
}

/// What each thread of a process has used of a processor (/proc/PID/schedstat of the kernel's documentation), by name; threads
/// that only differ in a number at the end are one.
pub(crate) fn used_by_thread(of: u32) -> BTreeMap<String, Duration> {
    let mut used = BTreeMap::new();
    for thread in fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten() {
        let read = |file| fs::read_to_string(thread.path().join(file)).unwrap_or_default();
        let name = read("comm").trim().trim_end_matches(|c: char| c.is_ascii_digit() || c == '-').to_owned();
        let nanoseconds = read("schedstat").split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        *used.entry(name).or_default() += Duration::from_nanos(nanoseconds);
    }
    used
}

/// What a process has used of a processor.
pub(crate) fn used(of: u32) -> Duration {
    used_by_thread(of).values().sum()
}

/// Its log-keeper: the child of it that is called so.
pub(crate) fn keeper_of(daemon: u32) -> Option<u32> {
    let threads = fs::read_dir(format!("/proc/{daemon}/task")).into_iter().flatten().flatten();
    let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let is_keeper = |pid: &u32| {
        fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.windows(10).any(|part| part == b"log-keeper"))
    };
    let children: Vec<u32> = children
        .flat_map(|pids| pids.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect();
    children.into_iter().find(is_keeper)
}
