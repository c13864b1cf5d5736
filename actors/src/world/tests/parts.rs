//! Parts of mainstay that begin anew by themselves when they panic, or have more to do than there is room for.

use std::time::Duration;

use mainstay_config::model::{DeviceKind, Probe, Station};
use mainstay_config::template::Template;

use crate::effect::check_commands::is_command;
use crate::message::device::DeviceStatus;
use crate::message::service::ServiceStatus;
use crate::world::checkers::Check;
use crate::world::environment::{Consequences, Lie};
use crate::world::faults::Weather;
use crate::world::{World, stations};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn run_for(world: &mut World, time: Duration) {
    world.run_for(time).unwrap_or_else(|failure| panic!("{failure}"));
}

/// With all its devices plugged in, and used by nobody.
fn plugged_in(weather: Weather) -> World {
    let station = stations::assemble(&NAMES.map(|name| (name, DeviceKind::Serial)), Vec::new());
    let mut world = World::in_weather(&station, 1, weather);
    NAMES.iter().for_each(|name| world.plug(&name.parse().unwrap()));
    run_for(&mut world, Duration::from_secs(60));
    assert_eq!(absent(&world), 0);
    world
}

fn unplug_all(world: &mut World) {
    NAMES.iter().for_each(|name| world.unplug(&name.parse().unwrap()));
}

fn absent(world: &World) -> usize {
    world.shown().devices.values().filter(|device| device.status == DeviceStatus::Absent).count()
}

#[test]
fn what_leaves_while_nobody_watches_hardware_is_missed_by_the_next_watch() {
    let mut world = plugged_in(Weather::still());
    let mut so = Consequences::default();
    world.environment.watch_panics(&mut so);
    world.follow(so);
    unplug_all(&mut world);
    run_for(&mut world, Duration::from_millis(199));
    assert_eq!(absent(&world), 0, "nobody has heard of it");
    run_for(&mut world, Duration::from_secs(5));
    assert_eq!(absent(&world), NAMES.len());
}

#[test]
fn what_does_not_fit_into_the_queue_of_hardware_events_is_looked_for_when_there_is_room() {
    let mut world = plugged_in(Weather { passes_late: 1000, ..Weather::still() });
    unplug_all(&mut world);
    // The first two are passed on at the latest half a second after they were heard.
    run_for(&mut world, Duration::from_millis(900));
    assert!(absent(&world) < NAMES.len(), "the others were lost");
    run_for(&mut world, Duration::from_secs(5));
    assert_eq!(absent(&world), NAMES.len());
}

fn checked_by_a_command() -> Station {
    let checked = stations::Draft::new("only").ready(Probe::Exec { command: vec![Template::literal("check")] });
    stations::assemble(&[], vec![checked])
}

#[test]
fn the_command_of_a_look_that_panics_is_killed() {
    let commands = |world: &World| world.environment().trees().filter(|(run, _)| is_command(**run)).count();
    // Commands hang, and are given up long after.
    let weather = Weather { probes_hang: 1000, ..Weather::still() };
    let mut world = World::in_weather(&checked_by_a_command(), 1, weather);
    run_for(&mut world, Duration::from_secs(2));
    assert_eq!(commands(&world), 1);
    let mut so = Consequences::default();
    world.environment.probe_panics(&mut so);
    world.follow(so);
    run_for(&mut world, Duration::from_millis(150));
    assert_eq!(commands(&world), 0);
    run_for(&mut world, Duration::from_secs(1));
    assert_eq!(commands(&world), 1, "it is looked again");
}

#[test]
fn what_a_look_has_seen_is_said_though_the_task_panics_over_it() {
    for seed in 0..12 {
        let station = stations::assemble(&[], vec![stations::Draft::new("only")]);
        let mut world = World::in_weather(&station, seed, Weather::still());
        while world.environment().watched().is_empty() {
            run_for(&mut world, Duration::from_millis(1));
        }
        let mut so = Consequences::default();
        world.environment.probe_panics(&mut so);
        world.follow(so);
        run_for(&mut world, Duration::from_secs(10));
        let status = world.shown().services.values().next().map(|shown| shown.status);
        assert_eq!(status, Some(ServiceStatus::Running), "seed {seed}");
        assert!(world.environment().watched().is_empty(), "seed {seed}: it is looked at although that was said");
    }
}

#[test]
fn mainstay_can_be_killed_over_what_it_has_decided_to_say_of_a_run_before_that_is_said() {
    let deaths = |acts: usize| {
        let station = stations::assemble(&[], vec![stations::Draft::new("only")]);
        let mut world = World::in_weather(&station, 1, Weather::still());
        while world.environment().watched().is_empty() {
            run_for(&mut world, Duration::from_millis(1));
        }
        // Nothing but looks is under way.
        world.environment.kill_executor_after(acts);
        run_for(&mut world, Duration::from_secs(60));
        assert_eq!(world.shown().services.values().next().map(|shown| shown.status), Some(ServiceStatus::Running));
        world.deaths
    };
    // That it is not ready, and that it is: each is decided, and then told.
    assert_eq!([0, 1, 2, 3].map(deaths), [1; 4]);
}

#[test]
fn of_the_commands_that_look_at_a_service_one_is_loaded_at_a_time() {
    let overlap = |lie: Option<Lie>| {
        let judge = |seed: &u64| {
            // Their disk does not answer for long, and they cannot be killed meanwhile.
            let weather = Weather { loads_hang: 1000, unkillable: 1000, ..Weather::still() };
            let mut world = World::in_weather(&checked_by_a_command(), *seed, weather);
            lie.into_iter().for_each(|lie| world.environment.plant(lie));
            world.run_for(Duration::from_secs(60)).err().map(|failure| failure.check)
        };
        (0..12).filter_map(|seed| judge(&seed)).collect::<Vec<Check>>()
    };
    assert_eq!(overlap(None), []);
    let caught = overlap(Some(Lie::LoadTogether));
    assert!(caught.len() > 3 && caught.iter().all(|check| *check == Check::Calls), "{caught:?}");
}
