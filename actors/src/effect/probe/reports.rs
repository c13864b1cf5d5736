//! gpsd's reports (gpsd_json(5)): lines of JSON, bounded, without I/O.

use serde::Deserialize;

use super::words::plain;

/// Most bytes of one line; gpsd itself stays below 16 KiB.
pub(super) const LINE_LIMIT: usize = 64 * 1024;

/// A line longer than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineTooLong;

/// Cuts a stream into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    searched: usize,
}

impl Lines {
    /// Takes the next piece of the stream.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
    }

    /// The next whole line, without its end.
    ///
    /// # Errors
    /// When what has come so far is too long for a line.
    pub(super) fn pop(&mut self) -> Result<Option<Vec<u8>>, LineTooLong> {
        let unsearched = self.bytes.get(self.searched..).unwrap_or_default();
        match unsearched.iter().position(|byte| *byte == b'\n').map(|at| self.searched + at) {
            Some(end) if end > LINE_LIMIT => Err(LineTooLong),
            Some(end) => {
                let rest = self.bytes.split_off(end + 1);
                let line = std::mem::replace(&mut self.bytes, rest);
                self.searched = 0;
                Ok(Some(line.trim_ascii_end().to_vec()))
            }
            None if self.bytes.len() > LINE_LIMIT => Err(LineTooLong),
            None => {
                self.searched = self.bytes.len();
                Ok(None)
            }
        }
    }
}

/// A report, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "class")]
pub(super) enum Report {
    /// What gpsd says first.
    #[serde(rename = "VERSION")]
    Version {
        /// Its release.
        #[serde(default)]
        release: String,
    },
    /// The answer to `?DEVICES`.
    #[serde(rename = "DEVICES")]
    Devices {
        /// What it reads from.
        devices: Vec<Device>,
    },
    /// Any other.
    #[serde(other)]
    Other,
}

/// A receiver that gpsd knows.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Device {
    #[serde(default)]
    path: String,
    #[serde(default)]
    activated: Option<Activated>,
}

/// A time stamp; older releases give seconds, and 0 for "not".
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Activated {
    Stamp(String),
    Seconds(f64),
}

impl Report {
    /// Reads a line; `None` when it is not a report.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

impl Device {
    /// Its path, fit for a message.
    pub(super) fn path(&self) -> String {
        plain(&self.path, 100)
    }

    /// Whether gpsd has it open.
    pub(super) fn is_activated(&self) -> bool {
        match &self.activated {
            None => false,
            Some(Activated::Seconds(seconds)) => *seconds != 0.0,
            Some(Activated::Stamp(stamp)) => !stamp.is_empty() && stamp.parse::<f64>() != Ok(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;

    fn devices(text: &str) -> Vec<Device> {
        match Report::parse(text.as_bytes()) {
            Some(Report::Devices { devices }) => devices,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_device_is_active_when_it_has_a_time_of_activation() {
        let text = r#"{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/ttyACM0","driver":"u-blox",
            "activated":"2026-11-20T08:00:00.000Z","flags":1},{"path":"/dev/a","activated":0},{"path":"/dev/b"},
            {"path":"/dev/c","activated":1795000000.5},{"path":"/dev/d","activated":null}]}"#;
        let active: Vec<_> = devices(text).iter().map(Device::is_activated).collect();
        assert_eq!(active, [true, false, false, true, false]);
    }

    #[test]
    fn reports_that_do_not_matter_are_told_from_garbage() {
        assert_eq!(Report::parse(br#"{"class":"TPV","mode":3}"#), Some(Report::Other));
        assert_eq!(Report::parse(b"220 mail.example.org ESMTP"), None);
        assert_eq!(Report::parse(br#"{"class":"DEVICES","devices":7}"#), None);
    }

    #[test]
    fn a_line_that_never_ends_is_refused() {
        let mut lines = Lines::default();
        let outcome = std::iter::repeat_with(|| {
            lines.push(&[b'x'; 1000]);
            lines.pop()
        });
        assert_eq!(outcome.take(100).position(|popped| popped.is_err()), Some(LINE_LIMIT / 1000));
    }

    proptest! {
        #[test]
        fn no_report_can_crash_the_parser(
            line in prop::collection::vec(any::<u8>(), 0..300),
            json in "[{}\\[\\]\":,a-z0-9.e-]{0,200}",
        ) {
            let _ = Report::parse(&line);
            let _ = Report::parse(json.as_bytes());
            let _ = Report::parse(format!(r#"{{"class":"DEVICES","devices":[{{"activated":{json}}}]}}"#).as_bytes());
        }

        #[test]
        fn lines_are_the_same_however_they_arrive(
            text in "[a-z\n]{0,200}",
            cuts in prop::collection::vec(1_usize..20, 0..50),
        ) {
            let mut lines = Lines::default();
            let (mut popped, mut rest) = (Vec::new(), text.as_bytes());
            let mut cuts = cuts.into_iter();
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(cuts.next().unwrap_or(usize::MAX).min(rest.len()));
                lines.push(piece);
                rest = after;
                while let Ok(Some(line)) = lines.pop() {
                    popped.push(String::from_utf8(line).unwrap());
                }
            }
            let whole = text.rsplit_once('\n').map(|(whole, _)| whole.split('\n').map(str::to_owned).collect());
            prop_assert_eq!(popped, whole.unwrap_or_else(Vec::new));
        }
    }
}
