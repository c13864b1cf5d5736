//! Times for people: how long ago, at what time of day, how long after. All in UTC, like the views.

use std::time::{Duration, SystemTime};

/// Seconds in a minute, an hour, a day.
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A time that lies this far ahead is "just now": the two halves read the clock at different moments.
const SKEW: Duration = Duration::from_secs(2);

/// Reads a time of the views.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

/// `3m 12s ago`. A time in the future (the clock was set back) or one that cannot be read is shown as it stands.
pub(crate) fn ago(since: &str, now: SystemTime) -> String {
    let Some(time) = parse(since) else { return since.to_owned() };
    match now.duration_since(time) {
        Ok(passed) if passed.as_secs() == 0 => "just now".to_owned(),
        Ok(passed) => format!("{} ago", span(passed)),
        Err(ahead) if ahead.duration() <= SKEW => "just now".to_owned(),
        Err(_) => format!("at {}", clock(since, now)),
    }
}

/// The two largest units: `12s`, `3m 12s`, `2h 5m`, `3d 4h`.
fn span(duration: Duration) -> String {
    let secs = duration.as_secs();
    match secs {
        0..MINUTE => format!("{secs}s"),
        MINUTE..HOUR => format!("{}m {}s", secs / MINUTE, secs % MINUTE),
        HOUR..DAY => format!("{}h {}m", secs / HOUR, secs % HOUR / MINUTE),
        _ => format!("{}d {}h", secs / DAY, secs % DAY / HOUR),
    }
}

/// `22:56:33.120`, with the date before it unless it is today's.
pub(crate) fn clock(text: &str, now: SystemTime) -> String {
    let Some(time) = parse(text) else { return text.to_owned() };
    let written = humantime::format_rfc3339_millis(time).to_string();
    let today = humantime::format_rfc3339_millis(now).to_string();
    let Some((date, day_time)) = written.trim_end_matches('Z').split_once('T') else { return written };
    if today.starts_with(date) { day_time.to_owned() } else { format!("{date} {day_time}") }
}

/// How finely a time was written, so that no more is shown than is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grain {
    /// Whole milliseconds.
    Millis,
    /// Finer than milliseconds.
    Finer,
}

impl Grain {
    /// The grain of a written time.
    pub(crate) fn of(text: &str) -> Self {
        let digits = text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
        if digits > 3 { Self::Finer } else { Self::Millis }
    }

    /// What is shorter is shown as nothing.
    fn least(self) -> Duration {
        Duration::from_micros(if self == Self::Finer { 50 } else { 1000 })
    }
}

/// `+12 ms`, `+0.1 ms`, `+3.20 s`: how long `later` is after `start`. `-` when it is before (the clock was set).
pub(crate) fn after(start: SystemTime, later: SystemTime, grain: Grain) -> String {
    let (sign, passed) = match later.duration_since(start) {
        Ok(passed) => ('+', passed),
        // What is shown as nothing is not before.
        Err(before) if before.duration() < grain.least() => ('+', Duration::ZERO),
        Err(before) => ('-', before.duration()),
    };
    if passed >= Duration::from_secs(10) {
        format!("{sign}{:.1} s", passed.as_secs_f64())
    } else if passed >= Duration::from_secs(1) {
        format!("{sign}{:.2} s", passed.as_secs_f64())
    } else if grain == Grain::Finer && passed < Duration::from_millis(100) {
        format!("{sign}{:.1} ms", passed.as_secs_f64() * 1000.0)
    } else {
        format!("{sign}{} ms", passed.as_millis())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> SystemTime {
        parse(text).unwrap()
    }

    #[test]
    fn ago_names_the_two_largest_units() {
        let now = at("2026-11-20T12:00:00.500Z");
        let cases = [
            ("2026-11-20T12:00:00.100Z", "just now"),
            ("2026-11-20T12:00:01.000Z", "just now"),
            ("2026-11-20T11:59:48.000Z", "12s ago"),
            ("2026-11-20T11:56:48.000Z", "3m 12s ago"),
            ("2026-11-20T09:54:48.000Z", "2h 5m ago"),
            ("2026-11-17T07:54:48.000Z", "3d 4h ago"),
            ("2026-11-20T12:30:00.000Z", "at 12:30:00.000"),
            ("2026-11-19T11:00:00Z", "1d 1h ago"),
            ("yesterday", "yesterday"),
        ];
        for (since, told) in cases {
            assert_eq!(ago(since, now), told);
        }
    }

    #[test]
    fn a_clock_time_of_another_day_has_its_date() {
        let now = at("2026-11-20T00:00:01Z");
        assert_eq!(clock("2026-11-20T22:56:33.120456Z", now), "22:56:33.120");
        assert_eq!(clock("2026-11-19T23:59:59.999Z", now), "2026-11-19 23:59:59.999");
    }

    #[test]
    fn no_finer_time_is_shown_than_was_written() {
        let start = at("2026-11-20T12:00:00.000000Z");
        let later = at("2026-11-20T12:00:00.000120Z");
        assert_eq!(after(start, later, Grain::of("2026-11-20T12:00:00.000120Z")), "+0.1 ms");
        assert_eq!(after(start, later, Grain::of("2026-11-20T12:00:00.000Z")), "+0 ms");
        assert_eq!(after(start, at("2026-11-20T12:00:03.204Z"), Grain::Millis), "+3.20 s");
        assert_eq!(after(later, start, Grain::Finer), "-0.1 ms");
        assert_eq!(after(later, start, Grain::Millis), "+0 ms");
        assert_eq!(after(at("2026-11-20T12:00:00.000030Z"), start, Grain::Finer), "+0.0 ms");
    }
}
