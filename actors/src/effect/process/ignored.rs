//! Signals that mainstay was started to ignore: by nohup, or by a shell that put it into the background.

use std::ffi::c_int;
use std::fs;

/// Whether this process ignores a signal now; at its start: whether it was started to.
#[must_use]
pub fn is_ignored(number: c_int) -> bool {
    is_in(&status(), number)
}

fn status() -> String {
    fs::read_to_string("/proc/self/status").unwrap_or_default()
}

/// Looks into the mask of proc(5): bit 0 is signal 1.
fn is_in(status: &str, number: c_int) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let bit = number.checked_sub(1).and_then(|bit| u32::try_from(bit).ok()).and_then(|bit| 1_u64.checked_shl(bit));
    bit.is_some_and(|bit| mask & bit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_stands_in_a_mask_that_begins_with_signal_1() {
        let status = "SigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        let ignored: Vec<c_int> = (-1..=70).filter(|number| is_in(status, *number)).collect();
        assert_eq!(ignored, [libc::SIGHUP, libc::SIGPIPE]);
        assert!(!is_in("", libc::SIGHUP));
    }
}
