//! What a GPS receiver with a three-dimensional fix says each second (NMEA 0183).

use std::time::{SystemTime, UNIX_EPOCH};

/// Where the receiver is, as NMEA writes it: 48°07.038' north, 11°31.000' east.
const POSITION: &str = "4807.0380,N,01131.0000,E";
/// The same as gpsd reports it, in degrees.
pub(crate) const LATITUDE: f64 = 48.1173;

/// One second's sentences: position, course, satellites in use, satellites in view.
pub(crate) fn sentences(at: SystemTime) -> String {
    let Clock { time, date } = clock(at);
    [
        format!("GPGGA,{time},{POSITION},1,08,0.9,545.4,M,46.9,M,,"),
        format!("GPRMC,{time},A,{POSITION},000.5,054.7,{date},,,A"),
        // One for each satellite system; of the second it sees nothing, and the fix is as good.
        "GNGSA,A,3,04,05,09,12,24,25,29,31,,,,,1.8,0.9,1.5,1".to_owned(),
        "GNGSA,A,1,,,,,,,,,,,,,1.8,0.9,1.5,2".to_owned(),
        "GPGSV,2,1,08,04,40,083,46,05,17,308,41,09,07,344,39,12,22,228,45".to_owned(),
        "GPGSV,2,2,08,24,60,120,44,25,33,061,42,29,11,190,38,31,71,280,47".to_owned(),
    ]
    .iter()
    .map(|body| sentence(body))
    .collect()
}

/// A sentence with its checksum: the exclusive or of all between `$` and `*`.
fn sentence(body: &str) -> String {
    let checksum = body.bytes().fold(0, |sum: u8, byte| sum ^ byte);
    format!("${body}*{checksum:02X}\r\n")
}

/// Time and date as NMEA writes them: `hhmmss.ss` and `ddmmyy`.
struct Clock {
    time: String,
    date: String,
}

fn clock(at: SystemTime) -> Clock {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let (year, month, day) = date(days);
    Clock {
        time: format!("{hour:02}{minute:02}{second:02}.{:02}", since.subsec_millis() / 10),
        date: format!("{day:02}{month:02}{:02}", year % 100),
    }
}

/// Year, month and day of a day since 1970 (the proleptic Gregorian calendar, in years that begin with March).
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_sentence_carries_the_checksum_that_receivers_send() {
        assert_eq!(
            sentence("GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,"),
            "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n"
        );
    }

    #[test]
    fn dates_follow_the_calendar_over_leap_days_and_new_years() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_777), (2026, 11, 20));
        assert_eq!(date(20_818), (2026, 12, 31));
        assert_eq!(date(20_819), (2027, 1, 1));
    }

    #[test]
    fn the_clock_is_written_with_leading_zeros() {
        let Clock { time, date } = clock(UNIX_EPOCH + Duration::from_millis(86_400_000 * 366 + 3_723_450));
        assert_eq!((time.as_str(), date.as_str()), ("010203.45", "020171"));
    }
}
