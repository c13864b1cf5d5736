//! Time for decisions: since boot, suspended time included; or virtual.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point in time on the boot-time clock. Wall time is for display only: a Raspberry Pi has no clock battery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Moment(Duration);

impl Moment {
    /// This long after boot.
    #[must_use]
    pub const fn after_boot(time: Duration) -> Self {
        Self(time)
    }

    /// Time since boot.
    #[must_use]
    pub const fn since_boot(self) -> Duration {
        self.0
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;
    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;
    fn sub(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time))
    }
}
