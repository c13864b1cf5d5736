//! How often devices have really left: only as often as the rule for quarantine says may one be in quarantine, and for so long.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_config::model::Flap;
use mainstay_config::names::DeviceName;

use crate::cause::Quarantine;
use crate::message::Moment;

/// When too much is said at once, that a device has left is heard of so late.
const HEARD_WITHIN: Duration = Duration::from_secs(12);

/// As the rule has it (`device/flap.rs`).
const EARLY_DROP: Duration = Duration::from_secs(10);
const EARLY_DROPS: usize = 3;
const FORGIVEN: Duration = Duration::from_secs(600);
const DOUBLINGS_MAX: u32 = 5;

/// What one device has done since the operator vouched for it.
#[derive(Debug, Default)]
pub(super) struct Goings {
    left: Vec<Moment>,
    /// When leases of it began.
    leased: Vec<Moment>,
    /// Since when it is in quarantine, and for how long.
    quarantine: Option<(Moment, Duration)>,
}

impl Goings {
    /// The operator vouches for it. That it has just left may not have been heard yet, and counts then.
    pub(super) fn forget(&mut self, now: Moment) {
        self.left.retain(|left| now.since(*left) <= HEARD_WITHIN);
        self.leased.retain(|since| now.since(*since) <= HEARD_WITHIN + EARLY_DROP);
        self.quarantine = None;
    }

    pub(super) fn has_left(&mut self, now: Moment) {
        self.left.push(now);
    }

    pub(super) fn is_leased(&mut self, since: Moment) {
        self.leased.push(since);
    }

    /// It is said to be in quarantine; what is wrong with that.
    pub(super) fn is_quarantined(&mut self, now: Moment, why: &Quarantine, policy: Flap) -> Result<(), String> {
        let (Quarantine::Flapping { length, .. } | Quarantine::Power { length, .. }) = why;
        if self.quarantine.is_some_and(|(since, known)| known == *length && now.since(since) <= known + HEARD_WITHIN) {
            // It is said again, also when its actor panicked over its end.
            return Ok(());
        }
        let rightly = match why {
            Quarantine::Flapping { departures, within, .. } => {
                let left = self.left_within(self.left.len(), now, policy.within);
                *within == policy.within && *departures >= policy.departures.get() && left >= *departures as usize
            }
            Quarantine::Power { .. } => self.early_drops(self.left.len()) >= EARLY_DROPS,
        };
        let doublings = self.earlier_quarantines(policy).min(DOUBLINGS_MAX);
        let longest = policy.quarantine.saturating_mul(2u32.saturating_pow(doublings));
        if !rightly || *length > longest {
            return Err(format!("{why:?} at {now:?}, at most {longest:?}, but it left at {:?}", self.left));
        }
        self.quarantine = Some((now, *length));
        Ok(())
    }

    /// Until when it is in quarantine rightly.
    pub(super) fn until(&self) -> Option<Moment> {
        self.quarantine.map(|(since, length)| since + length)
    }

    /// How often it left before that, of the first so many times that it did. What it is heard of late counts all the same.
    fn left_within(&self, count: usize, now: Moment, within: Duration) -> usize {
        self.left.iter().take(count).filter(|left| now.since(**left) <= within + HEARD_WITHIN).count()
    }

    /// How often it left soon after a lease of it began.
    fn early_drops(&self, count: usize) -> usize {
        let is_early = |left: &&Moment| {
            self.leased.iter().any(|since| *since <= **left + HEARD_WITHIN && **left <= *since + EARLY_DROP)
        };
        self.left.iter().take(count).filter(is_early).count()
    }

    /// How many there may have been before this one, each of which doubles the next.
    fn earlier_quarantines(&self, policy: Flap) -> u32 {
        let mut quarantines: u32 = 0;
        let mut last: Option<Moment> = None;
        for (place, left) in self.left.iter().enumerate() {
            if last.is_some_and(|last| left.since(last) > FORGIVEN + HEARD_WITHIN) {
                quarantines = 0;
            }
            last = Some(*left);
            let often = self.left_within(place + 1, *left, policy.within) >= policy.departures.get() as usize;
            quarantines += u32::from(often || self.early_drops(place + 1) >= EARLY_DROPS);
        }
        quarantines.saturating_sub(1)
    }
}

/// Of all devices.
pub(super) type AllGoings = BTreeMap<DeviceName, Goings>;
