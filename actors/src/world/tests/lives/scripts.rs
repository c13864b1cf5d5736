//! What comes of several things in a certain order, with chance in between.

use std::time::Duration;

use mainstay_config::names::{DeviceName, ServiceName};

use super::haunting::{Haunt, device_is, doom, doom_twice, is_told, lag, service_is};
use super::{MILLISECOND, SECOND, Story};
use crate::device::chart::Is as DeviceIs;
use crate::message::device::{Awaited, DeviceMessage};
use crate::message::inventory::InventoryMessage;
use crate::message::lease::LeaseMessage;
use crate::message::{ActorId, Message};
use crate::service::chart::Is;
use crate::world::World;
use crate::world::environment::{Command, Consequences, DeviceCommand};

impl Haunt {
    pub(super) fn follow_a_script(&mut self, world: &mut World, story: Story) {
        let device = self.random.choose(&self.devices).cloned();
        let Some(service) = self.random.choose(&self.services).cloned() else { return };
        if self.random.happens(300) {
            self.services.iter().for_each(|name| world.command(name, Command::Force));
            self.wait(world, SECOND);
        }
        match (story, device) {
            (Story::Lag, _) => match self.random.below(4) {
                0 => self.renewed_twice(world, &service),
                1 => self.slot_granted_twice(world, &service),
                2 => self.told_again_of_the_last_run(world),
                _ => self.registry_forgets(world, &service),
            },
            (Story::Stuck | Story::StuckAtTheEnd, _) => self.stuck_behind(world, &service),
            (Story::Devices, Some(device)) => match self.random.below(7) {
                0 | 5 => self.weak_supply(world, &device),
                1 => self.lent_too_late(world),
                6 => self.lent_before_it_is_available(world),
                2 => self.replugged_while_held(world, &device),
                3 => self.twin(world, &device),
                _ => self.undecided(world, &device),
            },
            (Story::Radios, Some(device)) => match self.random.below(5) {
                0 => self.ends_while_it_lags(world, &service, &device),
                1 => self.disclaimed_twice(world, &device),
                2 => self.twin(world, &device),
                3 => self.renamed_while_it_settles(world, &device),
                _ => self.undecided(world, &device),
            },
            (Story::Devices | Story::Radios, None) => {}
        }
    }

    /// An actor panics over a word of the operator.
    fn let_panic_now(&mut self, world: &mut World, service: &ServiceName) {
        doom(world, &ActorId::Service(service.clone()));
        world.command(service, Command::Start);
    }

    /// It asks again whether its ports are free, since it has panicked, and hears it so late that it runs.
    fn renewed_twice(&mut self, world: &mut World, service: &ServiceName) {
        world.command(service, Command::Force);
        let Some(service) = &self.wait_for(world, &[Is::Renewing]) else { return };
        self.let_panic_now(world, service);
        self.wait(world, MILLISECOND * 10);
        lag(world, &ActorId::Leases, SECOND);
        self.wait(world, MILLISECOND * 100);
        if self.random.happens(700) {
            world.command(service, Command::Stop);
        }
        self.wait(world, SECOND);
    }

    /// It is told once more that it may start, when it waits for that anew.
    fn slot_granted_twice(&mut self, world: &mut World, service: &ServiceName) {
        world.command(service, Command::Force);
        let Some(service) = &self.wait_for(world, &[Is::Starting]) else { return };
        let lasts = self.random.between(MILLISECOND * 20, SECOND);
        lag(world, &ActorId::Services, lasts);
        self.let_panic_now(world, service);
        self.wait(world, MILLISECOND * 30);
        world.command(service, Command::Force);
        self.wait_until(world, |world| service_is(world, service) == Some(Is::Slotting));
        self.wait_until(world, |world| service_is(world, service) != Some(Is::Slotting));
        if self.random.happens(500) {
            self.let_panic_now(world, service);
        } else {
            doom(world, &ActorId::Services);
        }
        self.wait(world, MILLISECOND * 50);
    }

    /// It panics while it stops, and hears of that run again when it starts anew.
    fn told_again_of_the_last_run(&mut self, world: &mut World) {
        // Those that listen on no port, which is looked at first.
        let Some(service) = &self.services.iter().rev().nth(self.random.below(2)).cloned() else { return };
        world.command(service, Command::Force);
        let stops = [Is::Unborn, Is::Grace, Is::LastGrace, Is::Killing];
        self.wait_until(world, |world| service_is(world, service).is_some_and(|is| stops.contains(&is)));
        let lasts = self.random.between(Duration::ZERO, MILLISECOND * 300);
        lag(world, &ActorId::Service(service.clone()), lasts);
        doom(world, &ActorId::Service(service.clone()));
        if self.wait_until(world, |world| service_is(world, service) == Some(Is::Slotting)) {
            lag(world, &ActorId::Service(service.clone()), MILLISECOND * 100);
            self.wait(world, MILLISECOND);
            world.command(service, Command::Stop);
        }
        self.wait(world, MILLISECOND * 200);
    }

    /// The registry panics over the news that something is given back, or used again.
    fn registry_forgets(&mut self, world: &mut World, service: &ServiceName) {
        let is = if self.random.happens(500) { Is::Backoff } else { Is::Renewing };
        world.command(service, Command::Restart);
        let Some(service) = &self.wait_for(world, &[is]) else { return };
        let is_it =
            |message: &Message| matches!(message, Message::Leases(LeaseMessage::Renew(_) | LeaseMessage::Idle(_)));
        self.wait_until(world, |world| !is_told(world, is_it));
        let lasts = self.random.between(MILLISECOND, SECOND);
        lag(world, &ActorId::Leases, lasts);
        doom(world, &ActorId::Leases);
        let count = 1 + self.random.below(3);
        let all = if count == 1 { [Command::Force; 3] } else { [Command::Stop, Command::Start, Command::Stop] };
        for command in all.into_iter().take(count) {
            world.command(service, command);
            self.wait(world, MILLISECOND);
        }
        self.wait(world, SECOND);
    }

    /// It is to stop, and ends by itself while one that requires it outlives SIGKILL.
    fn stuck_behind(&mut self, world: &mut World, service: &ServiceName) {
        world.command(service, Command::Force);
        if self.wait_until(world, |world| service_is(world, service) == Some(Is::Leaving)) {
            self.wait_until(world, |world| service_is(world, service) != Some(Is::Leaving));
        }
        self.wait(world, SECOND * 15);
    }

    /// It drops out whenever it is used; and what is said of its supply comes when it is elsewhere.
    fn weak_supply(&mut self, world: &mut World, device: &DeviceName) {
        for _ in 0..4 {
            world.plug(device);
            world.command_device(device, DeviceCommand::Admit);
            self.wait_until(world, |world| device_is(world, device) == Some(DeviceIs::InUse));
            world.unplug(device);
            self.wait(world, MILLISECOND * 500);
            if self.wait_until_quarantined(world, device) {
                break;
            }
        }
        if self.random.happens(800) {
            world.plug(device);
        }
        self.wait(world, MILLISECOND * 500);
        world.command_device(device, DeviceCommand::Admit);
        self.wait(world, SECOND * 5);
    }

    fn wait_until_quarantined(&mut self, world: &mut World, device: &DeviceName) -> bool {
        self.wait(world, MILLISECOND * 100);
        device_is(world, device) == Some(DeviceIs::Quarantined)
    }

    /// It leaves, and is plugged in again when all want it. Who they are.
    fn come_to_be_wanted(&mut self, world: &mut World, device: &DeviceName) -> Vec<ServiceName> {
        world.unplug(device);
        self.wait(world, SECOND);
        let users = self.services.clone();
        users.iter().for_each(|user| world.command(user, Command::Start));
        self.wait(world, SECOND);
        world.plug(device);
        users
    }

    /// It would like to be asked what it is, and is no longer there when it may.
    fn lent_too_late(&mut self, world: &mut World) {
        let device = if self.random.happens(500) { self.devices.first() } else { self.devices.last() };
        let Some(device) = device.cloned() else { return };
        let users = self.come_to_be_wanted(world, &device);
        self.wait_until(world, |world| device_is(world, &device) == Some(DeviceIs::InUse));
        if self.random.happens(500) {
            world.unplug(&device);
        }
        users.iter().for_each(|user| world.command(user, Command::Stop));
        let is_lend = |message: &Message| matches!(message, Message::Leases(LeaseMessage::Lend(..)));
        if self.wait_until(world, |world| is_told(world, is_lend)) {
            lag(world, &ActorId::Leases, SECOND);
            if self.random.happens(400) {
                doom(world, &ActorId::Leases);
            }
            for _ in 0..self.random.below(4) {
                self.trouble(world, &device);
                self.wait(world, MILLISECOND * 200);
            }
        }
        self.wait(world, SECOND);
        users.iter().for_each(|user| world.command(user, Command::Start));
    }

    /// It is back, and gone again, while whoever had it before has not stopped.
    fn replugged_while_held(&mut self, world: &mut World, device: &DeviceName) {
        world.plug(device);
        self.wait_until(world, |world| device_is(world, device) == Some(DeviceIs::InUse));
        world.unplug(device);
        world.plug(device);
        let is_there = |message: &Message| matches!(message, Message::Leases(LeaseMessage::DeviceAvailable(..)));
        if self.wait_until(world, |world| is_told(world, is_there)) {
            lag(world, &ActorId::Leases, SECOND * 2);
            world.unplug(device);
            world.plug(device);
        }
        self.wait(world, SECOND * 2);
    }

    /// What fits it as well leaves with it.
    fn twin(&mut self, world: &mut World, device: &DeviceName) {
        world.plug(device);
        self.toggle_twin(world, device);
        self.wait(world, SECOND * 2);
        if self.random.happens(500) {
            lag(world, &ActorId::Device(device.clone()), SECOND);
        }
        world.unplug(device);
        let is_rivals =
            |message: &Message| matches!(message, Message::Device(name, DeviceMessage::Rivals(_)) if name == device);
        let is_absent = |world: &World| device_is(world, device) == Some(DeviceIs::Absent);
        if self.wait_until(world, |world| is_absent(world) && is_told(world, is_rivals)) {
            doom(world, &ActorId::Device(device.clone()));
        }
        self.wait(world, SECOND);
    }

    /// Of what a mainstay finds twice that knows of neither, one is left; the operator says that it is meant, perhaps while the
    /// inventory begins anew.
    fn undecided(&mut self, world: &mut World, device: &DeviceName) {
        world.plug(device);
        self.toggle_twin(world, device);
        world.kill_daemon();
        self.wait(world, SECOND * 8);
        self.toggle_twin(world, device);
        self.wait(world, SECOND);
        if !self.wait_until(world, |world| device_is(world, device) == Some(DeviceIs::Faulted)) {
            return;
        }
        if self.random.happens(500) {
            doom_twice(world, &ActorId::Hardware);
            self.toggle_twin(world, device);
            self.wait(world, MILLISECOND * 700);
        } else {
            lag(world, &ActorId::Hardware, MILLISECOND * 50);
        }
        for _ in 0..2 {
            world.command_device(device, DeviceCommand::Admit);
        }
        self.wait(world, SECOND);
    }

    fn toggle_twin(&mut self, world: &mut World, device: &DeviceName) {
        let mut so = Consequences::default();
        world.environment.toggle_twin(device, &mut so);
        world.follow(so);
    }

    /// Nobody waits for it any more, just as it can be leased, of which the registry does not hear.
    fn lent_before_it_is_available(&mut self, world: &mut World) {
        let Some(device) = self.devices.first().cloned() else { return };
        let users = self.come_to_be_wanted(world, &device);
        self.wait_until(world, |world| device_is(world, &device) == Some(DeviceIs::Checking));
        lag(world, &ActorId::Leases, SECOND);
        users.iter().for_each(|user| world.command(user, Command::Stop));
        let is_nobody = |message: &Message| matches!(message, Message::Device(name, DeviceMessage::Awaited(Awaited::Nobody)) if *name == device);
        if self.wait_until(world, |world| is_told(world, is_nobody)) {
            doom(world, &ActorId::Leases);
        }
        self.wait(world, SECOND);
        users.iter().for_each(|user| world.command(user, Command::Start));
    }

    /// It has come and gone so often that it settles for long, and is renamed then.
    fn renamed_while_it_settles(&mut self, world: &mut World, device: &DeviceName) {
        for _ in 0..4 {
            world.unplug(device);
            world.plug(device);
            self.wait(world, SECOND);
        }
        let mut so = Consequences::default();
        world.environment.rename(device, &mut so);
        world.follow(so);
        self.wait(world, SECOND * 3);
    }

    /// It hears late that its radio is renamed, or gone: it has ended by then.
    fn ends_while_it_lags(&mut self, world: &mut World, service: &ServiceName, device: &DeviceName) {
        world.plug(device);
        world.command(service, Command::Force);
        if !self.wait_until(world, |world| service_is(world, service) == Some(Is::Running)) {
            return;
        }
        lag(world, &ActorId::Service(service.clone()), SECOND * 3);
        self.wait(world, SECOND * 2);
        let mut so = Consequences::default();
        match self.random.below(3) {
            0 => world.unplug(device),
            1 => world.environment.rename(device, &mut so),
            _ => world.environment.make_anew_by_user(device, &mut so),
        }
        world.follow(so);
        self.wait(world, SECOND * 2);
    }

    /// Somebody renames it, and the inventory hears twice that it is another one.
    fn disclaimed_twice(&mut self, world: &mut World, device: &DeviceName) {
        let mut so = Consequences::default();
        world.plug(device);
        world.environment.rename(device, &mut so);
        world.follow(so);
        if self.random.happens(500) {
            self.trouble(world, device);
        }
        let is_it = |message: &Message| matches!(message, Message::Hardware(InventoryMessage::Disclaimed(..)));
        if self.wait_until(world, |world| is_told(world, is_it)) {
            lag(world, &ActorId::Hardware, SECOND * 2);
            if self.random.happens(400) {
                doom_twice(world, &ActorId::Hardware);
            }
            self.wait(world, SECOND * 3);
        }
    }
}
