//! What is said on a notification socket (sd_notify(3)): lines `NAME=value`.

use std::str::FromStr;
use std::time::Duration;

use crate::action::process::Notification;
use mainstay_hardware::error::Errno;

/// Characters of a status that are kept.
const MAX_STATUS: usize = 256;

/// Reads one datagram, as far as its first zero byte: programs in C send their whole buffer. Lines end as systemd has them end, with a
/// line feed or a carriage return; those that mainstay does not act on are passed over.
pub(super) fn parse(datagram: &[u8]) -> Notification {
    let mut all = Notification::default();
    let text = datagram.split(|byte| *byte == 0).next().unwrap_or_default();
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let Some(equals) = line.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = line.split_at(equals);
        let value = value.get(1..).unwrap_or_default();
        match (name, value) {
            (b"READY", b"1") => all.ready = true,
            (b"STOPPING", b"1") => all.stopping = true,
            (b"STATUS", text) => {
                let words: String = String::from_utf8_lossy(text).chars().take(MAX_STATUS).collect();
                all.status.words = Some(words.into());
            }
            (b"EXTEND_TIMEOUT_USEC", value) => all.extend = number(value).map(Duration::from_micros).or(all.extend),
            // More than 4095 is no error number (the kernel's include/linux/err.h).
            (b"ERRNO", value) => {
                let errno = number(value).filter(|number| (1..4096).contains(number)).map(Errno);
                all.status.errno = errno.or(all.status.errno);
            }
            (b"EXIT_STATUS", value) => all.status.exit = number(value).or(all.status.exit),
            (b"MAINPID", value) => all.main_pid = number(value).filter(|pid| *pid > 1).or(all.main_pid),
            _ => {}
        }
    }
    all
}

fn number<T: FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::action::process::Status;

    #[test]
    fn known_lines_are_read_and_others_passed_over() {
        let all = parse(b"MAINPID=1\nREADY=1\nREADY=10\nSTATUS=3 sources\xff\nX=\n");
        let status = Status::from("3 sources\u{fffd}");
        let expected = Notification { ready: true, status, ..Notification::default() };
        assert_eq!(all, expected);
    }

    #[test]
    fn a_later_status_replaces_an_earlier_one_and_ready_stays_said() {
        let mut all = parse(b"READY=1\nSTATUS=a");
        all.merge(parse(b"STATUS=b"));
        all.merge(parse(b"STOPPING=1"));
        let status = Status::from("b");
        let expected = Notification { ready: true, stopping: true, status, ..Notification::default() };
        assert_eq!(all, expected);
    }

    #[test]
    fn what_stands_behind_a_zero_byte_is_no_part_of_a_message() {
        for datagram in [&b"READY=1\0"[..], b"READY=1\0\0\0", b"READY=1\0STATUS=left in the buffer", b"READY=1\r\n\0"] {
            let expected = Notification { ready: true, ..Notification::default() };
            assert_eq!(parse(datagram), expected, "{datagram:?}");
        }
    }

    #[test]
    fn the_newest_status_of_a_datagram_counts() {
        assert_eq!(parse(b"STATUS=loading\nREADY=1\nSTATUS=serving").status.words.as_deref(), Some("serving"));
    }

    #[test]
    fn last_words_and_the_main_process_are_numbers_within_their_bounds() {
        let said = parse(b"ERRNO=2\nEXIT_STATUS=7\nMAINPID=4711");
        assert_eq!((said.status.errno, said.status.exit, said.main_pid), (Some(Errno(2)), Some(7), Some(4711)));
        assert_eq!(
            parse(b"ERRNO=-1\nERRNO=0\nERRNO=5000\nEXIT_STATUS=256\nMAINPID=1\nMAINPID=-5"),
            Notification::default()
        );
    }

    #[test]
    fn more_time_is_a_number_of_microseconds_and_anything_else_is_passed_over() {
        let extend = |datagram: &str| parse(datagram.as_bytes()).extend;
        assert_eq!(extend("EXTEND_TIMEOUT_USEC=2000000\nSTATUS=a"), Some(Duration::from_secs(2)));
        for wrong in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(extend(&format!("EXTEND_TIMEOUT_USEC={wrong}")), None, "{wrong}");
        }
        let mut all = parse(b"EXTEND_TIMEOUT_USEC=1");
        all.merge(parse(b"EXTEND_TIMEOUT_USEC=5"));
        assert_eq!(all.extend, Some(Duration::from_micros(5)));
    }

    proptest! {
        #[test]
        fn any_datagram_is_read_without_a_panic_and_the_status_is_bounded(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            prop_assert!(parse(&bytes).status.words.is_none_or(|words| words.chars().count() <= MAX_STATUS));
        }
    }
}
