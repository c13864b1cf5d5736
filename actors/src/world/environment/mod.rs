//! The simulated world around the machines: processes, hardware, ports. What is true there is what checkers look at.

mod around;
mod astray;
mod calls;
mod commands;
mod death;
mod files;
mod happening;
mod hardware;
mod kernel;
mod lies;
mod lookalikes;
mod probes;
mod processes;
mod radios;
mod sockets;
mod starts;
mod table;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mainstay_config::model::{Sharing, Station};
use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::sighting::Generation;

use self::calls::Drivers;
pub(super) use self::death::Undertaker;
pub(super) use self::files::{is_one, wanted};
pub use self::happening::{Command, DeviceCommand, Happening};
pub use self::hardware::{Arrival, Plug};
pub(super) use self::lies::Lie;
pub use self::radios::{GIVEN_UP_AFTER, RadioState, Temper};
use self::table::{Course, Table};
pub use self::table::{Life, Tree};
use self::watch::{HardwareWatch, WatchEvent};
use super::faults::Weather;
use super::random::Random;
use crate::action::ports::Listener;
use crate::action::probe::ProbeEvent;
use crate::action::process::{ProcessEvent, RunId};
use crate::cause::Resource;
use crate::effect::call::{Asked, Call};
use crate::effect::calls::CallId;
use crate::effect::known::Known;
use crate::effect::probe::loading::Loading;
use crate::effect::process::driven::Rules;
use crate::effect::telling::Telling;
use crate::effect::wakefulness::Kept;
use crate::message::lasting::{Lasting, Remembered};
use crate::message::{Action, ActorId, Message, Moment, Outside};
use crate::trace::Cause;

/// Between two looks at a tree that is being killed.
const SWEEP_INTERVAL: Duration = Duration::from_millis(100);

/// Something that will happen around the machines.
#[derive(Debug)]
pub(super) enum Event {
    /// To processes, or to the executor's threads.
    Course(Course),
    /// A look at whether a run is ready, of the watch with this number.
    Look(RunId, u64, probes::LookStage),
    /// It is time to tell what a service said in the rest of this number.
    Rested(RunId, u32),
    TellAgain(RunId),
    /// To the watch on hardware.
    Watch(WatchEvent),
    SeenAgain(DeviceName),
    /// It is time to ask a driver.
    Asked(Box<Asked>),
    /// A driver answers.
    Called(CallId),
    /// The thread of a call dies.
    Died(CallId),
    /// A call is given up after this time.
    GivenUp(CallId, Duration),
    /// One that was given up goes on after all; of which life of mainstay it is.
    ComesBack(u64, CallId, Box<Call>),
}

/// What follows from an act or an event.
#[derive(Debug, Default)]
pub(super) struct Consequences {
    pub(super) later: Vec<(Moment, Event, Option<Cause>)>,
    pub(super) told: Vec<(Outside, Message, Option<Cause>)>,
    pub(super) happened: Vec<Happening>,
    pub(super) said: Vec<Saying>,
}

/// What the executor says of a run, before it is decided what is told of it.
#[derive(Debug)]
pub(super) enum Saying {
    Process(RunId, ProcessEvent),
    Probe(RunId, ProbeEvent),
    /// Nothing more; what was said before may be told now.
    Rested(RunId, u32),
}

/// Everything around the machines.
#[derive(Debug)]
pub struct Environment {
    now: Moment,
    weather: Weather,
    random: Random,
    executor: Rules<Table>,
    telling: Telling,
    drivers: Drivers,
    kept: Kept,
    plugs: BTreeMap<DeviceName, Plug>,
    /// Programs that are not ours listen on these.
    foreign: BTreeSet<u16>,
    /// What was made ahead for runs to come.
    prepared: BTreeMap<ServiceName, RunId>,
    watched: BTreeMap<RunId, probes::Watch>,
    /// How many watches there have been, and commands.
    watches: u64,
    commands: u64,
    /// Whom each command looks at.
    commands_of: BTreeMap<RunId, ServiceName>,
    loading: Loading,
    watch: HardwareWatch,
    /// When the last event of the kernel's ordered channel arrives.
    channel: Moment,
    arrivals: u32,
    /// What outlives mainstay.
    remembered: Remembered,
}

impl Environment {
    pub(super) fn new(station: &Station, weather: Weather, seed: u64) -> Self {
        let plugs = station.devices.values().enumerate();
        let mut random = Random::new(seed);
        let table = Table::new(station.clone(), weather.clone(), Random::new(random.bits()));
        Self {
            now: Moment::default(),
            weather,
            random,
            executor: Rules::new(table, SWEEP_INTERVAL),
            telling: Telling::default(),
            drivers: Drivers::default(),
            kept: Kept::default(),
            plugs: plugs.map(|(place, device)| (device.name.clone(), Plug::new(device, place))).collect(),
            foreign: BTreeSet::new(),
            prepared: BTreeMap::new(),
            watched: BTreeMap::new(),
            watches: 0,
            commands: 0,
            commands_of: BTreeMap::new(),
            loading: Loading::default(),
            watch: HardwareWatch::default(),
            channel: Moment::default(),
            arrivals: 0,
            remembered: Remembered::default(),
        }
    }

    /// What mainstay's executor knows.
    pub(super) fn known(&self) -> Known {
        Known {
            processes: self.executor.on(()),
            // The simulated executor is heard at once.
            said: Vec::new(),
            telling: self.telling.clone(),
            calls: self.drivers.calls.clone(),
            kept: self.kept.clone(),
            watched: self.watched.iter().map(|(run, watch)| (*run, watch.watching.clone())).collect(),
        }
    }

    /// What is true stays true; what mainstay's executor knows is this.
    pub(super) fn knowing(self, known: Known) -> Self {
        let Known { processes, said: _, telling, calls, kept, watched } = known;
        let watch = |(run, watching)| (run, probes::Watch::knowing(watching, self.watched.get(&run), self.watches));
        let watched = watched.into_iter().map(watch).collect();
        let executor = processes.on(self.executor.into_kernel());
        Self { executor, telling, kept, watched, drivers: self.drivers.knowing(calls), ..self }
    }

    /// What mainstay has written down.
    pub(super) fn remembered(&self) -> &Remembered {
        &self.remembered
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.now
    }

    /// The configuration.
    #[must_use]
    pub fn station(&self) -> &Station {
        &self.table().station
    }

    /// All process trees that are there, or about to be.
    pub fn trees(&self) -> impl Iterator<Item = (&RunId, &Tree)> {
        self.table().trees.iter()
    }

    /// The process tree of a run.
    #[must_use]
    pub fn tree(&self, run: RunId) -> Option<&Tree> {
        self.table().trees.get(&run)
    }

    /// The process trees of a service that are there, or about to be.
    pub fn trees_of<'a>(&'a self, service: &'a ServiceName) -> impl Iterator<Item = &'a Tree> {
        self.table().trees.values().filter(move |tree| tree.service == *service)
    }

    /// Whether a process tree is there although all that can be done has been done for its end.
    #[must_use]
    pub fn cannot_be_ended(&self, tree: &Tree) -> bool {
        self.table().cannot_be_ended(tree)
    }

    /// Since when a process tree is to be killed that runs.
    #[must_use]
    pub fn is_to_be_killed_since(tree: &Tree) -> Option<Moment> {
        Table::is_to_be_killed_since(tree)
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
        self.table()
            .trees
            .values()
            .any(|tree| tree.life == Life::Alive && tree.uses.iter().any(|(used, _)| *used == it))
    }

    /// Ports on which programs that are not ours listen.
    #[must_use]
    pub fn foreign(&self) -> &BTreeSet<u16> {
        &self.foreign
    }

    /// Services for which something was made ahead.
    pub fn prepared(&self) -> impl Iterator<Item = &ServiceName> {
        self.prepared.keys()
    }

    /// Runs that are looked at until they are ready.
    #[must_use]
    pub fn watched(&self) -> Vec<RunId> {
        self.watched.keys().copied().collect()
    }

    pub(super) fn set_now(&mut self, now: Moment) {
        self.now = now;
        self.executor.kernel_mut().now = now;
    }

    /// From now on nothing goes wrong by itself any more.
    pub(super) fn be_still(&mut self) {
        self.weather = Weather::still();
        self.executor.kernel_mut().be_still();
    }

    /// Carries out what a machine wants done.
    pub(super) fn act(&mut self, actor: &ActorId, action: Action, cause: Cause, so: &mut Consequences) {
        match action {
            Action::Prepare(service, run) => {
                self.prepared.insert(service, run);
            }
            Action::LetGo(service) => {
                self.prepared.remove(&service);
            }
            Action::Spawn(order) => {
                self.prepared.remove(&order.service);
                self.spawn(order, cause, so);
            }
            Action::Signal(order) => self.signal(order, cause, so),
            Action::Sweep(run) => self.sweep(run, cause, so),
            Action::Watch(order) => self.watch(&order, so),
            Action::Unwatch(run) => {
                self.give_up_check(run, so);
                self.watched.remove(&run);
            }
            Action::TellAgain(run) => {
                let at = self.now + self.random.between(Duration::from_millis(1), Duration::from_millis(5));
                so.later.push((at, Event::TellAgain(run), Some(cause)));
            }
            Action::Rescan => self.scan_later(mainstay_hardware::sighting::ScanReason::Asked, Some(cause), so),
            Action::Remember(lasting) => self.write_down(lasting),
            Action::Exit(_) => {}
            action => self.ask(actor, action, cause, so),
        }
    }

    fn write_down(&mut self, lasting: Lasting) {
        match (&lasting, self.table().lie) {
            (Lasting::Wanted(..), Some(Lie::LosesWords)) | (Lasting::Radio(..), Some(Lie::LosesRadios)) => {}
            _ => self.remembered.take(lasting),
        }
    }

    /// Lets something happen that is due.
    pub(super) fn happen(&mut self, event: Event, cause: Option<Cause>, so: &mut Consequences) {
        match event {
            Event::Course(course) => self.take_course(course, so),
            Event::Look(run, number, stage) => self.look(run, number, stage, so),
            Event::Rested(run, rest) => so.said.push(Saying::Rested(run, rest)),
            Event::TellAgain(run) => self.tell_again(run, cause, so),
            Event::Watch(event) => self.happens_to_watch(event, cause, so),
            Event::SeenAgain(device) => self.seen_again(&device, so),
            Event::Asked(asked) => self.call(*asked, so),
            Event::Called(id) => self.called(id, so),
            Event::Died(id) => self.call_died(id, so),
            Event::GivenUp(id, within) => self.give_up_call(id, within, so),
            Event::ComesBack(life, id, call) => self.comes_back(life, id, *call),
        }
    }

    fn listener(&self, port: u16) -> Option<Listener> {
        if self.foreign.contains(&port) {
            return Some(Listener { pid: Some(666), command: Some("foreign".to_owned()), user: None });
        }
        let uses_it = |tree: &&Tree| {
            tree.life == Life::Alive && tree.uses.iter().any(|(resource, _)| *resource == Resource::Port(port))
        };
        let tree = self.table().trees.values().find(uses_it)?;
        Some(Listener { pid: Some(tree.pid), command: Some(tree.service.to_string()), user: None })
    }

    /// What two uses exclude.
    #[must_use]
    pub fn excludes(a: &(Resource, Sharing), b: &(Resource, Sharing)) -> bool {
        is_one(&a.0, &b.0) && !(a.1 == Sharing::Shared && b.1 == Sharing::Shared)
    }
}
