//! What is due: timers, events around the machines, restarts; and what machines and people want done.

use mainstay_config::names::{DeviceName, ServiceName};

use super::environment::{Command, Consequences, DeviceCommand};
use super::{Asked, Cause, Daemon, Due, World};
use crate::message::device::DeviceMessage;
use crate::message::service::{Attempts, NeedsPolicy, ServiceMessage};
use crate::message::supervision::RootMessage;
use crate::message::{Action, ActorId, COMMANDS_MAX, Message, Outside, RequestId};

impl World {
    pub(super) fn perform(&mut self, due: Due) {
        match due {
            Due::Around(event, cause) => {
                let mut so = Consequences::default();
                self.environment.happen(*event, cause, &mut so);
                self.follow(so);
            }
            Due::Late(from, message, cause) if self.daemon == Daemon::Up => drop(self.post(from, *message, cause)),
            Due::Late(..) => {}
            Due::Loss(part) => self.loss_is_heard(part),
            Due::Fault(fault) => self.go_wrong(fault),
            Due::Begin => self.begin_anew(),
        }
    }

    pub(super) fn act(&mut self, actor: &ActorId, action: Action, cause: Cause) {
        match action {
            Action::Exit(exit) => self.end(exit),
            action => {
                let mut so = Consequences::default();
                match self.sabotaged.take() {
                    None => self.environment.act(actor, action, cause, &mut so),
                    Some(mut sabotaged) => {
                        for action in sabotaged.action(action, cause, &mut so) {
                            self.environment.act(actor, action, cause, &mut so);
                        }
                        self.sabotaged = Some(sabotaged);
                    }
                }
                self.follow(so);
            }
        }
    }

    /// The executor panics over what an actor wants done. It is half changed, and mainstay gives up.
    pub(super) fn act_by_half(&mut self, actor: &ActorId, (action, cause): (Action, Cause), acts: usize) {
        if let Action::Exit(exit) = action {
            return self.end(exit);
        }
        let mut so = Consequences::default();
        let panics = self.environment.act_by_half((actor, action, cause), acts, &mut so);
        self.follow(so);
        if panics {
            self.executor_is_lost();
        }
    }

    /// Plugs a device in, when it is not.
    pub fn plug(&mut self, device: &DeviceName) {
        let mut so = Consequences::default();
        self.environment.plug(device, &mut so);
        self.follow(so);
    }

    /// Unplugs a device, when it is plugged in.
    pub fn unplug(&mut self, device: &DeviceName) {
        let mut so = Consequences::default();
        self.environment.unplug(device, &mut so);
        self.follow(so);
    }

    /// The operator asks something of a service. Where too many ask, he is told that mainstay is busy, and nothing comes of it.
    pub fn command(&mut self, service: &ServiceName, command: Command) {
        let Some(request) = self.ask_number(Asked::Service(service.clone(), command)) else { return };
        let message = match command {
            Command::Start => ServiceMessage::Start(request, NeedsPolicy::Respect),
            Command::StartWithNeeds => ServiceMessage::Start(request, NeedsPolicy::StartThem),
            Command::StartIgnoringNeeds => ServiceMessage::Start(request, NeedsPolicy::Ignore),
            Command::Stop => ServiceMessage::Stop(request),
            Command::Restart => ServiceMessage::Restart(request, Attempts::Keep),
            Command::Force => ServiceMessage::Restart(request, Attempts::Reset),
        };
        self.send(Outside::Operator.into(), Message::Service(service.clone(), message), None);
    }

    pub(super) fn command_device(&mut self, device: &DeviceName, command: DeviceCommand) {
        let Some(request) = self.ask_number(Asked::Device(device.clone(), command)) else { return };
        let message = match command {
            DeviceCommand::Eject => DeviceMessage::Eject(request),
            DeviceCommand::Admit => DeviceMessage::Admit(request),
        };
        self.send(Outside::Operator.into(), Message::Device(device.clone(), message), None);
    }

    fn ask_number(&mut self, asked: Asked) -> Option<RequestId> {
        if self.unread() >= COMMANDS_MAX || !self.hears_operators() {
            return None;
        }
        self.requests += 1;
        let request = RequestId(self.requests);
        self.asked.insert(request, asked);
        Some(request)
    }

    /// The signal to stop everything in order.
    pub fn close(&mut self) {
        self.closed_in = (self.daemon == Daemon::Up).then_some(self.deaths);
        self.send(Outside::Signal.into(), Message::Root(RootMessage::Close), None);
    }

    /// The second signal: no more grace.
    pub fn hurry(&mut self) {
        self.closed_in = (self.daemon == Daemon::Up).then_some(self.deaths);
        self.send(Outside::Signal.into(), Message::Root(RootMessage::Hurry), None);
    }
}
