//! The rules of which devices may sleep are part of the world: what goes wrong in them shows in what is true of devices.

use std::time::Duration;

use crate::message::service::ServiceStatus;
use crate::world::environment::{Command, Consequences};
use crate::world::faults::Weather;
use crate::world::{World, stations};

const STORM: Duration = Duration::from_secs(240);
const QUIET: Duration = Duration::from_secs(3600);

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

#[test]
fn in_a_hurry_what_is_known_by_its_control_group_is_killed_before_anybody_looks() {
    let weather = Weather { looks_late: 1000, ..Weather::still() };
    let is_killed_at_once = |seed: &u64| {
        let station = stations::assemble(&[], vec![stations::Draft::new("only")]);
        let mut world = World::in_weather(&station, *seed, weather.clone());
        let run_for = |world: &mut World, time| world.run_for(time).unwrap_or_else(|failure| panic!("{failure}"));
        run_for(&mut world, Duration::from_secs(60));
        assert_eq!(world.environment().trees().count(), 1);
        world.close();
        world.hurry();
        run_for(&mut world, Duration::from_millis(100));
        world.environment().trees().count() == 0
    };
    let killed: Vec<u64> = (0..12).filter(is_killed_at_once).collect();
    assert!(killed.len() > 3, "half of all have control groups, and at once was killed what runs in {killed:?}");
}

#[test]
fn the_end_of_a_service_is_told_although_others_leave_processes_to_us_all_the_time() {
    for seed in 0..6 {
        let name = "only".parse().unwrap();
        let station = stations::assemble(&[], vec![stations::Draft::new("only")]);
        let mut world = World::in_weather(&station, seed, Weather::still());
        let run_for = |world: &mut World, time| world.run_for(time).unwrap_or_else(|failure| panic!("{failure}"));
        run_for(&mut world, Duration::from_secs(60));
        world.command(&name, Command::Stop);
        // A look at all processes takes longer.
        for _ in 0..1000 {
            let mut so = Consequences::default();
            world.environment.leave_stranger(Duration::from_secs(1), &mut so);
            world.follow(so);
            run_for(&mut world, Duration::from_millis(5));
        }
        assert_eq!(world.shown().services[&name].status, ServiceStatus::Held, "seed {seed}");
    }
}

#[test]
fn mainstay_can_be_killed_between_any_two_things_that_its_executor_does() {
    // A signal, a look at who is left of it, and waiting for the process that has ended.
    for acts in 0..3 {
        let name = "only".parse().unwrap();
        let station = stations::assemble(&[], vec![stations::Draft::new("only")]);
        let mut world = World::in_weather(&station, 1, Weather::still());
        let run_for = |world: &mut World, time| world.run_for(time).unwrap_or_else(|failure| panic!("{failure}"));
        run_for(&mut world, Duration::from_secs(60));
        world.environment.kill_executor_after(acts);
        world.command(&name, Command::Stop);
        run_for(&mut world, Duration::from_secs(60));
        assert_eq!(world.deaths, 1, "after {acts}");
        assert_eq!(world.shown().services[&name].status, ServiceStatus::Held, "the next mainstay knows of the stop");
    }
}
