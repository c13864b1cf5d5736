//! Whoever haunts a station lies in wait for a moment, and does several things at once then.

use std::time::Duration;

use mainstay_config::model::Station;
use mainstay_config::names::{DeviceName, ServiceName};

use super::{MILLISECOND, SECOND, Story};
use crate::engine::AnyMachine;
use crate::message::{ActorId, Message};
use crate::world::environment::{Command, Consequences, DeviceCommand};
use crate::world::{Failure, Random, World};
use crate::{device, service};

/// How often something happens.
const ROUNDS: usize = 60;
/// How long a moment is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

const COMMANDS: [Command; 8] = [
    Command::Start,
    Command::Start,
    Command::StartIgnoringNeeds,
    Command::Stop,
    Command::Stop,
    Command::Restart,
    Command::Force,
    Command::Force,
];

/// Whoever haunts a station.
pub(super) struct Haunt {
    pub(super) services: Vec<ServiceName>,
    pub(super) devices: Vec<DeviceName>,
    pub(super) random: Random,
    story: Story,
    seed: u64,
}

impl Haunt {
    pub(super) fn of((story, seed): (Story, u64), station: &Station, random: Random) -> Self {
        let (services, devices) =
            (station.services.keys().cloned().collect(), station.devices.keys().cloned().collect());
        Self { services, devices, random, story, seed }
    }

    pub(super) fn haunt(&mut self, world: &mut World) {
        self.wait(world, SECOND * 6);
        let rounds = if self.story == Story::StuckAtTheEnd { ROUNDS / 12 } else { ROUNDS };
        for _ in 0..rounds {
            if self.random.happens(500) {
                self.follow_a_script(world, self.story);
            } else {
                self.let_happen(world);
            }
            let scales = [MILLISECOND * 20, MILLISECOND * 200, SECOND, SECOND, SECOND * 4, SECOND * 13];
            let scale = self.random.choose(&scales).copied();
            self.wait(world, scale.unwrap_or(SECOND));
        }
        if self.story == Story::StuckAtTheEnd {
            self.close(world);
        }
    }

    pub(super) fn wait(&mut self, world: &mut World, most: Duration) {
        let time = self.random.between(Duration::ZERO, most);
        world.run_for(time).unwrap_or_else(|failure| self.tell(&failure));
    }

    /// The seed of the failure is that of this life alone.
    fn tell(&self, failure: &Failure) -> ! {
        let Self { story, seed, .. } = self;
        panic!(
            "{failure}\nin a life of the story {story:?}; again with: MAINSTAY_SEED={seed} cargo test -p mainstay-actors coverage"
        )
    }

    /// Lets the world go on until something is so, or for a few seconds. Whether it is.
    pub(super) fn wait_until(&mut self, world: &mut World, is_so: impl Fn(&World) -> bool) -> bool {
        let until = world.now + PATIENCE;
        loop {
            if is_so(world) {
                return true;
            }
            if world.ended.is_some() || !world.step(until) {
                return false;
            }
            if let Some(failure) = world.failed.take() {
                self.tell(&failure);
            }
        }
    }

    /// Lets the world go on until some service is somewhere: which.
    pub(super) fn wait_for(&mut self, world: &mut World, all: &[service::chart::Is]) -> Option<ServiceName> {
        let mut services = self.services.clone();
        let first = self.random.below(services.len());
        services.rotate_left(first);
        let find = |world: &World| {
            let is_there = |name: &&ServiceName| service_is(world, name).is_some_and(|is| all.contains(&is));
            services.iter().find(is_there).cloned()
        };
        self.wait_until(world, |world| find(world).is_some());
        find(world)
    }

    /// Somebody lags or panics where some service or device is, and something is said or done in the same moment.
    fn let_happen(&mut self, world: &mut World) {
        let device = self.random.choose(&self.devices).cloned();
        let Some(service) = self.random.choose(&self.services).cloned() else { return };
        match &device {
            Some(device) if self.random.happens(400) => {
                if let Some(is) = self.random.choose(device::chart::Is::ALL).copied() {
                    self.wait_until(world, |world| device_is(world, device) == Some(is));
                }
            }
            _ => {
                if let Some(is) = self.random.choose(service::chart::Is::ALL).copied() {
                    self.wait_until(world, |world| service_is(world, &service) == Some(is));
                }
            }
        }
        if self.random.happens(500) {
            let (actor, time) = (self.somebody(&service, device.as_ref()), MILLISECOND * 400);
            let time = self.random.between(Duration::ZERO, time);
            lag(world, &actor, time);
        }
        if self.random.happens(200) {
            let actor = self.somebody(&service, device.as_ref());
            doom(world, &actor);
        }
        for _ in 0..=self.random.below(3) {
            match &device {
                Some(device) if self.random.happens(600) => self.trouble(world, device),
                _ => self.command(world, &service),
            }
            if self.random.happens(400) {
                self.wait(world, MILLISECOND * 20);
            }
        }
    }

    fn somebody(&mut self, service: &ServiceName, device: Option<&DeviceName>) -> ActorId {
        match (self.random.below(10), device) {
            (0..3, _) => ActorId::Leases,
            (3 | 4, _) => ActorId::Services,
            (5 | 6, Some(device)) => ActorId::Device(device.clone()),
            (7, Some(_)) => ActorId::Hardware,
            _ => ActorId::Service(service.clone()),
        }
    }

    /// The operator says something to a service.
    pub(super) fn command(&mut self, world: &mut World, service: &ServiceName) {
        world.command(service, self.random.choose(&COMMANDS).copied().unwrap_or(Command::Start));
    }

    /// A device is unplugged, plugged in, renamed, doubled, ejected, or taken back.
    pub(super) fn trouble(&mut self, world: &mut World, device: &DeviceName) {
        let mut so = Consequences::default();
        match self.random.below(12) {
            0..4 if world.environment.is_plugged(device) => world.unplug(device),
            0..6 => world.plug(device),
            6 if world.environment.is_radio(device) => world.environment.rename(device, &mut so),
            6 | 7 if world.environment.is_used(device) => world.environment.make_anew_by_user(device, &mut so),
            8 => world.environment.toggle_twin(device, &mut so),
            9 => world.command_device(device, DeviceCommand::Eject),
            _ => world.command_device(device, DeviceCommand::Admit),
        }
        world.follow(so);
    }

    /// Everything is to stop; something ends by itself meanwhile.
    fn close(&mut self, world: &mut World) {
        for _ in 0..2 {
            self.services.iter().for_each(|name| world.command(name, Command::Force));
            self.wait(world, SECOND * 8);
        }
        world.close();
        for _ in 0..20 {
            if self.random.happens(30) {
                world.hurry();
            }
            self.wait(world, SECOND * 4);
        }
    }
}

/// Somebody has no turn for a while.
pub(super) fn lag(world: &mut World, actor: &ActorId, time: Duration) {
    world.starving = world.engine.place(actor).map(|place| (place, world.now + time));
}

/// Somebody panics over the next message.
pub(super) fn doom(world: &mut World, actor: &ActorId) {
    if let Some(place) = world.engine.place(actor) {
        world.doom_over_next(place);
    }
}

/// Somebody panics over the next message, and again.
pub(super) fn doom_twice(world: &mut World, actor: &ActorId) {
    if let Some(place) = world.engine.place(actor) {
        world.doom_twice(place);
    }
}

/// Where a service is.
pub(super) fn service_is(world: &World, name: &ServiceName) -> Option<service::chart::Is> {
    match world.engine.machine(world.engine.place(&ActorId::Service(name.clone()))?)? {
        AnyMachine::Service(machine) => Some(machine.is()),
        _ => None,
    }
}

/// Where a device is.
pub(super) fn device_is(world: &World, name: &DeviceName) -> Option<device::chart::Is> {
    match world.engine.machine(world.engine.place(&ActorId::Device(name.clone()))?)? {
        AnyMachine::Device(machine) => Some(machine.is()),
        _ => None,
    }
}

/// Whether something is about to be told.
pub(super) fn is_told(world: &World, is_it: impl Fn(&Message) -> bool) -> bool {
    world.engine.mail().any(|letter| is_it(&letter.message))
}
