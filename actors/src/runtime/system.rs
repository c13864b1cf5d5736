//! All actors of a station, started and wired.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use actix::{AsyncContext, Context};
use futures::channel::mpsc;
use mainstay_config::model::Station;
use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::sighting::HardwareEvent;
use tokio::sync::oneshot;

use super::board::Board;
use super::clock::Clock;
use super::executor::{Deliver, Delivery, Executor};
use super::host::{Factory, Host};
use super::stage::{Stage, Waiting};
use super::supervised::Supervised;
use crate::device::DeviceMachine;
use crate::effect::process::order::RunId;
use crate::inventory::{InventoryMachine, InventoryMessage, event_words};
use crate::lease::LeaseMachine;
use crate::machine::{Exit, Machine, Message, OperatorAnswer, Outside, Reply, RequestId};
use crate::service::{ServiceMachine, all_dependents};
use crate::supervision::{RootMachine, RootMessage, ServicesMachine};
use crate::trace::{Cause, ExternalCause, ExternalKind, Recorder};

/// Run numbers are given in blocks of this many, one block to each incarnation of each service.
const RUN_BLOCK: u64 = 1 << 20;

/// What a system of actors stands on.
pub struct Parts {
    /// Its clock.
    pub clock: Clock,
    /// Its recorder, shared with whoever shows traces.
    pub recorder: Arc<Mutex<Recorder>>,
    /// Its board, shared with whoever shows states.
    pub board: Arc<Board>,
    /// The first run number: higher than any that an earlier mainstay may have given on this machine.
    pub first_run: RunId,
}

/// An operator's answer with the trace to follow.
pub type Answer = oneshot::Receiver<(OperatorAnswer, Cause)>;

/// The actors of a station. Lives on the actor thread: a tokio local runtime.
pub struct System {
    pub(super) stage: Rc<Stage>,
    station: Arc<Station>,
}

impl System {
    /// Starts all actors. `executor` is given the way to deliver what it has to say. The receiver gets the reason when
    /// the daemon should end.
    pub fn start(
        station: &Arc<Station>,
        parts: Parts,
        executor: impl FnOnce(Deliver) -> Rc<dyn Executor>,
    ) -> (Self, oneshot::Receiver<Exit>) {
        let (ending, ended) = oneshot::channel();
        let stage = Rc::new(Stage::new(parts.clock, parts.recorder, parts.board, ending));
        let for_executor = Rc::downgrade(&stage);
        let deliver: Deliver = Rc::new(move |delivery, from, message| {
            for_executor.upgrade().map(|stage| stage.deliver(delivery, from, message))
        });
        *stage.executor.borrow_mut() = Some(executor(deliver));
        start_all(station, &stage, parts.first_run);
        (Self { stage, station: Arc::clone(station) }, ended)
    }

    /// Something happened to the hardware.
    pub fn hardware(&self, event: HardwareEvent) {
        let cause = ExternalCause::new(ExternalKind::Hardware, event_words(&event));
        let message = Message::Hardware(InventoryMessage::Event(event));
        self.stage.deliver(Delivery::External(cause), Outside::Kernel, message);
    }

    /// An operator asks for something: in words, and as a message.
    pub fn operator(&self, words: &str, message: impl FnOnce(RequestId) -> Message) -> Answer {
        let (answered, answer) = oneshot::channel();
        let request = self.stage.next_request();
        let cause = ExternalCause::new(ExternalKind::Operator, words);
        let asked = self.stage.deliver(Delivery::External(cause), Outside::Operator, message(request));
        // It is handled later, and it is not sent at all to an actor that does not exist.
        if let Some(message) = asked.message {
            self.stage.answers.borrow_mut().insert(request, Waiting { message, answer: answered });
        }
        answer
    }

    /// Stop everything in order.
    pub fn close(&self, words: &str) {
        self.tell_root(words, RootMessage::Close);
    }

    /// Stop everything without grace.
    pub fn hurry(&self, words: &str) {
        self.tell_root(words, RootMessage::Hurry);
    }

    fn tell_root(&self, words: &str, message: RootMessage) {
        let cause = ExternalCause::new(ExternalKind::Signal, words);
        self.stage.deliver(Delivery::External(cause), Outside::Signal, Message::Root(message));
    }

    /// What an operator is answered, in words.
    #[must_use]
    pub fn words(&self, said: &Reply) -> String {
        self.stage.words(said)
    }

    /// The station it runs.
    #[must_use]
    pub fn station(&self) -> &Station {
        &self.station
    }

    /// The configured device of this name.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<DeviceName> {
        self.station.devices.keys().find(|known| known.as_str() == name).cloned()
    }

    /// The configured service of this name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<ServiceName> {
        self.station.services.keys().find(|known| known.as_str() == name).cloned()
    }

    /// Makes an actor panic; whether there is such an actor.
    #[cfg(any(debug_assertions, test))]
    #[must_use]
    pub fn poison(&self, actor: &crate::machine::ActorId) -> bool {
        use crate::machine::ActorId;
        let directory = self.stage.directory.borrow();
        fn poison<M: Machine>(address: Option<&actix::Addr<Host<M>>>) -> bool {
            address.map(|address| address.do_send(super::envelope::Poison)).is_some()
        }
        match actor {
            ActorId::Root => poison(directory.root.as_ref()),
            ActorId::Hardware => poison(directory.hardware.as_ref()),
            ActorId::Leases => poison(directory.leases.as_ref()),
            ActorId::Services => poison(directory.services.as_ref()),
            ActorId::Device(name) => poison(directory.device.get(name)),
            ActorId::Service(name) => poison(directory.service.get(name)),
        }
    }
}

impl Drop for System {
    /// Actors and their mailboxes live as long as the thread; without this they would hold on to the executor, and whoever
    /// started it could not end it.
    fn drop(&mut self) {
        self.stage.executor.borrow_mut().take();
    }
}

/// Starts every actor: those that are told before those that tell.
fn start_all(station: &Arc<Station>, stage: &Rc<Stage>, first_run: RunId) {
    let root = start(stage, Box::new(|_, memo| RootMachine::remembering(memo)));
    stage.directory.borrow_mut().root = Some(root);
    let known = Arc::clone(station);
    let leases = start(stage, Box::new(move |incarnation, ()| LeaseMachine::new(&known, incarnation)));
    stage.directory.borrow_mut().leases = Some(leases);
    for device in station.devices.values().cloned() {
        let name = device.name.clone();
        let address = start(
            stage,
            Box::new(move |incarnation, memo| DeviceMachine::new(device.clone(), incarnation).remembering(memo)),
        );
        stage.directory.borrow_mut().device.insert(name, address);
    }
    let known = Arc::clone(station);
    let hardware = start(stage, Box::new(move |_, memo| InventoryMachine::new(&known).remembering(memo)));
    stage.directory.borrow_mut().hardware = Some(hardware);
    let next_block = Rc::new(std::cell::Cell::new(first_run.0));
    let mut dependents = all_dependents(station);
    for service in station.services.values().cloned().map(Arc::new) {
        let name = service.name.clone();
        let others = dependents.remove(&name).unwrap_or_default();
        let next_block = Rc::clone(&next_block);
        let factory: Factory<ServiceMachine> = Box::new(move |_, memo| {
            let first = next_block.get();
            next_block.set(first.wrapping_add(RUN_BLOCK));
            ServiceMachine::new(Arc::clone(&service), others.clone(), RunId(first), memo)
        });
        let address = start(stage, factory);
        stage.directory.borrow_mut().service.insert(name, address);
    }
    let order: Vec<ServiceName> = station.layers.iter().flatten().cloned().collect();
    let slots = station.runtime.max_parallel_starts;
    let services = start(stage, Box::new(move |_, memo| ServicesMachine::new(order.clone(), slots, memo)));
    stage.directory.borrow_mut().services = Some(services);
}

/// Starts one supervised actor.
fn start<M>(stage: &Rc<Stage>, factory: Factory<M>) -> actix::Addr<Host<M>>
where
    M: Machine,
{
    let host = Host::new(Rc::clone(stage), factory);
    let id = host.id().clone();
    let context = Context::new();
    let address = context.address();
    // Not tokio's, which makes room for 32 words at once: a kilobyte for each actor.
    let (restart, restarts) = mpsc::unbounded();
    stage.directory.borrow_mut().restarts.insert(id.clone(), restart);
    let life = Supervised::new(context.into_future(host), id, Rc::clone(stage), restarts);
    tokio::task::spawn_local(life);
    address
}
