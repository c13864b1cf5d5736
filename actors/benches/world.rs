//! How much virtual time a world of thirty services goes through in a second of real time, on one core.
//! The budget (DESIGN section 13) is more than 1,000,000 virtual seconds. Run it with `cargo bench -p mainstay-actors --features world --bench world`.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a program that measures real time and prints a figure"
)]

use std::time::{Duration, Instant};

use mainstay_actors::world::faults::Weather;
use mainstay_actors::world::{Keep, World, stations};

const SERVICES: usize = 30;
const HOUR: Duration = Duration::from_secs(3600);
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

fn main() {
    let station = stations::big(SERVICES);
    for (name, weather, time) in [("calm", Weather::calm(), MONTH), ("rough", Weather::rough(), HOUR)] {
        let mut rates: Vec<f64> = (0..5).map(|seed| rate(&station, seed, &weather, time)).collect();
        rates.sort_by(f64::total_cmp);
        let median = rates.get(rates.len() / 2).copied().unwrap_or_default();
        println!("{SERVICES} services, {name} weather, every checker: {median:.0} virtual seconds per second");
    }
}

fn rate(station: &mainstay_config::model::Station, seed: u64, weather: &Weather, time: Duration) -> f64 {
    let mut world = World::in_weather(station, seed, weather.clone()).keeping(Keep::Nothing);
    let begin = Instant::now();
    world.run_for(time).expect("the invariants hold");
    let seconds = begin.elapsed().as_secs_f64();
    println!("seed {seed}: {} s in {seconds:.3} s, {} messages", time.as_secs(), world.journal().handled());
    time.as_secs_f64() / seconds
}
