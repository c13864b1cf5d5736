//! The operator starts, stops, restarts, ejects and admits.

use mainstay_config::names::{DeviceName, ServiceName};

use super::super::World;
use super::super::environment::{Command, DeviceCommand};
use crate::message::device::{DeviceSnapshot, DeviceStatus};

const COMMANDS: [Command; 12] = [
    Command::Start,
    Command::Start,
    Command::Start,
    Command::StartWithNeeds,
    Command::StartWithNeeds,
    Command::StartIgnoringNeeds,
    Command::Stop,
    Command::Stop,
    Command::Restart,
    Command::Restart,
    Command::Force,
    Command::Force,
];

/// How many ask at once, when many do. Not all of them are let in.
const MANY: usize = 200;

impl World {
    /// Many ask at once, a script in a loop for instance.
    pub(super) fn many_ask(&mut self) {
        (0..MANY).for_each(|_| self.say_something());
    }

    pub(super) fn say_something(&mut self) {
        if self.random.happens(200) {
            return self.say_something_of_a_device();
        }
        let services: Vec<ServiceName> = self.environment.station().services.keys().cloned().collect();
        let command = self.random.choose(&COMMANDS).copied();
        if let (Some(service), Some(command)) = (self.random.choose(&services), command) {
            self.command(&service.clone(), command);
        }
    }

    /// What is kept out of use is admitted more often than what is not.
    fn say_something_of_a_device(&mut self) {
        let devices: Vec<DeviceName> = self.environment.plugs().map(|(name, _)| name.clone()).collect();
        let is_out = |device: &&DeviceSnapshot| device.status == DeviceStatus::Quarantined;
        let out: Vec<DeviceName> =
            self.shown.devices.values().filter(is_out).map(|device| device.name.clone()).collect();
        let command = if self.random.happens(400) { DeviceCommand::Eject } else { DeviceCommand::Admit };
        let among = if command == DeviceCommand::Admit && !out.is_empty() { out } else { devices };
        if let Some(device) = self.random.choose(&among).cloned() {
            self.command_device(&device, command);
        }
    }
}
