//! How long to wait between two looks.

use std::time::Duration;

/// The first pauses: most programs are ready soon, and whoever waits for them should not wait for a whole interval.
const FIRST_PAUSES_MS: [u64; 6] = [20, 50, 100, 200, 500, 1000];

/// Pauses that begin short and grow to the interval.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Pace {
    /// How many pauses there were, as far as it matters.
    pauses: usize,
    interval: Duration,
}

impl Pace {
    pub(super) fn new(interval: Duration) -> Self {
        Self { pauses: 0, interval }
    }

    /// The pause before the next look; never longer than the interval.
    pub(super) fn next_pause(&mut self) -> Duration {
        let Some(first) = FIRST_PAUSES_MS.get(self.pauses) else { return self.interval };
        self.pauses += 1;
        Duration::from_millis(*first).min(self.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_interval() {
        let mut pace = Pace::new(Duration::from_millis(150));
        let pauses: Vec<_> = std::iter::repeat_with(|| pace.next_pause().as_millis()).take(5).collect();
        assert_eq!(pauses, [20, 50, 100, 150, 150]);
    }

    #[test]
    fn after_the_first_few_looks_the_interval_rules() {
        let mut pace = Pace::new(Duration::from_secs(30));
        assert_eq!(std::iter::repeat_with(|| pace.next_pause()).nth(6), Some(Duration::from_secs(30)));
    }
}
