//! Every checker catches the bugs that are planted for it.

use std::time::Duration;

use crate::world::faults::Sabotage;
use crate::world::{Trial, stations};

#[test]
fn every_planted_bug_is_caught_by_the_checker_of_the_invariant_that_it_breaks() {
    for sabotage in Sabotage::ALL {
        let trial = Trial { sabotage: Some(sabotage), ..Trial::of(sabotage.weather(), Duration::from_secs(240)) };
        let caught = (0..400).filter_map(|seed| trial.run(&stations::demo(), seed).err());
        let as_planted = caught.map(|failure| failure.invariant).any(|broken| broken == sabotage.breaks());
        assert!(as_planted, "{sabotage:?} was not caught by the checker of invariant {}", sabotage.breaks());
    }
}
