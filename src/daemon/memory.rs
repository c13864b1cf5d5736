//! Memory that only starting needed, or answering somebody, is given back to the kernel: what is free of the heap, and the program itself.
//!
//! Reading the configuration takes several times the memory of what is kept of it. What is freed lies between what is kept, and
//! glibc gives back only the end of the heap by itself: with 1,000 services a sixth of the daemon's memory. And the kernel maps sixteen
//! pages of the program where one is used, so that nearly all of it is mapped when it has started. See
//! docs/decisions/0021-free-memory-given-back-once.md.
#![allow(unsafe_code, reason = "malloc_trim(3) and madvise(2) have no safe form")]

use std::convert::Infallible;
use std::fs;
use std::ops::Range;
use std::time::Duration;

use tokio::sync::Notify;

/// By then everything that can start at once has started, and whoever asks several things has asked, so that giving back costs nobody time.
const AFTER: Duration = Duration::from_secs(5);

/// Gives it back in a while, and whenever nobody has asked for anything for as long since.
pub(super) async fn give_back_when_quiet(used: &Notify) -> Infallible {
    loop {
        while tokio::time::timeout(AFTER, used.notified()).await.is_ok() {}
        give_back_heap();
        let_go_of_program();
        used.notified().await;
    }
}

#[cfg(target_env = "gnu")]
fn give_back_heap() {
    // SAFETY: it takes the allocator's own locks and touches no memory that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(not(target_env = "gnu"))]
fn give_back_heap() {}

/// Lets go of the program's own pages, and its libraries'. They stay in the kernel's cache, where what is used next is found; the rest is
/// the first that it does without when memory is short.
fn let_go_of_program() {
    let mapped = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    for Range { start, end } in unwritten(&mapped) {
        let pages = std::ptr::with_exposed_provenance_mut(start);
        // SAFETY: it is mapped from a file, cannot be written to and was not: it is the same when it is read from there again.
        unsafe {
            libc::madvise(pages, end - start, libc::MADV_DONTNEED);
        }
    }
}

/// What is mapped from files and cannot be written to, by `/proc/PID/smaps` (proc_pid_smaps(5)), but for what has pages of its own: whoever
/// loads programs writes to some of them first, and a debugger writes its breakpoints there. That would be lost.
fn unwritten(smaps: &str) -> Vec<Range<usize>> {
    let (mut found, mut last) = (Vec::new(), None);
    for line in smaps.lines() {
        if let Some(size) = line.strip_prefix("Anonymous:") {
            found.extend(last.take().filter(|_| size.trim() == "0 kB"));
        } else if let Some((range, rest)) = line.split_once(' ').filter(|(range, _)| range.contains('-')) {
            last = of_a_file(range, rest);
        }
    }
    found
}

fn of_a_file(range: &str, rest: &str) -> Option<Range<usize>> {
    let mut words = rest.split_ascii_whitespace();
    let (rights, file) = (words.next()?, words.nth(3)?);
    let (start, end) = range.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    (["r-xp", "r--p"].contains(&rights) && file.starts_with('/')).then_some(number(start)?..number(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_as_it_is_in_its_file_is_let_go_of() {
        let mappings = [
            ("7f00-7f10 r-xp 00002000 fe:00 19 /usr/bin/mainstay", 0),
            ("7f10-7f20 r-xp 00002000 fe:00 19 /usr/bin/mainstay", 4),
            ("7f20-7f30 r--p 00002000 fe:00 19 /usr/bin/mainstay", 0),
            ("7f30-7f40 rwxp 00002000 fe:00 19 /usr/lib/odd.so", 0),
            ("7f40-7f50 r-xp 00000000 00:00 0", 0),
            ("7f50-7f60 r-xp 00000000 00:00 0 [vdso]", 0),
        ];
        let smaps =
            mappings.map(|(head, own)| format!("{head}\nRss: 4 kB\nAnonymous:             {own} kB\nVmFlags: rd\n"));
        assert_eq!(unwritten(&smaps.concat()), [0x7f00..0x7f10, 0x7f20..0x7f30]);
        assert_eq!(unwritten("Anonymous: 0 kB\n7f00-7f10 r-xp"), []);
    }

    #[test]
    fn a_program_goes_on_when_it_has_let_go_of_itself() {
        let resident = || {
            let statistics = fs::read_to_string("/proc/self/statm").unwrap_or_default();
            statistics.split_ascii_whitespace().nth(2).and_then(|pages| pages.parse::<usize>().ok())
        };
        let before = resident();
        let_go_of_program();
        assert!(resident() < before, "{before:?} pages of files before, and {:?} afterwards", resident());
    }
}
