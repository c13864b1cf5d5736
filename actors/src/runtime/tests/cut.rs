//! A cut of real actors goes on in the simulated world.

use super::*;
use crate::message::service::NeedsPolicy;
use crate::world::World;
use crate::world::environment::Command;

#[tokio::test(flavor = "local", start_paused = true)]
async fn a_cut_of_real_actors_goes_on_in_the_simulated_world() {
    let rig = begin(STATION);
    a_while().await;
    rig.bus.unplug("hackrf").unwrap();
    a_while().await;
    let logger = rig.system.service("logger").unwrap();
    for _ in 0..3 {
        let name = logger.clone();
        rig.system.operator(|id| Message::Service(name, ServiceMessage::Start(id, NeedsPolicy::StartThem)));
        a_while().await;
    }

    let station = mainstay_config::parse("test.toml", STATION).unwrap().station;
    let mut world = World::from_cut(&station, rig.system.cut(), 1);
    let both_become = |world: &mut World, status| {
        world.run_for(Duration::from_secs(60)).unwrap_or_else(|failure| panic!("{failure}"));
        let shown = |name: &str| world.shown().services.get(name).unwrap().status;
        assert_eq!((shown("openwebrx"), shown("logger")), (status, status));
    };
    world.plug(&"hackrf".parse().unwrap());
    both_become(&mut world, ServiceStatus::Running);
    for name in ["logger", "openwebrx"] {
        world.command(&name.parse().unwrap(), Command::Stop);
    }
    both_become(&mut world, ServiceStatus::Held);
    // It is a later request than those before the cut.
    world.command(&logger, Command::StartWithNeeds);
    both_become(&mut world, ServiceStatus::Running);
}
