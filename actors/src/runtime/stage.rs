//! The stage that all hosts stand on: the engine, actix addresses, recorder, board, executor.

mod panics;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix::Addr;
use tokio::sync::oneshot;

use super::cut::Cut;
use super::host::{Host, Ring};
use super::log::log;
use super::timekeeper::Alarm;
use super::watchdog::Watchdog;
use crate::board::Board;
use crate::clock::Clock;
use crate::effect::executor::{Delivery, EXECUTOR, Executor};
use crate::engine::{Due, Engine, Letter, Mail, Place, Timer};
use crate::message::{
    Action, ActorId, Address, DaemonExit, Effect, Message, Moment, OperatorAnswer, Outcome, Outside, Reply, RequestId,
    Words,
};
use crate::trace::{Cause, ExternalCause, MessageId, Recorder, Sending};
use crate::view::{Roots, words};
use mainstay_hardware::watched::words_of;

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
    watchdog: Watchdog,
    engine: RefCell<Engine>,
    alarm: Rc<Alarm>,
    hosts: RefCell<Vec<Addr<Host>>>,
    pub(super) executor: RefCell<Option<Rc<dyn Executor>>>,
    pub(super) answers: RefCell<BTreeMap<RequestId, Waiting>>,
    next_request: Cell<u64>,
    /// Who is to be restarted.
    down: RefCell<Vec<ActorId>>,
    ending: RefCell<Option<oneshot::Sender<DaemonExit>>>,
}

impl Stage {
    pub(super) fn new(
        (clock, recorder, board): (Clock, Arc<Mutex<Recorder>>, Arc<Board>),
        watchdog: Watchdog,
        engine: Engine,
        ending: oneshot::Sender<DaemonExit>,
    ) -> Self {
        Self {
            clock,
            recorder,
            board,
            watchdog,
            engine: RefCell::new(engine),
            alarm: Rc::default(),
            hosts: RefCell::default(),
            executor: RefCell::new(None),
            answers: RefCell::default(),
            next_request: Cell::new(1),
            down: RefCell::default(),
            ending: RefCell::new(Some(ending)),
        }
    }

    /// Lets every actor begin: those that are told before those that tell. `hosts` are in the engine's order.
    pub(super) fn begin(&self, hosts: Vec<Addr<Host>>) {
        *self.hosts.borrow_mut() = hosts;
        let cause = self.recorder().begin(self.now(), ExternalCause::Started);
        for place in self.places() {
            let Some(actor) = self.actor(place) else { continue };
            let _handling = self.watchdog.handling(&actor, "Begin");
            self.engine.borrow_mut().begin(place, self.now(), cause);
            self.carry_out(place);
        }
    }

    pub(super) fn cut(&self) -> Cut {
        let executor = self.executor.borrow().as_ref().map(|executor| executor.known()).unwrap_or_default();
        let last_request = RequestId(self.next_request.get().wrapping_sub(1));
        Cut { at: self.now(), engine: self.engine.borrow().clone(), last_request, executor }
    }

    pub(super) fn rest(&self) {
        self.engine.borrow_mut().rest();
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    pub(super) fn alarm(&self) -> &Rc<Alarm> {
        &self.alarm
    }

    pub(super) fn places(&self) -> impl Iterator<Item = Place> + use<> {
        self.engine.borrow().places()
    }

    fn actor(&self, place: Place) -> Option<ActorId> {
        self.engine.borrow().actor(place)
    }

    pub(super) fn next_due(&self) -> Option<Moment> {
        self.engine.borrow().next_due()
    }

    pub(super) fn next_request(&self) -> RequestId {
        let number = self.next_request.get();
        self.next_request.set(number.wrapping_add(1));
        RequestId(number)
    }

    // ---- sending

    /// Gives a message its id and puts it into its receiver's inbox. Answers what its consequences are caused by.
    fn send(&self, cause: Cause, from: Address, message: Message) -> Cause {
        let to = message.receiver();
        let Some(place) = self.engine.borrow().place(&to) else {
            tracing::warn!(%to, kind = message.described().kind(), "a message to nobody");
            return cause;
        };
        let letter = self.seal(cause, from, message);
        let cause = letter.as_cause();
        self.engine.borrow_mut().put(letter);
        self.ring(place);
        cause
    }

    fn seal(&self, cause: Cause, from: Address, message: Message) -> Letter {
        let described = message.described();
        let detail = || described.detail();
        let (to, kind) = (message.receiver().into(), described.kind());
        let sending = Sending { cause, from: from.clone(), to, kind, detail: &detail };
        let id = self.recorder().sent(self.now(), sending);
        Letter { id, cause, from, message }
    }

    fn ring(&self, place: Place) {
        if let Some(host) = self.hosts.borrow().get(place.number()) {
            host.do_send(Ring);
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

    // ---- handling

    /// Lets an actor handle its next mail.
    pub(super) fn take_turn(&self, place: Place) {
        let Some(actor) = self.actor(place) else { return };
        // What it is asked to say again it says when it takes that up.
        let handling = self.watchdog.handling(&actor, "TellAgain");
        let next = self.engine.borrow_mut().next(place);
        let letter = match next {
            None => return,
            Some(Mail::Letter(letter)) => letter,
            Some(Mail::Rang(_, cause, message)) => self.seal(cause, Outside::Clock.into(), message),
            Some(Mail::TellAgain(actor, cause)) => return self.tell_again(place, &actor, cause),
        };
        let (id, cause) = (letter.id, letter.as_cause());
        let kind = letter.message.described().kind();
        let span = tracing::debug_span!("message", trace = cause.trace.0, id = id.0, to = %actor, kind);
        let _entered = span.enter();
        handling.goes_on_with(kind);
        let handled = if panics::is_meant(&letter) {
            self.engine.borrow_mut().handle_and_panic(place, self.now(), letter)
        } else {
            self.engine.borrow_mut().handle(place, self.now(), letter)
        };
        match handled {
            Ok(outcome) => {
                self.carry_out(place);
                self.recorder().handled(id, self.now(), outcome);
            }
            Err(fallen) => {
                self.recorder().handled(id, self.now(), Outcome::Panicked);
                self.answer_for_the_dead(&fallen.actor, id, cause);
                self.fallen(cause, fallen);
            }
        }
    }

    /// Lets an actor say again what it has told one that was restarted.
    fn tell_again(&self, place: Place, to: &ActorId, cause: Cause) {
        let told = self.engine.borrow_mut().tell_again(place, self.now(), to, cause);
        match told {
            Ok(()) => self.carry_out(place),
            Err(fallen) => self.fallen(cause, fallen),
        }
    }

    /// Carries out all that an actor wants done. What panics is lost, and the actor is restarted when the rest is done.
    fn carry_out(&self, place: Place) {
        debug_assert!(self.watchdog.watches(), "nobody would say so if it did not return");
        let mut stumbled = None;
        loop {
            let next = self.engine.borrow_mut().next_effect(place, self.now());
            let Some((cause, effect)) = next else { break };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.perform(place, cause, effect))) {
                stumbled = Some((cause, words_of(&*panic)));
            }
        }
        if let Some((cause, words)) = stumbled {
            let fallen = self.engine.borrow_mut().fall(place, self.now(), cause, words);
            self.fallen(cause, fallen);
        }
        self.alarm.set(self.next_due());
    }

    fn perform(&self, place: Place, cause: Cause, effect: Effect<Timer>) {
        let Some(actor) = self.actor(place) else { return };
        match effect {
            Effect::Tell(message) => {
                self.send(cause, actor.into(), message);
            }
            Effect::Act(action) => self.act(cause, &actor, action),
            Effect::Publish(publication) => {
                let news = self.board.publish(self.now(), cause, publication, &self.recorder());
                news.iter().for_each(log);
            }
            Effect::Answer(answer) => self.answer(cause, answer),
            // The engine has seen to these.
            Effect::SetTimer(..) | Effect::CancelTimer(_) | Effect::Note(_) => {}
        }
    }

    /// Carries out an action, which stands in the trace like a message.
    fn act(&self, cause: Cause, from: &ActorId, action: Action) {
        let (to, words) = (performer(&action), || action.words());
        let cause = self.note(cause, (from.clone().into(), to), action.kind(), &words);
        if let Action::Exit(exit) = action {
            return self.end(exit);
        }
        let executor = self.executor.borrow().clone();
        let Some(executor) = executor else { return };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| executor.act(from, action, cause))) {
            // What it alone knows is half changed, and nobody can tell it again: it may never look at a process any more.
            *self.executor.borrow_mut() = None;
            self.part_is_lost(EXECUTOR, &words_of(&*panic));
        }
    }

    fn end(&self, exit: DaemonExit) {
        if let Some(ending) = self.ending.borrow_mut().take() {
            // The daemon has gone already if nobody listens.
            let _ = ending.send(exit);
        }
    }

    /// Writes down something that is done at once.
    fn note(
        &self,
        cause: Cause,
        (from, to): (Address, Address),
        kind: &'static str,
        detail: &dyn Fn() -> Words,
    ) -> Cause {
        let now = self.now();
        let mut recorder = self.recorder();
        let id = recorder.sent(now, Sending { cause, from, to, kind, detail });
        recorder.handled(id, now, Outcome::Handled);
        Cause { message: Some(id), ..cause }
    }

    fn answer(&self, cause: Cause, answer: OperatorAnswer) {
        let waiting = self.answers.borrow_mut().remove(&answer.request);
        if let Some(waiting) = waiting {
            // Whoever asked may have gone.
            let _ = waiting.answer.send((answer, cause));
        }
    }

    // ---- time

    /// Lets everything happen that is due by now.
    pub(super) fn let_due_happen(&self) {
        loop {
            // Of those who are to be restarted, the one that is next: they are in the order in which they fell. The root restarts itself.
            let fallen = self.down.borrow().first().cloned().unwrap_or(ActorId::Root);
            let _handling = self.watchdog.handling(&fallen, "RestartActor");
            let due = self.engine.borrow_mut().due(self.now());
            match due {
                None => return,
                Some(Due::Mail(place)) => self.ring(place),
                Some(Due::Restarted(place, _, peers)) => {
                    self.down.borrow_mut().retain(|actor| Some(actor) != self.actor(place).as_ref());
                    self.carry_out(place);
                    let waiting = self.engine.borrow().waiting(place);
                    (0..waiting).for_each(|_| self.ring(place));
                    peers.into_iter().for_each(|peer| self.ring(peer));
                }
                Some(Due::Fell(cause, fallen)) => self.fallen(cause, fallen),
            }
        }
    }

    /// What an operator is answered, in words.
    pub(super) fn words(&self, said: &Reply) -> String {
        let roots = Roots::new(&self.board);
        words::reply(said, self.now(), |missing| roots.of(missing))
    }

    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        // The recorder is consistent between any two of its calls.
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who carries out an action.
fn performer(action: &Action) -> Address {
    match action {
        Action::Prepare(..)
        | Action::LetGo(_)
        | Action::Spawn(_)
        | Action::Signal(_)
        | Action::Sweep(_)
        | Action::TellAgain(_) => Outside::Processes.into(),
        Action::Watch(_) | Action::Unwatch(_) => Outside::Probes.into(),
        Action::Remember(_) => Outside::Store.into(),
        Action::Exit(_) => ActorId::Root.into(),
        Action::CheckAccess(..)
        | Action::ProbeDevice(..)
        | Action::KeepAwake(_)
        | Action::LetSleep
        | Action::ReadSupply(_)
        | Action::ReadRadio { .. }
        | Action::SetRadio { .. }
        | Action::RestoreRadio { .. }
        | Action::LookAtPorts(..)
        | Action::LookAtFiles(..)
        | Action::Rescan => Outside::Drivers.into(),
    }
}
