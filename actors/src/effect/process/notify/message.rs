//! What is said on a notification socket (sd_notify(3)): lines `NAME=value`.

use std::time::Duration;

use crate::effect::process::order::{Notification, Said};

/// Characters of a status that are kept.
const MAX_STATUS: usize = 256;

/// Reads one datagram. Lines that mainstay does not act on (`MAINPID=` among them: a service does not choose what is signalled)
/// are passed over.
pub(super) fn parse(datagram: &[u8]) -> Notification {
    let mut all = Notification::default();
    for line in datagram.split(|byte| *byte == b'\n') {
        match line {
            b"READY=1" => all.ready = Some(Said),
            b"STOPPING=1" => all.stopping = Some(Said),
            _ => {
                if let Some(text) = line.strip_prefix(b"STATUS=") {
                    all.status = Some(String::from_utf8_lossy(text).chars().take(MAX_STATUS).collect());
                } else if let Some(text) = line.strip_prefix(b"EXTEND_TIMEOUT_USEC=") {
                    let microseconds = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
                    all.extend = microseconds.map(Duration::from_micros).or(all.extend);
                }
            }
        }
    }
    all
}

/// Adds what was said later.
pub(super) fn merge(earlier: &mut Notification, later: Notification) {
    earlier.ready = earlier.ready.or(later.ready);
    earlier.stopping = earlier.stopping.or(later.stopping);
    earlier.status = later.status.or(earlier.status.take());
    earlier.extend = later.extend.or(earlier.extend);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_lines_are_read_and_others_passed_over() {
        let all = parse(b"MAINPID=1\nREADY=1\nREADY=10\nSTATUS=3 sources\xff\nX=\n");
        let status = Some("3 sources\u{fffd}".to_owned());
        let expected = Notification { ready: Some(Said), status, ..Notification::default() };
        assert_eq!(all, expected);
    }

    #[test]
    fn a_later_status_replaces_an_earlier_one_and_ready_stays_said() {
        let mut all = parse(b"READY=1\nSTATUS=a");
        merge(&mut all, parse(b"STATUS=b"));
        merge(&mut all, parse(b"STOPPING=1"));
        let status = Some("b".to_owned());
        let expected = Notification { ready: Some(Said), stopping: Some(Said), status, extend: None };
        assert_eq!(all, expected);
    }

    #[test]
    fn more_time_is_a_number_of_microseconds_and_anything_else_is_passed_over() {
        let extend = |datagram: &str| parse(datagram.as_bytes()).extend;
        assert_eq!(extend("EXTEND_TIMEOUT_USEC=2000000\nSTATUS=a"), Some(Duration::from_secs(2)));
        for wrong in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
            assert_eq!(extend(&format!("EXTEND_TIMEOUT_USEC={wrong}")), None, "{wrong}");
        }
        let mut all = parse(b"EXTEND_TIMEOUT_USEC=1");
        merge(&mut all, parse(b"EXTEND_TIMEOUT_USEC=5"));
        assert_eq!(all.extend, Some(Duration::from_micros(5)));
    }

    proptest! {
        #[test]
        fn any_datagram_is_read_without_a_panic_and_the_status_is_bounded(bytes in proptest::collection::vec(any::<u8>(), 0..4096)) {
            prop_assert!(parse(&bytes).status.is_none_or(|status| status.chars().count() <= MAX_STATUS));
        }
    }
}
