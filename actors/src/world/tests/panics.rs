//! Panics while what an actor wants done is done.

use std::time::Duration;

use super::storms::seeds;
use crate::message::{ActorId, DaemonExit, GaveUp};
use crate::world::coverage::Losses;
use crate::world::environment::Command;
use crate::world::faults::{Doom, Loss, Strikes, Weather};
use crate::world::{Trial, World, stations};

const STORM: Duration = Duration::from_secs(240);
/// Who wants something of this kind done so often has it lost now and then.
const OFTEN: u32 = 1500;
/// Among so many things that an actor wants done, so many panics strike each sooner or later.
const STRUCK: u32 = 12;

#[test]
fn whatever_an_actor_wants_done_is_lost_in_some_panic_wherever_it_stands_among_the_rest() {
    let mut losses = Losses::default();
    for seed in seeds(40) {
        for weather in [Weather::panicking(), Weather::hopeless()] {
            let report = Trial::of(weather, STORM).run(&stations::random(seed), seed);
            losses.and(report.unwrap_or_else(|failure| panic!("{failure}")).losses);
        }
    }
    let never = losses.kinds.iter().filter(|(_, (done, lost))| *done > OFTEN && *lost == 0);
    assert_eq!(never.collect::<Vec<_>>(), []);
    let most = losses.places.keys().map(|(_, of)| *of).max().unwrap_or_default();
    let mut judged = 0;
    for of in 2..=most {
        let struck = |number: usize| losses.places.get(&(number, of)).copied().unwrap_or_default();
        if (0..of).map(struck).sum::<u32>() >= STRUCK * u32::try_from(of).unwrap() {
            assert!((0..of).all(|number| struck(number) > 0), "of {of} effects some are never struck: {losses:?}");
            judged += 1;
        }
    }
    assert!(judged > 2, "{losses:?}");
}

/// Lets the actor of this service panic over its next message, with half of an effect done.
fn doom(world: &mut World, service: &str, acts: usize) {
    let actor = world.engine.place(&ActorId::Service(service.parse().unwrap())).unwrap();
    world.doomed = Some(Doom::next(actor).at(Strikes::During(Loss::Half(acts))));
}

#[test]
fn mainstay_gives_up_when_its_executor_panics_over_half_of_what_an_actor_wants_done() {
    let name = "only".parse().unwrap();
    let gives_up = |acts: usize, seed: u64| {
        let station = stations::assemble(&[], vec![stations::Draft::new("only")]);
        let mut world = World::in_weather(&station, seed, Weather::still());
        let run_for = |world: &mut World, time| world.run_for(time).unwrap_or_else(|failure| panic!("{failure}"));
        run_for(&mut world, Duration::from_secs(120));
        doom(&mut world, "only", acts);
        world.command(&name, Command::Restart);
        run_for(&mut world, Duration::from_secs(120));
        match world.ended() {
            Some(DaemonExit::GaveUp(GaveUp::PartLost(lost))) => lost.part == "executor",
            _ => false,
        }
    };
    // With control groups there are two things to do, a signal and a look, and without them one.
    let times = |acts| (0..12).filter(|seed| gives_up(acts, *seed)).count();
    assert_eq!(times(0), 12);
    assert!((3..12).contains(&times(1)));
    assert_eq!(times(2), 0, "nothing is half done");
}
