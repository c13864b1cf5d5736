//! How many deaths a supervisor bears (OTP's intensity and period).

use std::collections::VecDeque;
use std::time::Duration;

use crate::message::Moment;

/// Deaths that are borne within [`PERIOD`]; one more escalates.
pub const DEATHS_MAX: usize = 5;
/// The time over which deaths are counted.
pub const PERIOD: Duration = Duration::from_secs(60);
/// The pause before a restart, so that an actor that dies at once does not spin.
const PAUSE: Duration = Duration::from_millis(10);

/// The deaths a supervisor has seen lately.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Intensity(VecDeque<Moment>);

impl Intensity {
    /// Notes a death: after what pause the child is restarted. `None`: it is too much, and the supervisor gives up in its turn.
    pub fn died(&mut self, now: Moment) -> Option<Duration> {
        while self.0.front().is_some_and(|first| now.since(*first) > PERIOD) {
            self.0.pop_front();
        }
        self.0.push_back(now);
        (self.0.len() <= DEATHS_MAX).then_some(PAUSE)
    }

    /// Everything begins anew.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::after_boot(Duration::from_secs(seconds))
    }

    #[test]
    fn the_sixth_death_in_a_minute_escalates() {
        let mut intensity = Intensity::default();
        assert!((0..5).all(|second| intensity.died(at(second)) == Some(PAUSE)));
        assert_eq!(intensity.died(at(5)), None);
    }

    #[test]
    fn deaths_far_apart_are_borne_for_ever() {
        let mut intensity = Intensity::default();
        assert!((0..100).all(|n| intensity.died(at(n * 13)) == Some(PAUSE)));
    }
}
