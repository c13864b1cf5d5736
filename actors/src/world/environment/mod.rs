//! The simulated world around the machines: processes, hardware, ports. What is true there is what checkers look at.

mod hardware;
mod processes;
mod radios;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use mainstay_config::model::{Sharing, Station};
use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::bus::Supply;
use mainstay_hardware::sighting::{Generation, HardwareEvent};

pub use self::hardware::{Arrival, Plug};
pub use self::processes::{Life, Tree};
pub use self::radios::{GIVEN_UP_AFTER, RadioState, Temper};
use super::faults::Weather;
use super::random::Random;
use crate::action::files::FileIdentity;
use crate::action::ports::{Listener, Places};
use crate::action::process::{Exit, RunId};
use crate::cause::Resource;
use crate::effect::report::RunReport;
use crate::message::device::DeviceMessage;
use crate::message::lease::LeaseMessage;
use crate::message::{Action, ActorId, Message, Moment, OperationId, Outside};
use crate::trace::Cause;

/// Something that really happened, for checkers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A program was told to start.
    Ordered(RunId),
    /// A program runs.
    Born(RunId),
    /// A machine had a run signalled, or killed.
    Signalled(RunId),
    /// A process outlives SIGKILL for this long.
    Unkillable(RunId, Duration),
    /// Nothing of a run is left.
    Gone(RunId),
    /// A device was unplugged.
    Unplugged(DeviceName),
    /// It was read how a radio is, by the number of its arrival.
    RadioRead(DeviceName, u32),
    /// A radio was put into a mode.
    RadioSet(DeviceName, u32),
    /// A radio is to be put back as it was.
    RestoreOrdered(OperationId, DeviceName, u32),
    /// A radio was put back as it was.
    RadioRestored(DeviceName, u32),
    /// An actor panicked.
    Panicked(ActorId),
    /// An actor begins anew, after a panic of its own or of one above it.
    Restarted(ActorId),
    /// An actor really panicked, in these words: that was not simulated.
    Fell(ActorId, String),
    /// The operator was told that what was asked of a service is done.
    Done(ServiceName, Command),
    /// The operator was told that what was asked of a device is done.
    DeviceDone(DeviceName, DeviceCommand),
    /// A service is started because another needs it.
    StartedForDependent(ServiceName),
}

/// What the operator asks of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `start`.
    Start,
    /// `start --with-needs`.
    StartWithNeeds,
    /// `start --ignore-needs`.
    StartIgnoringNeeds,
    /// `stop`.
    Stop,
    /// `restart`.
    Restart,
    /// `restart --force`.
    Force,
}

/// What the operator does with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceCommand {
    /// `eject`.
    Eject,
    /// `admit`.
    Admit,
}

/// Something that will happen around the machines.
#[derive(Debug, Clone)]
pub(super) enum Event {
    Born(RunId),
    Ready(RunId),
    /// The main process ends and leaves so many others behind.
    MainEnds(RunId, Exit, u32),
    Crash(RunId),
    Swept(RunId),
    TellAgain(RunId),
    Heard(HardwareEvent),
    Scan(mainstay_hardware::sighting::ScanReason),
    SeenAgain(DeviceName),
    Access(OperationId, DeviceName, Generation),
    Probe(OperationId, DeviceName, Generation),
    ReadRadio(OperationId, DeviceName, u32),
    SetRadio(OperationId, DeviceName, u32, mainstay_config::model::WifiMode),
    Restore(OperationId, DeviceName, mainstay_hardware::bus::WifiBaseline),
    /// A call that was abandoned comes back: the radio with this interface is in this mode now.
    ComesBack(DeviceName, u32, mainstay_config::model::WifiMode),
    /// The registry hears what it has waited for.
    Answer(Box<LeaseMessage>),
    Ports(OperationId, Places),
}

/// What follows from an act or an event.
#[derive(Debug, Default)]
pub(super) struct Consequences {
    pub(super) later: Vec<(Moment, Event, Option<Cause>)>,
    pub(super) told: Vec<(Outside, Message, Option<Cause>)>,
    pub(super) happened: Vec<Happening>,
}

/// Everything around the machines.
#[derive(Debug)]
pub struct Environment {
    now: Moment,
    station: Station,
    weather: Weather,
    random: Random,
    trees: BTreeMap<RunId, Tree>,
    /// What was said of each service's runs.
    reports: BTreeMap<RunId, (ServiceName, RunReport)>,
    plugs: BTreeMap<DeviceName, Plug>,
    /// Programs that are not ours listen on these.
    foreign: BTreeSet<u16>,
    watched: BTreeSet<RunId>,
    /// When the last event of the kernel's ordered channel arrives.
    channel: Moment,
    arrivals: u32,
    pids: u32,
}

impl Environment {
    pub(super) fn new(station: &Station, weather: Weather, seed: u64) -> Self {
        let plugs = station.devices.values().enumerate();
        Self {
            now: Moment::default(),
            station: station.clone(),
            weather,
            random: Random::new(seed),
            trees: BTreeMap::new(),
            reports: BTreeMap::new(),
            plugs: plugs.map(|(place, device)| (device.name.clone(), Plug::new(device, place))).collect(),
            foreign: BTreeSet::new(),
            watched: BTreeSet::new(),
            channel: Moment::default(),
            arrivals: 0,
            pids: 1000,
        }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The configuration.
    #[must_use]
    pub fn station(&self) -> &Station {
        &self.station
    }

    /// All process trees that are there, or about to be.
    pub fn trees(&self) -> impl Iterator<Item = (&RunId, &Tree)> {
        self.trees.iter()
    }

    /// The process tree of a run.
    #[must_use]
    pub fn tree(&self, run: RunId) -> Option<&Tree> {
        self.trees.get(&run)
    }

    /// The process trees of a service that are there, or about to be.
    pub fn trees_of<'a>(&'a self, service: &'a ServiceName) -> impl Iterator<Item = &'a Tree> {
        self.trees.values().filter(move |tree| tree.service == *service)
    }

    /// Where devices can be plugged in.
    pub fn plugs(&self) -> impl Iterator<Item = (&DeviceName, &Plug)> {
        self.plugs.iter()
    }

    /// The arrival of a device that is plugged in.
    #[must_use]
    pub fn generation(&self, device: &DeviceName) -> Option<&Generation> {
        self.plugs.get(device)?.sighted().map(|sighting| &sighting.generation)
    }

    /// Whether a device is plugged in.
    #[must_use]
    pub fn is_plugged(&self, device: &DeviceName) -> bool {
        self.plugs.get(device).is_some_and(|plug| plug.arrival.is_some())
    }

    /// Whether a program uses a device.
    #[must_use]
    pub fn is_used(&self, device: &DeviceName) -> bool {
        let it = Resource::Device(device.clone());
        self.trees.values().any(|tree| tree.life == Life::Alive && tree.uses.iter().any(|(used, _)| *used == it))
    }

    /// Ports on which programs that are not ours listen.
    #[must_use]
    pub fn foreign(&self) -> &BTreeSet<u16> {
        &self.foreign
    }

    /// Runs that are looked at until they are ready.
    #[must_use]
    pub fn watched(&self) -> &BTreeSet<RunId> {
        &self.watched
    }

    pub(super) fn set_now(&mut self, now: Moment) {
        self.now = now;
    }

    /// From now on nothing goes wrong by itself any more.
    pub(super) fn be_still(&mut self) {
        self.weather = Weather::still();
        for tree in self.trees.values_mut() {
            tree.be_good();
        }
    }

    pub(super) fn toggle_foreign(&mut self, port: u16) {
        if !self.foreign.remove(&port) {
            self.foreign.insert(port);
        }
    }

    /// Carries out what a machine wants done.
    pub(super) fn act(&mut self, actor: &ActorId, action: Action, cause: Cause, so: &mut Consequences) {
        match action {
            Action::Spawn(order) => self.spawn(&order, cause, so),
            Action::Signal(order) => self.signal(order, cause, so),
            Action::Sweep(run) => self.sweep(run, cause, so),
            Action::Watch(order) => self.watch(order.run, cause, so),
            Action::Unwatch(run) => {
                self.watched.remove(&run);
            }
            Action::TellAgain(run) => self.tell_again_later(run, cause, so),
            Action::Rescan => self.scan_later(mainstay_hardware::sighting::ScanReason::Asked, Some(cause), so),
            Action::CheckAccess(operation, sighting) => {
                if let ActorId::Device(name) = actor {
                    let event = Event::Access(operation, name.clone(), sighting.generation);
                    self.drive(name, event, cause, so);
                }
            }
            Action::ProbeDevice(operation, sighting, ..) => {
                if let ActorId::Device(name) = actor {
                    let event = Event::Probe(operation, name.clone(), sighting.generation);
                    self.drive(name, event, cause, so);
                }
            }
            Action::ReadRadio { operation, device, ifindex } => {
                self.drive(&device.clone(), Event::ReadRadio(operation, device, ifindex), cause, so);
            }
            Action::SetRadio { operation, device, ifindex, mode, .. } => {
                self.drive(&device.clone(), Event::SetRadio(operation, device, ifindex, mode), cause, so);
            }
            Action::RestoreRadio { operation, device, before } => {
                so.happened.push(Happening::RestoreOrdered(operation, device.clone(), before.wiphy));
                self.drive(&device.clone(), Event::Restore(operation, device, before), cause, so);
            }
            Action::LookAtPorts(operation, ports) => {
                let at = self.now + self.random.between(Duration::from_micros(200), Duration::from_millis(5));
                so.later.push((at, Event::Ports(operation, ports), Some(cause)));
            }
            Action::LookAtFiles(operation, paths) => {
                let at = self.now + self.random.between(Duration::from_micros(50), Duration::from_millis(2));
                let identity = |path: PathBuf| (path.clone(), FileIdentity { path, node: None });
                let seen = Ok(paths.into_iter().map(identity).collect());
                let answer = Event::Answer(Box::new(LeaseMessage::FilesSeen(operation, seen)));
                so.later.push((at, answer, Some(cause)));
            }
            Action::ReadSupply(operation) => {
                if let ActorId::Device(name) = actor {
                    let supply = DeviceMessage::Supply(operation, Supply::Unknown);
                    so.told.push((Outside::Drivers, Message::Device(name.clone(), supply), Some(cause)));
                }
            }
            // Nothing is ever suspended here; the world itself carries out the rest.
            Action::KeepAwake(_) | Action::LetSleep | Action::Exit(_) => {}
        }
    }

    /// Lets something happen that is due.
    pub(super) fn happen(&mut self, event: Event, cause: Option<Cause>, so: &mut Consequences) {
        match event {
            Event::Born(run) => self.born(run, cause, so),
            Event::Ready(run) => self.ready(run, cause, so),
            Event::MainEnds(run, exit, others) => self.main_ends(run, exit, others, cause, so),
            Event::Crash(run) => self.crash(run, so),
            Event::Swept(run) => self.swept(run, cause, so),
            Event::TellAgain(run) => self.tell_again(run, cause, so),
            Event::Heard(event) => hear(event, cause, so),
            Event::Scan(why) => self.scan(why, cause, so),
            Event::SeenAgain(device) => self.seen_again(&device, so),
            Event::Access(operation, device, generation) => self.access(operation, device, &generation, cause, so),
            Event::Probe(operation, device, generation) => self.probe(operation, device, &generation, cause, so),
            Event::ReadRadio(operation, device, ifindex) => self.read_radio(operation, device, ifindex, cause, so),
            Event::SetRadio(operation, device, ifindex, mode) => {
                self.set_radio(operation, device, (ifindex, mode), cause, so);
            }
            Event::Restore(operation, device, baseline) => {
                self.restore(operation, device, &baseline, cause, so);
            }
            Event::ComesBack(device, ifindex, mode) => self.comes_back(&device, ifindex, mode),
            Event::Answer(message) => so.told.push((Outside::Drivers, Message::Leases(*message), cause)),
            Event::Ports(operation, ports) => {
                let seen = ports.into_keys().filter_map(|port| Some((port, self.listener(port)?))).collect();
                so.told.push((
                    Outside::Processes,
                    Message::Leases(LeaseMessage::PortsSeen(operation, Ok(seen))),
                    cause,
                ));
            }
        }
    }

    fn listener(&self, port: u16) -> Option<Listener> {
        if self.foreign.contains(&port) {
            return Some(Listener { pid: Some(666), command: Some("foreign".to_owned()) });
        }
        let uses_it = |tree: &&Tree| {
            tree.life == Life::Alive && tree.uses.iter().any(|(resource, _)| *resource == Resource::Port(port))
        };
        let tree = self.trees.values().find(uses_it)?;
        Some(Listener { pid: Some(tree.pid), command: Some(tree.service.to_string()) })
    }

    /// What two uses exclude.
    #[must_use]
    pub fn excludes(a: &(Resource, Sharing), b: &(Resource, Sharing)) -> bool {
        a.0 == b.0 && !(a.1 == Sharing::Shared && b.1 == Sharing::Shared)
    }
}

fn hear(event: HardwareEvent, cause: Option<Cause>, so: &mut Consequences) {
    let message = crate::message::inventory::InventoryMessage::Event(event);
    so.told.push((Outside::Kernel, Message::Hardware(message), cause));
}
