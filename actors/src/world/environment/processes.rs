//! Simulated process trees: they start, become ready, crash, go into the background, obey signals or do not.

use std::time::Duration;

use mainstay_config::model::{Sharing, StopSignal};
use mainstay_config::names::ServiceName;

use super::{Cause, Consequences, Environment, Event, Happening};
use crate::action::probe::ProbeEvent;
use crate::action::process::{
    Exit, Notification, NotifySocket, ProcessEvent, RunId, Said, SignalOrder, SpawnFailure, SpawnOrder,
};
use crate::cause::Resource;
use crate::effect::report::RunReport;
use crate::message::service::ServiceMessage;
use crate::message::{Message, Outside};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// A process tree.
#[derive(Debug, Clone)]
pub struct Tree {
    /// Whose.
    pub service: ServiceName,
    /// What it uses as long as it lives.
    pub uses: Vec<(Resource, Sharing)>,
    /// Whether it runs yet.
    pub life: Life,
    /// Its main process.
    pub pid: u32,
    /// Whether its main process has ended and others of it go on.
    pub orphaned: bool,
    readies: Option<Duration>,
    obeys: Option<Duration>,
    outlives_kill: Option<Duration>,
    backgrounds: bool,
    notify: NotifySocket,
}

/// Whether a process runs yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It is being started.
    Pending,
    /// It runs.
    Alive,
}

impl Tree {
    /// From now on it behaves.
    pub(super) fn be_good(&mut self) {
        self.obeys.get_or_insert(SECOND);
        self.outlives_kill = None;
    }
}

impl Environment {
    pub(super) fn spawn(&mut self, order: &SpawnOrder, cause: Cause, so: &mut Consequences) {
        if self.reports.contains_key(&order.run) {
            // It was ordered already, and is passed over.
            return;
        }
        self.reports.retain(|_, (service, report)| *service != order.service || !report.is_over());
        self.reports.insert(order.run, (order.service.clone(), RunReport::default()));
        let is_slow = self.random.happens(self.weather.loads_slowly);
        let longest = if is_slow { SECOND * 4 } else { MILLISECOND * 60 };
        let at = self.now + self.random.between(MILLISECOND, longest);
        if self.random.happens(self.weather.spawn_fails) {
            let failure = SpawnFailure::Other("no memory (simulated)".to_owned());
            let message = ServiceMessage::Process(order.run, ProcessEvent::SpawnFailed(failure));
            so.told.push((Outside::Processes, Message::Service(order.service.clone(), message), Some(cause)));
            return;
        }
        self.pids += 1;
        let (weather, random) = (&self.weather, &mut self.random);
        let tree = Tree {
            service: order.service.clone(),
            uses: uses(&self.station, order),
            life: Life::Pending,
            pid: self.pids,
            orphaned: false,
            readies: (!random.happens(weather.never_ready)).then(|| random.between(MILLISECOND * 20, SECOND * 3)),
            obeys: (!random.happens(weather.stubborn)).then(|| random.between(MILLISECOND, SECOND)),
            outlives_kill: random.happens(weather.unkillable).then(|| random.between(SECOND * 5, SECOND * 40)),
            backgrounds: random.happens(weather.backgrounds),
            notify: order.notify,
        };
        if is_slow {
            tell(&tree, order.run, ProcessEvent::LoadsSlowly, Some(cause), so);
        }
        self.trees.insert(order.run, tree);
        so.happened.push(Happening::Ordered(order.run));
        so.later.push((at, Event::Born(order.run), Some(cause)));
    }

    pub(super) fn born(&mut self, run: RunId, cause: Option<Cause>, so: &mut Consequences) {
        let Some(tree) = self.trees.get_mut(&run) else { return };
        tree.life = Life::Alive;
        let tree = tree.clone();
        so.happened.push(Happening::Born(run));
        tell(&tree, run, ProcessEvent::Spawned { pid: tree.pid }, cause, so);
        if tree.backgrounds {
            so.later.push((self.now + MILLISECOND * 5, Event::MainEnds(run, Exit::Code(0), 1), None));
        }
        if let (NotifySocket::Provide, Some(wait)) = (tree.notify, tree.readies) {
            so.later.push((self.now + wait, Event::Ready(run), cause));
        }
        if let Some(mean) = self.weather.crash {
            so.later.push((self.now + self.random.wait(mean), Event::Crash(run), None));
        }
    }

    pub(super) fn watch(&mut self, run: RunId, cause: Cause, so: &mut Consequences) {
        let Some(tree) = self.trees.get(&run) else { return };
        self.watched.insert(run);
        if self.random.happens(self.weather.not_yet) {
            let not_yet = ServiceMessage::Probe(run, ProbeEvent::NotYet("it does not answer".to_owned()));
            so.told.push((Outside::Probes, Message::Service(tree.service.clone(), not_yet), Some(cause)));
        }
        if let Some(wait) = tree.readies {
            so.later.push((self.now + wait, Event::Ready(run), Some(cause)));
        }
    }

    pub(super) fn ready(&mut self, run: RunId, cause: Option<Cause>, so: &mut Consequences) {
        let Some(tree) = self.trees.get(&run).cloned() else { return };
        if tree.notify == NotifySocket::Provide {
            let said = Notification { ready: Some(Said), ..Notification::default() };
            tell(&tree, run, ProcessEvent::Notified(said), cause, so);
        } else if self.watched.remove(&run) {
            let message = ServiceMessage::Probe(run, ProbeEvent::Ready("it answers".to_owned()));
            so.told.push((Outside::Probes, Message::Service(tree.service, message), cause));
        }
    }

    pub(super) fn crash(&mut self, run: RunId, so: &mut Consequences) {
        if self.weather.crash.is_none() {
            return;
        }
        let others = if self.random.happens(200) { 2 } else { 0 };
        let exits = [Exit::Code(0), Exit::Code(1), Exit::Signal(11), Exit::Signal(9)];
        let exit = self.random.choose(&exits).copied().unwrap_or(Exit::Unknown);
        self.main_ends(run, exit, others, None, so);
    }

    pub(super) fn main_ends(
        &mut self,
        run: RunId,
        exit: Exit,
        others: u32,
        cause: Option<Cause>,
        so: &mut Consequences,
    ) {
        let Some(tree) = self.trees.get_mut(&run).filter(|tree| tree.life == Life::Alive) else { return };
        let first_end = !tree.orphaned;
        if others > 0 && first_end {
            tree.orphaned = true;
            let remaining = (1..=others).map(|n| tree.pid + 100_000 * n).collect();
            let tree = tree.clone();
            tell(&tree, run, ProcessEvent::MainExited { exit, remaining }, cause, so);
            return;
        }
        if first_end {
            let tree = tree.clone();
            tell(&tree, run, ProcessEvent::MainExited { exit, remaining: Vec::new() }, cause, so);
        }
        self.gone(run, cause, so);
    }

    fn gone(&mut self, run: RunId, cause: Option<Cause>, so: &mut Consequences) {
        if let Some(tree) = self.trees.remove(&run) {
            so.happened.push(Happening::Gone(run));
            tell(&tree, run, ProcessEvent::TreeGone, cause, so);
        }
    }

    pub(super) fn signal(&mut self, order: SignalOrder, cause: Cause, so: &mut Consequences) {
        so.happened.push(Happening::Signalled(order.run));
        let Some(tree) = self.trees.get(&order.run).filter(|tree| tree.life == Life::Alive) else { return };
        if order.signal == StopSignal::Kill {
            self.sweep(order.run, cause, so);
        } else if let Some(wait) = tree.obeys {
            let event = Event::MainEnds(order.run, Exit::Signal(15), 0);
            so.later.push((self.now + wait, event, Some(cause)));
        }
    }

    pub(super) fn sweep(&mut self, run: RunId, cause: Cause, so: &mut Consequences) {
        so.happened.push(Happening::Signalled(run));
        let Some(tree) = self.trees.get_mut(&run) else { return };
        let mut wait = self.random.between(MILLISECOND, MILLISECOND * 40);
        if let Some(hangs) = tree.outlives_kill {
            wait += hangs;
            so.happened.push(Happening::Unkillable(run, hangs));
        }
        so.later.push((self.now + wait, Event::Swept(run), Some(cause)));
    }

    pub(super) fn swept(&mut self, run: RunId, cause: Option<Cause>, so: &mut Consequences) {
        match self.trees.get(&run).map(|tree| tree.life) {
            // It is being started: it is killed as soon as it runs.
            Some(Life::Pending) => so.later.push((self.now + MILLISECOND * 10, Event::Swept(run), cause)),
            Some(Life::Alive) => self.main_ends(run, Exit::Signal(9), 0, cause, so),
            None => {}
        }
    }

    pub(super) fn tell_again_later(&mut self, run: RunId, cause: Cause, so: &mut Consequences) {
        let at = self.now + self.random.between(MILLISECOND, MILLISECOND * 5);
        so.later.push((at, Event::TellAgain(run), Some(cause)));
    }

    pub(super) fn tell_again(&self, run: RunId, cause: Option<Cause>, so: &mut Consequences) {
        let Some((service, report)) = self.reports.get(&run) else { return };
        let again = report.again(run).into_iter();
        so.told.extend(again.map(|message| (Outside::Processes, Message::Service(service.clone(), message), cause)));
    }

    /// What the executor says of a run is kept, to be said again.
    pub(in crate::world) fn note_said(&mut self, message: &Message) {
        if let Message::Service(_, message @ (ServiceMessage::Process(run, _) | ServiceMessage::Probe(run, _))) =
            message
            && let Some((_, report)) = self.reports.get_mut(run)
        {
            report.note(message);
        }
    }
}

fn tell(tree: &Tree, run: RunId, event: ProcessEvent, cause: Option<Cause>, so: &mut Consequences) {
    let message = ServiceMessage::Process(run, event);
    so.told.push((Outside::Processes, Message::Service(tree.service.clone(), message), cause));
}

/// What a program uses: its devices and named resources by configuration, its ports by its arguments (`port=8000`).
fn uses(station: &mainstay_config::model::Station, order: &SpawnOrder) -> Vec<(Resource, Sharing)> {
    let Some(spec) = station.services.get(&order.service) else { return Vec::new() };
    let devices = spec.devices.iter().map(|(name, need)| (Resource::Device(name.clone()), need.sharing));
    let named = spec.resources.iter().map(|name| (Resource::Named(name.clone()), Sharing::Exclusive));
    let conflicts = spec.conflicts.iter().map(|other| (Resource::conflict(other, &spec.name), Sharing::Exclusive));
    let port = |word: &String| word.strip_prefix("port=").and_then(|number| number.parse().ok());
    let ports = order.argv.iter().filter_map(port).map(|port| (Resource::Port(port), Sharing::Exclusive));
    devices.chain(named).chain(conflicts).chain(ports).collect()
}
