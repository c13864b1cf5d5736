//! Whatever goes wrong, the invariants hold.

use std::time::Duration;

use mainstay_config::model::Station;

use crate::world::faults::Weather;
use crate::world::{Keep, Trial, stations};

/// The seeds to try: so many; or as many as `MAINSTAY_SEEDS` says; or only the one of `MAINSTAY_SEED`.
pub(super) fn seeds(count: u64) -> Vec<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("MAINSTAY_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("MAINSTAY_SEEDS").unwrap_or(count)).collect(),
    }
}

/// A single seed is shown with all its messages.
fn endure(trial: &Trial, station: impl Fn(u64) -> Station, count: u64) {
    let seeds = seeds(count);
    let keep = if seeds.len() == 1 { Keep::All } else { trial.keep };
    for seed in seeds {
        if let Err(failure) = (Trial { keep, ..trial.clone() }).run(&station(seed), seed) {
            panic!("{failure}");
        }
    }
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
fn random_stations_endure_more_than_they_can_settle() {
    endure(&Trial::of(Weather::frantic(), STORM), stations::random, 100);
}

#[test]
fn random_stations_endure_more_than_they_can_settle_and_panics() {
    endure(&Trial::of(Weather::hopeless(), STORM), stations::random, 100);
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
