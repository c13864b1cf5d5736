//! An actor whose turn it is when nobody else has anything to do, and not before, or that lags: not even then. Its mail crosses what it
//! has sent itself.

use std::time::Duration;

use super::super::World;
use crate::engine::Place;
use crate::message::{ActorId, Moment};

/// For how long, where it is not kept from its turn in any case.
const LONGEST: Duration = Duration::from_millis(500);

impl World {
    pub(super) fn starve_somebody(&mut self) {
        let mut places: Vec<Place> = self.engine.places().collect();
        if self.random.happens(400) {
            // What crosses the mail of a device is seldom otherwise: little is said to it.
            let is_device = |place: &Place| matches!(self.engine.actor(*place), Some(ActorId::Device(_)));
            places.retain(is_device);
        }
        let until = self.now + self.random.between(Duration::ZERO, self.weather.lag.unwrap_or(LONGEST));
        self.starving = self.random.choose(&places).map(|actor| (*actor, until));
    }

    /// Until when nobody has his turn, since only one has mail who lags.
    pub(in super::super) fn all_lag_until(&self) -> Option<Moment> {
        let (starving, until) = self.starving.filter(|(_, until)| self.weather.lag.is_some() && *until > self.now)?;
        (self.ready == [starving]).then_some(until)
    }

    /// Whose turn it is, by his place among those who have something to handle.
    pub(in super::super) fn whose_turn(&mut self) -> Option<usize> {
        let starves = |(actor, until): (Place, Moment)| (until > self.now).then_some(actor);
        let Some(starving) = self.starving.and_then(starves) else {
            return (!self.ready.is_empty()).then(|| self.random.below(self.ready.len()));
        };
        let others: Vec<usize> =
            self.ready.iter().enumerate().filter(|(_, actor)| **actor != starving).map(|(at, _)| at).collect();
        self.random.choose(&others).copied().or_else(|| self.ready.iter().position(|actor| *actor == starving))
    }
}
