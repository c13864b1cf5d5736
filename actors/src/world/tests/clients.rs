//! More ask than can be attended to.

use std::time::Duration;

use mainstay_config::names::ServiceName;

use crate::message::COMMANDS_MAX;
use crate::world::environment::Command;
use crate::world::{World, stations};

#[test]
fn whoever_asks_past_the_bound_is_told_that_mainstay_is_busy_and_every_other_is_answered() {
    let mut world = World::new(&stations::demo(), 1);
    let gpsd = ServiceName::new("gpsd").unwrap();
    for _ in 0..COMMANDS_MAX + 100 {
        world.command(&gpsd, Command::Restart);
    }
    assert_eq!((world.unanswered(), world.unread()), (COMMANDS_MAX, COMMANDS_MAX));
    world.run_for(Duration::from_secs(1)).unwrap();
    assert_eq!(world.unanswered(), 0);
    world.command(&gpsd, Command::Stop);
    assert_eq!(world.unanswered(), 1, "there is room again");
}
