//! All actors of a station, started and wired.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use actix::Actor;
use mainstay_config::model::Station;
use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::sighting::HardwareEvent;
use tokio::sync::oneshot;

use super::cut::Cut;
use super::host::Host;
use super::stage::{Stage, Waiting};
use super::timekeeper::keep_time;
use super::watchdog::Watchdog;
use crate::action::process::RunId;
use crate::board::Board;
use crate::clock::Clock;
use crate::effect::executor::{Deliver, Delivery, Executor};
use crate::effect::watched::Watched;
use crate::engine::Engine;
use crate::message::inventory::InventoryMessage;
use crate::message::lasting::Remembered;
use crate::message::supervision::RootMessage;
use crate::message::{DaemonExit, Message, OperatorAnswer, Outside, Reply, RequestId};
use crate::trace::{Cause, ExternalCause, Recorder};

/// What a system of actors stands on.
pub struct Parts {
    /// Its clock.
    pub clock: Clock,
    /// Its recorder, shared with whoever shows traces.
    pub recorder: Arc<Mutex<Recorder>>,
    /// Its board, shared with whoever shows states.
    pub board: Arc<Board>,
    /// Who is told when a task of theirs panics.
    pub watched: Watched,
    /// Who says so when an actor does not return.
    pub watchdog: Watchdog,
    /// The first run number: higher than any that an earlier mainstay may have given on this machine.
    pub first_run: RunId,
    /// What an earlier mainstay has written down.
    pub remembered: Remembered,
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
    ) -> (Self, oneshot::Receiver<DaemonExit>) {
        let (ending, ended) = oneshot::channel();
        let engine = Engine::new(station, parts.first_run, &parts.remembered);
        let stage = Rc::new(Stage::new((parts.clock, parts.recorder, parts.board), parts.watchdog, engine, ending));
        let for_executor = Rc::downgrade(&stage);
        let deliver: Deliver = Rc::new(move |delivery, from, message| {
            for_executor.upgrade().map(|stage| stage.deliver(delivery, from, message))
        });
        *stage.executor.borrow_mut() = Some(executor(deliver));
        let hosts = stage.places().map(|place| Host::new(place, Rc::clone(&stage)).start()).collect();
        stage.begin(hosts);
        parts.watched.task("timekeeper", keep_time(Rc::clone(&stage)));
        (Self { stage, station: Arc::clone(station) }, ended)
    }

    /// Something happened to the hardware.
    pub fn hardware(&self, event: HardwareEvent) {
        let cause = ExternalCause::hardware(&event);
        let message = Message::Hardware(InventoryMessage::Event(event));
        self.stage.deliver(Delivery::External(cause), Outside::Kernel, message);
    }

    /// An operator asks for something.
    pub fn operator(&self, message: impl FnOnce(RequestId) -> Message) -> Answer {
        let (answered, answer) = oneshot::channel();
        let request = self.stage.next_request();
        let message = message(request);
        let cause = ExternalCause::Operator(Box::new(message.clone()));
        let asked = self.stage.deliver(Delivery::External(cause), Outside::Operator, message);
        // It is handled later, and it is not sent at all to an actor that does not exist.
        if let Some(message) = asked.message {
            self.stage.answers.borrow_mut().insert(request, Waiting { message, answer: answered });
        }
        answer
    }

    /// A signal came: stop everything in order.
    pub fn close(&self, signal: &str) {
        self.tell_root(ExternalCause::Signal(signal.to_owned()), RootMessage::Close);
    }

    /// Another one came: stop everything without grace.
    pub fn hurry(&self, signal: &str) {
        self.tell_root(ExternalCause::SignalAgain(signal.to_owned()), RootMessage::Hurry);
    }

    fn tell_root(&self, cause: ExternalCause, message: RootMessage) {
        self.stage.deliver(Delivery::External(cause), Outside::Signal, Message::Root(message));
    }

    /// What an operator is answered, in words.
    #[must_use]
    pub fn words(&self, said: &Reply) -> String {
        self.stage.words(said)
    }

    /// Everything as it is now. To be called between two messages, as everything on this thread is.
    #[must_use]
    pub fn cut(&self) -> Cut {
        self.stage.cut()
    }

    /// It is quiet: lets go of what actors keep only to be quicker. To be called between two messages.
    pub fn rest(&self) {
        self.stage.rest();
    }

    /// The station it runs.
    #[must_use]
    pub fn station(&self) -> &Station {
        &self.station
    }

    /// The configured device of this name.
    #[must_use]
    pub fn device(&self, name: &str) -> Option<DeviceName> {
        self.station.devices.get(name).map(|device| device.name.clone())
    }

    /// The configured service of this name.
    #[must_use]
    pub fn service(&self, name: &str) -> Option<ServiceName> {
        self.station.services.get(name).map(|service| service.name.clone())
    }

    /// Stands still as if this actor did not return; comes back only when there is no such actor.
    #[cfg(debug_assertions)]
    pub fn freeze(&self, actor: &crate::message::ActorId) {
        self.stage.freeze(actor);
    }

    /// Whether there is such an actor.
    #[cfg(debug_assertions)]
    #[must_use]
    pub fn has(&self, actor: &crate::message::ActorId) -> bool {
        self.stage.has(actor)
    }

    /// Makes an actor panic; whether there is such an actor.
    #[cfg(any(debug_assertions, test))]
    #[must_use]
    pub fn poison(&self, actor: &crate::message::ActorId) -> bool {
        self.stage.poison(actor)
    }
}

impl Drop for System {
    /// Actors and their mailboxes live as long as the thread; without this they would hold on to the executor, and whoever
    /// started it could not end it.
    fn drop(&mut self) {
        self.stage.executor.borrow_mut().take();
    }
}
