//! The storms try most of what can be; what they do not try is told.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Duration;

use mainstay_config::model::Station;

use super::lives::{self, Story, haunted_life};
use super::storms::seeds;
use crate::message::Outcome;
use crate::service::chart::{Is, Told};
use crate::world::coverage::Mark;
use crate::world::faults::Weather;
use crate::world::{Keep, Trial, World, stations};

/// So many seeds are tried every time.
const SEEDS: u64 = 40;
/// For each of them, so many short lives of mainstay that are ended in the midst of a storm.
const LIVES: u64 = 10;
/// What is reached in fewer trials is told as well.
const SELDOM: u32 = 3;

/// So many that can be may never be tried.
const MISSED: usize = 18;

/// A storm, quiet, and the end.
fn long_life(weather: Weather, station: &Station, seed: u64, is_alone: bool) -> BTreeSet<Mark> {
    let keep = if is_alone { Keep::All } else { Keep::Last(120) };
    let trial = Trial { keep, ..Trial::of(weather, Duration::from_secs(240)) };
    trial.run(station, seed).unwrap_or_else(|failure| panic!("{failure}")).reached
}

/// A storm, in which mainstay is told to end, twice, and then to hurry.
fn short_life(weather: Weather, seed: u64) -> BTreeSet<Mark> {
    let mut world = World::in_weather(&stations::random(seed), seed, weather);
    let wait = |world: &mut World, most: u64| {
        let time = world.random.between(Duration::ZERO, Duration::from_secs(most));
        world.run_for(time).unwrap_or_else(|failure| panic!("{failure}"));
    };
    wait(&mut world, 60);
    world.close();
    wait(&mut world, 2);
    world.close();
    wait(&mut world, 10);
    world.hurry();
    wait(&mut world, 30);
    world.reached
}

#[test]
fn most_of_what_can_be_is_tried_by_the_storms_and_the_rest_is_told() {
    let mut reached: BTreeMap<Mark, u32> = BTreeMap::new();
    let seeds = seeds(SEEDS);
    let mut note = |marks: BTreeSet<Mark>| marks.into_iter().for_each(|mark| *reached.entry(mark).or_default() += 1);
    for seed in seeds.iter().copied() {
        for weather in [Weather::panicking(), Weather::hopeless(), Weather::feeble(), Weather::deadly()] {
            for station in [stations::demo(), stations::random(seed)] {
                note(long_life(weather.clone(), &station, seed, seeds.len() == 1));
            }
        }
        for story in Story::ALL {
            (0..lives::LIVES).for_each(|number| note(haunted_life(story, seed, number)));
        }
        for life in seed * LIVES..(seed + 1) * LIVES {
            for weather in [Weather::sluggish(), Weather::feeble(), Weather::fatal(), Weather::stuck()] {
                note(short_life(weather, life));
            }
        }
    }
    let possible: Vec<Mark> = Mark::all().into_iter().filter(|mark| mark.impossible().is_none()).collect();
    let times = |mark: &Mark| reached.get(mark).copied().unwrap_or_default();
    // Not by `println!`: this is to be read although the test passes.
    let mut list = format!("of {} pairs, tried seldom or never:\n", possible.len());
    for mark in possible.iter().filter(|mark| times(mark) <= SELDOM) {
        list += &format!("  {} x {mark:?}\n", times(mark));
    }
    std::io::stdout().write_all(list.as_bytes()).unwrap();
    let overtakes = possible.iter().filter(|mark| matches!(mark, Mark::Overtakes(_)));
    overtakes.for_each(|mark| assert!(times(mark) > 0, "no timer came before mail: {mark:?}"));
    let never = possible.iter().filter(|mark| times(mark) == 0).count();
    assert!(never <= MISSED || (seeds.len() as u64) < SEEDS, "{never} of {} were never tried", possible.len());
}

#[test]
#[should_panic(expected = "Service(Slotting, SlotGranted) was superseded, and is said to be Handled")]
fn a_pair_that_was_forgotten_and_is_let_go_shows_where_it_is_reached() {
    let mut world = World::new(&stations::demo(), 1);
    world.marked = Some(Mark::Service(Is::Slotting, Told::SlotGranted));
    world.mark_taken(Outcome::Superseded);
}
