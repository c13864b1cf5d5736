//! The stage that all hosts stand on: addresses, recorder, board, executor.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix::Addr;
use futures::channel::mpsc;
use mainstay_config::names::{DeviceName, ServiceName};
use tokio::sync::oneshot;

use super::board::Board;
use super::clock::Clock;
use super::envelope::Traced;
use super::executor::{Delivery, Executor};
use super::host::Host;
use crate::device::DeviceMachine;
use crate::inventory::{InventoryMachine, InventoryMessage};
use crate::lease::LeaseMachine;
use crate::machine::{
    Action, ActorId, Address, Described, Exit, Machine, Message, Moment, OperatorAnswer, Outcome, Outside, Publication,
    Reply, RequestId,
};
use crate::service::ServiceMachine;
use crate::supervision::{Intensity, RootMachine, RootMessage, ServicesMachine, ServicesMessage, Verdict};
use crate::trace::{Cause, ExternalCause, ExternalKind, MessageId, Recorder, Sending};
use crate::view::{Roots, words};

/// Addresses of all actors.
#[derive(Default)]
pub(super) struct Directory {
    pub(super) root: Option<Addr<Host<RootMachine>>>,
    pub(super) hardware: Option<Addr<Host<InventoryMachine>>>,
    pub(super) leases: Option<Addr<Host<LeaseMachine>>>,
    pub(super) services: Option<Addr<Host<ServicesMachine>>>,
    pub(super) device: BTreeMap<DeviceName, Addr<Host<DeviceMachine>>>,
    pub(super) service: BTreeMap<ServiceName, Addr<Host<ServiceMachine>>>,
    pub(super) restarts: BTreeMap<ActorId, mpsc::UnboundedSender<Duration>>,
}

/// An operator who waits for an answer.
pub(super) struct Waiting {
    /// What was asked.
    pub(super) message: MessageId,
    /// Where the answer goes: its words, and the trace to follow.
    pub(super) answer: oneshot::Sender<(OperatorAnswer, Cause)>,
}

/// What all hosts share. It lives on the actor thread.
pub(super) struct Stage {
    clock: Clock,
    recorder: Arc<Mutex<Recorder>>,
    board: Arc<Board>,
    pub(super) directory: RefCell<Directory>,
    pub(super) executor: RefCell<Option<Rc<dyn Executor>>>,
    handling: RefCell<Option<(MessageId, Cause)>>,
    beginnings: RefCell<BTreeMap<ActorId, Cause>>,
    /// Actors that have died and are not restarted yet.
    dead: RefCell<BTreeMap<ActorId, (Cause, String)>>,
    /// Those of the root supervisor, which has none above it.
    root_deaths: RefCell<Intensity>,
    start: Cause,
    pub(super) answers: RefCell<BTreeMap<RequestId, Waiting>>,
    next_request: Cell<u64>,
    ending: RefCell<Option<oneshot::Sender<Exit>>>,
}

impl Stage {
    pub(super) fn new(
        clock: Clock,
        recorder: Arc<Mutex<Recorder>>,
        board: Arc<Board>,
        ending: oneshot::Sender<Exit>,
    ) -> Self {
        let started = ExternalCause::new(ExternalKind::Start, "mainstay started");
        let start = lock(&recorder).begin(clock.now(), started);
        Self {
            clock,
            recorder,
            board,
            directory: RefCell::default(),
            executor: RefCell::new(None),
            handling: RefCell::new(None),
            beginnings: RefCell::default(),
            dead: RefCell::default(),
            root_deaths: RefCell::default(),
            start,
            answers: RefCell::default(),
            next_request: Cell::new(1),
            ending: RefCell::new(Some(ending)),
        }
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Gives a message its id and envelope.
    pub(super) fn seal<M: Described + 'static>(
        &self,
        cause: Cause,
        from: Address,
        to: ActorId,
        message: M,
    ) -> Traced<M> {
        let detail = || message.detail();
        let sending = Sending { cause, from, to: to.into(), kind: message.kind(), detail: &detail };
        let id = self.recorder().sent(self.now(), sending);
        Traced::seal(id, cause, message)
    }

    /// Sends a message because of `cause`; answers what its consequences are caused by.
    pub(super) fn send(&self, cause: Cause, from: Address, message: Message) -> Cause {
        let to = message.receiver();
        let directory = self.directory.borrow();
        match message {
            Message::Root(message) => self.post(cause, from, to, message, directory.root.as_ref()),
            Message::Hardware(message) => self.post(cause, from, to, message, directory.hardware.as_ref()),
            Message::Leases(message) => self.post(cause, from, to, message, directory.leases.as_ref()),
            Message::Services(message) => self.post(cause, from, to, message, directory.services.as_ref()),
            Message::Device(name, message) => self.post(cause, from, to, message, directory.device.get(&name)),
            Message::Service(name, message) => self.post(cause, from, to, message, directory.service.get(&name)),
        }
    }

    fn post<M>(
        &self,
        cause: Cause,
        from: Address,
        to: ActorId,
        message: M::Message,
        address: Option<&Addr<Host<M>>>,
    ) -> Cause
    where
        M: Machine,
        M::Message: Send,
    {
        match address {
            Some(address) => {
                let traced = self.seal(cause, from, to, message);
                let cause = traced.as_cause();
                address.do_send(traced);
                cause
            }
            None => {
                tracing::warn!(%to, kind = message.kind(), "a message to nobody");
                cause
            }
        }
    }

    /// Something outside has happened: sends a message that begins a trace, or continues one.
    pub(super) fn deliver(&self, delivery: Delivery, from: Outside, message: Message) -> Cause {
        let cause = match delivery {
            Delivery::Answer(cause) => cause,
            Delivery::External(external) => self.recorder().begin(self.now(), external),
        };
        self.send(cause, from.into(), message)
    }

    /// Carries out an action, which stands in the trace like a message.
    pub(super) fn act(&self, cause: Cause, from: &ActorId, action: Action) {
        let (to, kind) = performer(&action);
        let detail = || action.words();
        let sending = Sending { cause, from: from.clone().into(), to, kind, detail: &detail };
        let now = self.now();
        let id = {
            let mut recorder = self.recorder();
            let id = recorder.sent(now, sending);
            recorder.handled(id, now, Outcome::Handled);
            id
        };
        let cause = Cause { message: Some(id), ..cause };
        match action {
            Action::RestartActor(actor, pause) => {
                let directory = self.directory.borrow();
                self.beginnings.borrow_mut().insert(actor.clone(), cause);
                let word = directory.restarts.get(&actor).map(|restart| restart.unbounded_send(pause));
                if !matches!(word, Some(Ok(()))) {
                    tracing::error!(%actor, "an actor cannot be restarted");
                }
            }
            Action::Exit(exit) => {
                if let Some(ending) = self.ending.borrow_mut().take() {
                    // The daemon has gone already if nobody listens.
                    let _ = ending.send(exit);
                }
            }
            action => {
                let executor = self.executor.borrow().clone();
                if let Some(executor) = executor {
                    executor.act(from, action, cause);
                }
            }
        }
    }

    pub(super) fn publish(&self, cause: Cause, publication: Publication) {
        self.board.publish(self.now(), cause, publication, &self.recorder());
    }

    pub(super) fn answer(&self, cause: Cause, answer: OperatorAnswer) {
        let waiting = self.answers.borrow_mut().remove(&answer.request);
        if let Some(waiting) = waiting {
            // Whoever asked may have gone.
            let _ = waiting.answer.send((answer, cause));
        }
    }

    /// What an operator is answered, in words.
    pub(super) fn words(&self, said: &Reply) -> String {
        let roots = Roots::new(&self.board);
        words::reply(said, self.now(), |missing| roots.of(missing))
    }

    /// An actor has panicked over a message, which is not delivered again: whoever waits for an answer to it is told.
    fn answer_for_the_dead(&self, actor: &ActorId, message: MessageId, cause: Cause) {
        let answers = self.answers.borrow();
        let asked = answers.iter().find(|(_, waiting)| waiting.message == message).map(|(request, _)| *request);
        drop(answers);
        if let Some(request) = asked {
            let said = Reply::Panicked(actor.clone());
            self.answer(cause, OperatorAnswer { request, outcome: Outcome::Panicked, said });
        }
    }

    pub(super) fn next_request(&self) -> RequestId {
        let number = self.next_request.get();
        self.next_request.set(number.wrapping_add(1));
        RequestId(number)
    }

    pub(super) fn begins(&self, id: MessageId, cause: Cause) {
        *self.handling.borrow_mut() = Some((id, cause));
    }

    pub(super) fn ends(&self, id: MessageId, outcome: Outcome) {
        *self.handling.borrow_mut() = None;
        self.recorder().handled(id, self.now(), outcome);
    }

    pub(super) fn cause_of_beginning(&self, actor: &ActorId) -> Cause {
        self.beginnings.borrow().get(actor).copied().unwrap_or(self.start)
    }

    /// An actor has panicked: its supervisor is told, at once or when it lives again itself.
    pub(super) fn died(&self, actor: &ActorId, words: String) {
        tracing::error!(%actor, panic = words, "an actor panicked");
        let handling = self.handling.borrow_mut().take();
        let cause = match handling {
            Some((id, cause)) => {
                self.recorder().handled(id, self.now(), Outcome::Panicked);
                self.answer_for_the_dead(actor, id, cause);
                cause
            }
            None => {
                let external = ExternalCause::new(ExternalKind::Panic, format!("{actor} panicked: {words}"));
                self.recorder().begin(self.now(), external)
            }
        };
        self.dead.borrow_mut().insert(actor.clone(), (cause, words.clone()));
        let untold = supervisor(actor).is_some_and(|above| self.dead.borrow().contains_key(&above));
        if !untold {
            self.tell_supervisor(cause, actor, words);
        }
    }

    /// An actor lives again. One that supervises others is told again of those that died and are not restarted yet: it
    /// may have died of the very news.
    pub(super) fn revived(&self, actor: &ActorId) {
        self.dead.borrow_mut().remove(actor);
        let orphans: Vec<_> = self.dead.borrow().iter().map(|(child, death)| (child.clone(), death.clone())).collect();
        for (child, (cause, words)) in orphans {
            if supervisor(&child).as_ref() == Some(actor) {
                self.tell_supervisor(cause, &child, words);
            }
        }
    }

    fn tell_supervisor(&self, cause: Cause, actor: &ActorId, words: String) {
        let message = match supervisor(actor) {
            Some(ActorId::Hardware) => Message::Hardware(InventoryMessage::Died(actor.clone(), words)),
            Some(ActorId::Services) => Message::Services(ServicesMessage::Died(actor.clone(), words)),
            Some(_) => Message::Root(RootMessage::Died(actor.clone(), words)),
            None => {
                let action = match self.root_deaths.borrow_mut().died(self.now()) {
                    Verdict::Restart(pause) => Action::RestartActor(ActorId::Root, pause),
                    Verdict::Escalate => {
                        Action::Exit(Exit::GaveUp(format!("{}, of the root itself", Intensity::words())))
                    }
                };
                return self.act(cause, actor, action);
            }
        };
        self.send(cause, actor.clone().into(), message);
    }

    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        lock(&self.recorder)
    }
}

/// Who supervises an actor; nobody is above the root.
fn supervisor(actor: &ActorId) -> Option<ActorId> {
    match actor {
        ActorId::Device(_) => Some(ActorId::Hardware),
        ActorId::Service(_) => Some(ActorId::Services),
        ActorId::Hardware | ActorId::Leases | ActorId::Services => Some(ActorId::Root),
        ActorId::Root => None,
    }
}

fn lock(recorder: &Mutex<Recorder>) -> MutexGuard<'_, Recorder> {
    // The recorder is consistent between any two of its calls.
    recorder.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who carries out an action, and its name in traces.
fn performer(action: &Action) -> (Address, &'static str) {
    let outside = match action {
        Action::Spawn(_) | Action::Signal(_) | Action::Sweep(_) | Action::ReportRun(_) => Outside::Processes,
        Action::Watch(_) | Action::Unwatch(_) => Outside::Probes,
        Action::RestartActor(actor, _) => return (actor.clone().into(), action.kind()),
        Action::Exit(_) => return (ActorId::Root.into(), action.kind()),
        Action::CheckAccess(..)
        | Action::ProbeDevice(..)
        | Action::KeepAwake(_)
        | Action::LetSleep
        | Action::ReadSupply(_)
        | Action::PrepareRadio { .. }
        | Action::RestoreRadio { .. }
        | Action::ReportRadio(..)
        | Action::LookAtPorts(..)
        | Action::Rescan => Outside::Drivers,
    };
    (outside.into(), action.kind())
}
