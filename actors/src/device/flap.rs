//! How often a device has come and gone, and what follows from it.

use std::collections::VecDeque;
use std::time::Duration;

use mainstay_config::model::Flap;

use crate::cause::Quarantine;
use crate::message::Moment;

/// A device that leaves this soon after it was taken into use probably lacks power or has a bad cable.
const EARLY_DROP: Duration = Duration::from_secs(10);
/// So many early drops in a row mean power or cable.
const EARLY_DROPS_MAX: u32 = 3;
/// Departures older than this no longer lengthen the settling time.
const RECENT: Duration = Duration::from_secs(60);
/// After this long without a departure, quarantines begin with the shortest again.
const FORGIVEN: Duration = Duration::from_secs(600);
/// A quarantine is doubled at most this many times.
const DOUBLINGS_MAX: u32 = 5;
/// Departures that are remembered at most.
const REMEMBERED: usize = 64;

/// The departures of one device.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Departures {
    times: VecDeque<Moment>,
    early_in_a_row: u32,
    quarantines: u32,
}

impl Departures {
    /// Notes a departure; `in_use_since` is when the lease that it broke began. Answers how long it stays out, if it does.
    pub(super) fn left(&mut self, now: Moment, policy: Flap, in_use_since: Option<Moment>) -> Option<Quarantine> {
        if self.times.back().is_some_and(|last| now.since(*last) > FORGIVEN) {
            self.quarantines = 0;
        }
        self.times.push_back(now);
        if self.times.len() > REMEMBERED {
            self.times.pop_front();
        }
        self.early_in_a_row = match in_use_since {
            Some(since) if now.since(since) <= EARLY_DROP => self.early_in_a_row.saturating_add(1),
            Some(_) => 0,
            None => self.early_in_a_row,
        };
        let departures = self.within(now, policy.within);
        if self.early_in_a_row >= EARLY_DROPS_MAX {
            self.early_in_a_row = 0;
            Some(Quarantine::Power { length: self.quarantine(policy), supply: None })
        } else if departures >= policy.departures.get() {
            let (within, length) = (policy.within, self.quarantine(policy));
            Some(Quarantine::Flapping { departures, within, length })
        } else {
            None
        }
    }

    /// How long a new arrival must stay before it counts: nothing for a device that has been quiet, more with each recent departure.
    pub(super) fn settling_time(&self, now: Moment) -> Duration {
        Duration::from_millis(match self.within(now, RECENT) {
            0 => 0,
            1 => 200,
            2 => 500,
            3 => 1000,
            _ => 2000,
        })
    }

    /// The operator vouches for it: everything is forgotten.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    fn within(&self, now: Moment, time: Duration) -> u32 {
        let count = self.times.iter().filter(|left| now.since(**left) <= time).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn quarantine(&mut self, policy: Flap) -> Duration {
        let doublings = self.quarantines.min(DOUBLINGS_MAX);
        self.quarantines = self.quarantines.saturating_add(1);
        policy.quarantine.saturating_mul(2u32.saturating_pow(doublings))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    const POLICY: Flap =
        Flap { departures: NonZeroU32::MIN.saturating_add(4), within: RECENT, quarantine: Duration::from_secs(30) };

    fn at(seconds: u64) -> Moment {
        Moment::after_boot(Duration::from_secs(seconds))
    }

    #[test]
    fn a_quiet_device_settles_at_once_and_a_restless_one_takes_longer_each_time() {
        let mut departures = Departures::default();
        let mut times = vec![departures.settling_time(at(0))];
        for second in 1..=5 {
            departures.left(at(second), POLICY, None);
            times.push(departures.settling_time(at(second)));
        }
        assert_eq!(times, [0, 200, 500, 1000, 2000, 2000].map(Duration::from_millis));
        assert_eq!(departures.settling_time(at(120)), Duration::ZERO);
    }

    #[test]
    fn the_fifth_departure_in_a_minute_is_quarantined_and_each_quarantine_is_twice_as_long_up_to_32_times() {
        let mut departures = Departures::default();
        let verdicts: Vec<Option<Quarantine>> =
            (0..12).map(|second| departures.left(at(second), POLICY, None)).collect();
        assert!(verdicts.iter().take(4).all(Option::is_none), "{verdicts:?}");
        let lengths: Vec<u64> = verdicts.iter().flatten().map(|quarantine| quarantine.length().as_secs()).collect();
        assert_eq!(lengths, [30, 60, 120, 240, 480, 960, 960, 960]);
    }

    #[test]
    fn five_departures_over_an_hour_are_fine() {
        let mut departures = Departures::default();
        assert!((0..5).all(|n| departures.left(at(n * 720), POLICY, None).is_none()));
    }

    #[test]
    fn three_drops_soon_after_being_used_mean_power_or_cable() {
        let mut departures = Departures::default();
        let verdict = |d: &mut Departures, now: u64, since: u64| d.left(at(now), POLICY, Some(at(since)));
        assert_eq!(verdict(&mut departures, 105, 100), None);
        assert_eq!(verdict(&mut departures, 205, 200), None);
        assert!(matches!(verdict(&mut departures, 305, 300), Some(Quarantine::Power { .. })));
    }

    #[test]
    fn a_drop_after_long_use_breaks_the_row_of_early_drops() {
        let mut departures = Departures::default();
        departures.left(at(105), POLICY, Some(at(100)));
        departures.left(at(205), POLICY, Some(at(200)));
        departures.left(at(400), POLICY, Some(at(300)));
        assert_eq!(departures.left(at(505), POLICY, Some(at(500))), None);
    }
}
