//! The executor's rules are part of the world: what goes wrong in them, or below them, shows in what is true of processes.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::world::environment::Lie;
use crate::world::faults::Weather;
use crate::world::{World, stations};

const STORM: Duration = Duration::from_secs(240);
const QUIET: Duration = Duration::from_secs(3600);

/// The invariants that are found broken when the kernel lies.
fn broken_by(lie: Lie) -> BTreeSet<u8> {
    let mut broken = BTreeSet::new();
    for seed in 0..60 {
        let mut world = World::in_weather(&stations::demo(), seed, Weather::rough());
        world.environment.plant(lie);
        let run = world.run_for(STORM).and_then(|()| {
            world.be_still();
            world.run_for(QUIET)?;
            world.when_quiet()
        });
        broken.extend(run.err().map(|failure| failure.invariant));
    }
    broken
}

#[test]
fn that_a_run_is_said_to_be_over_while_a_process_of_it_lives_is_caught() {
    assert!(broken_by(Lie::EmptyRoll).contains(&1));
}

#[test]
fn that_a_tree_is_not_killed_to_its_last_process_is_caught() {
    assert_eq!(broken_by(Lie::NoSecondSweep), BTreeSet::from([2]));
}

#[test]
fn that_the_end_of_a_process_is_never_heard_of_is_caught() {
    assert!(broken_by(Lie::SilentEnds).contains(&4));
}

#[test]
fn when_nothing_is_under_way_devices_in_use_are_kept_awake_and_the_others_sleep_as_they_could_before() {
    let mut judged = 0;
    for seed in 0..60 {
        let mut world = World::in_weather(&stations::random(seed), seed, Weather::panicking());
        world.run_for(STORM).unwrap_or_else(|failure| panic!("{failure}"));
        world.be_still();
        world.run_for(QUIET).unwrap_or_else(|failure| panic!("{failure}"));
        if world.ended().is_some() {
            continue;
        }
        assert_eq!(world.environment().wrong_sleep(), None, "seed {seed}");
        judged += 1;
    }
    assert!(judged > 20, "only {judged}");
}
