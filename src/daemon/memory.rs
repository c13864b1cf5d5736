//! Memory that only starting needed is given back to the kernel, once: what is free of the heap, and the program itself.
//!
//! Reading the configuration takes several times the memory of what is kept of it. What is freed lies between what is kept, and
//! glibc gives back only the end of the heap by itself: with 1,000 services a sixth of the daemon's memory. And the kernel maps sixteen
//! pages of the program where one is used, so that nearly all of it is mapped when it has started. See
//! docs/decisions/0021-free-memory-given-back-once.md.
#![allow(unsafe_code, reason = "malloc_trim(3) and madvise(2) have no safe form")]

use std::fs;
use std::ops::Range;
use std::time::Duration;

/// By then everything that can start at once has started, so that giving back costs nobody time.
const AFTER: Duration = Duration::from_secs(5);

/// Gives it back in a while.
pub(super) async fn give_back_soon() {
    tokio::time::sleep(AFTER).await;
    give_back_heap();
    let_go_of_program();
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
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for Range { start, end } in maps.lines().filter_map(code) {
        let pages = std::ptr::with_exposed_provenance_mut(start);
        // SAFETY: it is mapped from a file and cannot be written to, so that it is the same when it is read from there again.
        unsafe {
            libc::madvise(pages, end - start, libc::MADV_DONTNEED);
        }
    }
}

/// Where code of a file is mapped, if this line of `/proc/PID/maps` tells of that (proc_pid_maps(5)). What cannot be executed may have been
/// written to before it was made read-only, by whoever links the program: that would be lost.
fn code(line: &str) -> Option<Range<usize>> {
    let mut words = line.split_ascii_whitespace();
    let (range, rights, file) = (words.next()?, words.next()?, words.nth(3)?);
    let (start, end) = range.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    (rights == "r-xp" && file.starts_with('/')).then_some(number(start)?..number(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_files_is_let_go_of() {
        let is_code = |line| code(line).is_some();
        let lines = [
            "7f10-7f20 r-xp 00002000 fe:00 19 /usr/bin/mainstay",
            "7f20-7f30 r--p 00002000 fe:00 19 /usr/bin/mainstay",
            "7f30-7f40 rwxp 00002000 fe:00 19 /usr/lib/odd.so",
            "7f40-7f50 r-xp 00000000 00:00 0",
            "7f50-7f60 r-xp 00000000 00:00 0 [vdso]",
        ];
        assert_eq!(lines.map(is_code), [true, false, false, false, false]);
        assert_eq!(code(lines[0]), Some(0x7f10..0x7f20));
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
