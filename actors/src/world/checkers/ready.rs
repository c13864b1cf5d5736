//! Invariant 4: a program that is ready is not given up for not being so. What it is looked at by, or says, is lost with no panic.

use std::time::Duration;

use mainstay_config::model::Probe;

use super::{Check, Checker, Verdict};
use crate::engine::Letter;
use crate::message::Message;
use crate::message::service::{ServiceMessage, ServiceTimer};
use crate::world::environment::{Environment, Tree};

/// How long it may take to see: a birth is heard of late, a look hangs, its task panics, and the next one hangs as well.
const SEEN_WITHIN: Duration = Duration::from_secs(15);

pub(super) struct Ready;

impl Checker for Ready {
    fn check(&self) -> Check {
        Check::Ready
    }

    fn handled(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        let Message::Service(name, ServiceMessage::Timer(ServiceTimer::ReadyWithin)) = &letter.message else {
            return Ok(());
        };
        // A command that is asked may itself not be started.
        let spec = environment.station().services.get(name);
        let is_seen = spec.is_some_and(|spec| !matches!(spec.ready.probe, Probe::Exec { .. }));
        let is_long_ready = |tree: &Tree| environment.ready_for(tree).is_some_and(|time| time > SEEN_WITHIN);
        match environment.trees_of(name).find(|tree| is_seen && is_long_ready(tree)) {
            Some(tree) => Err(format!("{name} (pid {}) is ready, and given up since nobody has seen that", tree.pid)),
            None => Ok(()),
        }
    }
}
