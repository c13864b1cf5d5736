//! What keeps a device out of use outlives a panic of its actor, whatever that panics over.

use std::time::Duration;

use mainstay_config::model::{DeviceKind, Sharing};

use crate::message::ActorId;
use crate::message::device::DeviceStatus;
use crate::world::World;
use crate::world::faults::Doom;
use crate::world::stations::{Draft, assemble};

fn run(world: &mut World, seconds: u64) {
    world.run_for(Duration::from_secs(seconds)).unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn a_device_in_quarantine_stays_there_over_a_panic_of_its_actor_and_comes_back_when_its_time_is_over() {
    for seed in 0..200 {
        let service = Draft::new("user").device("hackrf", Sharing::Exclusive);
        let mut world = World::new(&assemble(&[("hackrf", DeviceKind::Hackrf)], vec![service]), seed);
        let name = world.environment().station().devices.keys().next().unwrap().clone();
        let status = |world: &World| world.shown().devices[&name].status;
        for _ in 0..20 {
            world.plug(&name);
            run(&mut world, 3);
            world.unplug(&name);
            run(&mut world, 1);
            if status(&world) == DeviceStatus::Quarantined {
                break;
            }
        }
        // For 30 s, which began at most 1 s ago.
        assert_eq!(status(&world), DeviceStatus::Quarantined, "seed {seed}");
        world.doomed = world.engine.place(&ActorId::Device(name.clone())).map(Doom::next);
        world.plug(&name);
        run(&mut world, 25);
        assert!(world.doomed.is_none(), "seed {seed}: it has not panicked");
        assert_eq!(status(&world), DeviceStatus::Quarantined, "seed {seed}");
        run(&mut world, 15);
        assert_eq!(status(&world), DeviceStatus::InUse, "seed {seed}");
    }
}
