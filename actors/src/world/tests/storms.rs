//! Whatever goes wrong, the invariants hold.

use std::time::Duration;

use mainstay_config::model::Station;

use crate::world::faults::Weather;
use crate::world::{Failure, Keep, Trial, stations};

/// The seeds to try: so many; or those that `MAINSTAY_SEEDS` says, as `3000` or as `3000..6000`; or only the one of `MAINSTAY_SEED`.
pub(super) fn seeds(count: u64) -> Vec<u64> {
    let number = |text: &str| text.parse::<u64>().ok();
    if let Some(seed) = std::env::var("MAINSTAY_SEED").ok().as_deref().and_then(number) {
        return vec![seed];
    }
    let said = std::env::var("MAINSTAY_SEEDS").unwrap_or_default();
    let (from, to) = said.split_once("..").unwrap_or(("0", &said));
    (number(from).unwrap_or(0)..number(to).unwrap_or(count)).collect()
}

/// So many failures are enough.
const MOST_FAILURES: usize = 20;

/// A single seed is shown with all its messages; of many, the first that fails, and what the others break.
fn endure(trial: &Trial, station: impl Fn(u64) -> Station, count: u64) {
    let seeds = seeds(count);
    let keep = if seeds.len() == 1 { Keep::All } else { trial.keep };
    let trial = Trial { keep, ..trial.clone() };
    let failures = seeds.into_iter().filter_map(|seed| trial.run(&station(seed), seed).err());
    let failures: Vec<Failure> = failures.take(MOST_FAILURES).collect();
    let Some((first, others)) = failures.split_first() else { return };
    let others: String = others.iter().map(|other| format!("\nseed {}: {}", other.seed, other.words)).collect();
    panic!("{first}{others}");
}

const STORM: Duration = Duration::from_secs(240);

#[test]
fn a_station_like_the_demo_endures_rough_weather() {
    endure(&Trial::of(Weather::rough(), STORM), |_| stations::demo(), 100);
}

#[test]
fn a_station_like_the_demo_endures_panics() {
    endure(&Trial::of(Weather::panicking(), STORM), |_| stations::demo(), 100);
}

#[test]
fn random_stations_endure_rough_weather() {
    endure(&Trial::of(Weather::rough(), STORM), stations::random, 100);
}

#[test]
fn random_stations_endure_panics() {
    endure(&Trial::of(Weather::panicking(), STORM), stations::random, 100);
}

#[test]
fn a_station_like_the_demo_endures_that_mainstay_is_killed() {
    endure(&Trial::of(Weather::deadly(), STORM), |_| stations::demo(), 100);
}

#[test]
fn random_stations_endure_that_mainstay_is_killed() {
    endure(&Trial::of(Weather::deadly(), STORM), stations::random, 100);
}

#[test]
fn random_stations_endure_more_than_they_can_settle() {
    endure(&Trial::of(Weather::frantic(), STORM), stations::random, 100);
}

#[test]
fn random_stations_endure_more_than_they_can_settle_and_panics() {
    endure(&Trial::of(Weather::hopeless(), STORM), stations::random, 100);
}

#[test]
fn random_stations_endure_an_executor_that_is_held_up() {
    endure(&Trial::of(Weather::clogged(), STORM), stations::random, 100);
}

#[test]
fn the_same_seed_gives_the_same_journal() {
    let trial = Trial { keep: Keep::All, ..Trial::of(Weather::panicking(), STORM) };
    for seed in seeds(3).into_iter().take(20) {
        let station = stations::random(seed);
        let journals =
            [(); 2].map(|()| trial.run(&station, seed).unwrap_or_else(|failure| panic!("{failure}")).journal);
        assert!(!journals[0].is_empty());
        assert!(journals[0] == journals[1], "seed {seed} went two ways");
    }
}
