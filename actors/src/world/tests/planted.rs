//! Every checker catches the bugs that are planted for it, and no other does.

use std::time::Duration;

use crate::world::checkers::{AT_ONE_MOMENT, Check};
use crate::world::faults::Sabotage;
use crate::world::{Failure, Trial, World, stations};

const STORM: Duration = Duration::from_secs(240);
/// In so many of the first worlds each bug must be caught by its checker, and by no other when that does not look.
const WORLDS: usize = 3;
const SEEDS: u64 = 200;

fn trial(sabotage: Sabotage, without: Option<Check>) -> Trial {
    Trial { sabotage: Some(sabotage), without, ..Trial::of(sabotage.weather(), STORM) }
}

/// What goes on for ever is looked at for so many messages at one moment.
const FOR_EVER: u64 = 2 * AT_ONE_MOMENT as u64;

/// A world without the checker that sees that it goes on for ever, and with all others.
fn as_long_as_it_takes_to_see_it(sabotage: Sabotage, seed: u64) -> Result<(), Failure> {
    let world = World::in_weather(&stations::demo(), seed, sabotage.weather()).sabotaged(Some(sabotage));
    let mut world = world.without(Some(Check::Livelock));
    world.run_for(STORM)?;
    world.be_still();
    world.run_for(Duration::from_secs(3600))?;
    world.when_quiet()?;
    world.close();
    let (mut at, mut since) = (world.now, world.journal.handled());
    while world.journal.handled() - since < FOR_EVER {
        assert!(world.step(at + STORM) && world.ended().is_none(), "seed {seed} does not go on for ever");
        if let Some(failure) = world.failed.take() {
            return Err(failure);
        }
        if world.now > at {
            (at, since) = (world.now, world.journal.handled());
        }
    }
    Ok(())
}

#[test]
fn every_checker_catches_a_planted_bug_that_no_other_catches() {
    for check in Check::ALL {
        let sabotage = check.planted();
        assert_eq!(sabotage.caught_by(), *check);
        let failed = |seed| Some((seed, trial(sabotage, None).run(&stations::demo(), seed).err()?));
        let caught: Vec<_> = (0..SEEDS).filter_map(failed).take(WORLDS).collect();
        assert_eq!(caught.len(), WORLDS, "{sabotage:?} is caught too seldom");
        for (seed, failure) in caught {
            assert_eq!(failure.check, *check, "{sabotage:?} is to be caught by {check:?} alone: {failure}");
            let others = match check {
                // Without that checker such a world never ends.
                Check::Livelock => as_long_as_it_takes_to_see_it(sabotage, seed),
                _ => trial(sabotage, Some(*check)).run(&stations::demo(), seed).map(drop),
            };
            if let Err(other) = others {
                panic!("{sabotage:?} is to be caught by {check:?} alone: {other}");
            }
        }
    }
}

#[test]
fn every_planted_bug_is_caught_by_its_checker() {
    for sabotage in Sabotage::ALL {
        let trial = trial(*sabotage, None);
        let mut caught = (0..400).filter_map(|seed| trial.run(&stations::demo(), seed).err());
        let check = sabotage.caught_by();
        assert!(caught.any(|failure| failure.check == check), "{sabotage:?} was not caught by {check:?}");
    }
}
