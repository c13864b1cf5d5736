//! Every checker catches the bugs that are planted for it, and no other does.

use std::time::Duration;

use crate::world::checkers::Check;
use crate::world::faults::Sabotage;
use crate::world::{Trial, stations};

const STORM: Duration = Duration::from_secs(240);
/// In so many of the first worlds each bug must be caught by its checker, and by no other when that does not look.
const WORLDS: usize = 3;
const SEEDS: u64 = 200;

fn trial(sabotage: Sabotage, without: Option<Check>) -> Trial {
    Trial { sabotage: Some(sabotage), without, ..Trial::of(sabotage.weather(), STORM) }
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
            // Without that checker such a world never ends.
            if *check == Check::Livelock {
                continue;
            }
            if let Err(other) = trial(sabotage, Some(*check)).run(&stations::demo(), seed) {
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
