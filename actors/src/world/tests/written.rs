//! Everything that is said can be written down and read back.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use crate::engine::Letter;
use crate::message::{Described, Message, round_trip};
use crate::world::checkers::{Check, Checker, Verdict};
use crate::world::environment::Environment;
use crate::world::faults::Weather;
use crate::world::{World, stations};

/// Writes down every message, and reads it back. What sorts of messages there were.
struct Written(Rc<RefCell<BTreeSet<&'static str>>>);

impl Checker for Written {
    fn check(&self) -> Check {
        Check::Replay
    }

    fn sent(&mut self, letter: &Letter, _environment: &Environment) -> Verdict {
        round_trip::survives(&letter.message);
        self.0.borrow_mut().insert(kind(&letter.message));
        Ok(())
    }
}

fn kind(message: &Message) -> &'static str {
    match message {
        Message::Root(message) => message.kind(),
        Message::Hardware(message) => message.kind(),
        Message::Device(_, message) => message.kind(),
        Message::Leases(message) => message.kind(),
        Message::Services(message) => message.kind(),
        Message::Service(_, message) => message.kind(),
    }
}

#[test]
fn every_message_of_a_storm_can_be_written_down_and_read_back() {
    let kinds = Rc::new(RefCell::default());
    for seed in 0..20 {
        for weather in [Weather::rough(), Weather::panicking()] {
            let mut world = World::in_weather(&stations::random(seed), seed, weather);
            world.checkers = vec![Box::new(Written(Rc::clone(&kinds)))];
            world.run_for(Duration::from_secs(120)).unwrap_or_else(|failure| panic!("{failure}"));
        }
    }
    assert!(kinds.borrow().len() > 40, "only {:?}", kinds.borrow());
}

#[test]
fn all_machines_with_their_mail_and_timers_can_be_written_down_in_a_storm_and_go_on_from_that_as_they_would_have() {
    for seed in 0..10 {
        let station = stations::random(seed);
        let [mut one, mut other] = [(); 2].map(|()| World::in_weather(&station, seed, Weather::panicking()));
        for _ in 0..60 {
            for world in [&mut one, &mut other] {
                world.run_for(Duration::from_secs(2)).unwrap_or_else(|failure| panic!("{failure}"));
            }
            let written = serde_json::to_string(&other.engine).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            other.engine = serde_json::from_str(&written).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert_eq!(format!("{:?}", other.engine), format!("{:?}", one.engine), "seed {seed}");
        }
    }
}
