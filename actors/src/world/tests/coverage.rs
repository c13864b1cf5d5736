//! The storms try nearly everything that can be; what they do not try is known.

use std::collections::BTreeMap;
use std::time::Duration;

use super::storms::seeds;
use crate::world::coverage::Mark;
use crate::world::faults::Weather;
use crate::world::{Trial, stations};

/// So many seeds are tried every time.
const SEEDS: u64 = 30;
/// What is reached in fewer trials is told as well.
const SELDOM: u32 = 3;

/// What can be and is never tried, or too seldom to count on it.
const KNOWN: &[&str] = &[];

#[test]
fn nearly_all_that_can_be_is_tried_by_the_storms_and_the_rest_is_known() {
    let mut reached: BTreeMap<Mark, u32> = BTreeMap::new();
    let seeds = seeds(SEEDS);
    for seed in seeds.iter().copied() {
        for weather in [Weather::panicking(), Weather::hopeless(), Weather::sluggish(), Weather::deadly()] {
            let trial = Trial::of(weather, Duration::from_secs(240));
            for station in [stations::demo(), stations::random(seed)] {
                let report = trial.run(&station, seed).unwrap_or_else(|failure| panic!("{failure}"));
                report.reached.into_iter().for_each(|mark| *reached.entry(mark).or_default() += 1);
            }
        }
    }
    let possible: Vec<Mark> = Mark::all().into_iter().filter(|mark| mark.impossible().is_none()).collect();
    let times = |mark: &Mark| reached.get(mark).copied().unwrap_or_default();
    println!("of {}:", possible.len());
    for mark in possible.iter().filter(|mark| times(mark) <= SELDOM) {
        println!("  {} x {mark:?}", times(mark));
    }
    let never = possible.iter().filter(|mark| times(mark) == 0).map(|mark| format!("{mark:?}"));
    let new: Vec<String> = never.filter(|mark| !KNOWN.contains(&mark.as_str())).collect();
    assert!(new.is_empty() || (seeds.len() as u64) < SEEDS, "never tried: {new:#?}");
}
