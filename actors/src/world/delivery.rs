//! Messages: sent, delivered, handled; or the last one that an actor gets before it panics.

use super::environment::{Consequences, Happening, Saying};
use super::faults::Strikes;
use super::{Asked, Cause, Due, Standing, World};
use crate::effect::executor::Delivery;
use crate::engine::{self, Fallen, Letter, Mail, Place, Timer};
use crate::message::device::DeviceMessage;
use crate::message::service::ServiceMessage;
use crate::message::{ActorId, Address, Effect, Message, OperatorAnswer, Outcome, Outside, Publication, RequestId};
use crate::trace::{MessageId, TraceId};

const PANIC: &str = "simulated panic";

impl World {
    /// Sends a message, or what a planted bug makes of it.
    /// What follows from it is caused by what is answered.
    pub(super) fn send(&mut self, from: Address, message: Message, cause: Option<Cause>) -> Option<Cause> {
        if self.standing == Standing::Down {
            return None;
        }
        let Some(mut sabotaged) = self.sabotaged.take() else {
            return Some(self.post(from, message, cause));
        };
        let cause = sabotaged.cause(&from, cause);
        let mut posted = None;
        for message in sabotaged.message(message) {
            posted = Some(self.post(from.clone(), message, cause));
        }
        self.sabotaged = Some(sabotaged);
        posted
    }

    /// What a planted bug makes of a timer that has rung.
    fn sabotaged_timer(&mut self, message: Message) -> Option<Message> {
        match &mut self.sabotaged {
            None => Some(message),
            Some(sabotaged) => sabotaged.message(message).pop(),
        }
    }

    fn post(&mut self, from: Address, message: Message, cause: Option<Cause>) -> Cause {
        let letter = self.seal(from, message, cause);
        let posted = letter.as_cause();
        if let Some(place) = self.engine.put(letter) {
            self.make_ready(place);
        }
        posted
    }

    /// A message without a cause begins a trace, which has its number.
    fn seal(&mut self, from: Address, message: Message, cause: Option<Cause>) -> Letter {
        self.messages += 1;
        let cause = cause.unwrap_or(Cause { trace: TraceId(self.messages), message: None });
        let letter = Letter { id: MessageId(self.messages), cause, from, message };
        for checker in 0..self.checkers.len() {
            self.ask(checker, |checker, world| checker.sent(&letter, &world.environment));
        }
        letter
    }

    /// An actor that has mail has its turn some time.
    pub(super) fn make_ready(&mut self, place: Place) {
        if self.engine.waiting(place) > 0 && !self.ready.contains(&place) {
            self.ready.push(place);
        }
    }

    /// Lets an actor handle its next message.
    pub(super) fn deliver(&mut self, place: Place) {
        let letter = match self.engine.next(place) {
            None => return,
            Some(Mail::Letter(letter)) => letter,
            Some(Mail::Rang(_, cause, message)) => match self.sabotaged_timer(message) {
                Some(message) => self.seal(Outside::Clock.into(), message, Some(cause)),
                None => return self.make_ready(place),
            },
            Some(Mail::TellAgain(..)) => {
                self.carry_out(place);
                return self.make_ready(place);
            }
        };
        let copy = self.journal.copy(&letter);
        let (id, cause, request) = (letter.message.receiver(), letter.as_cause(), request_of(&letter.message));
        let strikes = self.doomed.and_then(|doom| doom.strikes(place, &letter.message));
        if strikes == Some(Strikes::Before) {
            self.journal.note(self.now, copy, Outcome::Panicked);
            self.panic(place, cause, request);
            return;
        }
        for checker in 0..self.checkers.len() {
            self.ask(checker, |checker, world| checker.handled(&letter, &world.environment));
        }
        let for_dependent = matches!(letter.message, Message::Service(_, ServiceMessage::StartForDependent(_)));
        match self.engine.handle(place, self.now, letter) {
            Ok(outcome) => self.journal.note(self.now, copy, outcome),
            Err(fallen) => {
                self.journal.note(self.now, copy, Outcome::Panicked);
                return self.fail(10, format!("{} really panicked: {}", fallen.actor, fallen.words));
            }
        }
        if let (true, ActorId::Service(name)) = (for_dependent, &id) {
            self.note(&Happening::StartedForDependent(name.clone()));
        }
        match strikes {
            None => self.carry_out(place),
            Some(Strikes::During(lost)) => {
                self.carry_out_all_but(place, lost);
                self.panic(place, cause, None);
            }
            Some(Strikes::Before | Strikes::After) => {
                self.carry_out(place);
                self.panic(place, cause, None);
            }
        }
        self.make_ready(place);
    }

    /// Lets an actor begin for the first time: what it tells begins a trace each.
    pub(super) fn begin_actor(&mut self, place: Place) {
        let nothing = Cause { trace: TraceId(0), message: None };
        self.engine.begin(place, self.now, nothing);
        let Some(id) = self.engine.actor(place) else { return };
        while let Some((_, effect)) = self.engine.next_effect(place, self.now) {
            match effect {
                Effect::Tell(message) => {
                    self.send(Outside::Start.into(), message, None);
                }
                effect => self.perform_effect(&id, effect, Cause { trace: TraceId(self.messages), message: None }),
            }
        }
    }

    /// Carries out what an actor wants done.
    pub(super) fn carry_out(&mut self, place: Place) {
        self.carry_out_all_but(place, usize::MAX);
    }

    /// The same; the one with this number is lost.
    fn carry_out_all_but(&mut self, place: Place, lost: usize) {
        let Some(id) = self.engine.actor(place) else { return };
        let mut number = 0;
        while let Some((cause, effect)) = self.engine.next_effect(place, self.now) {
            match effect {
                // What was asked is done, though whoever asked hears only that nobody answers.
                Effect::Answer(answer) if number == lost => self.answered(&answer),
                _ if number == lost => {}
                effect => self.perform_effect(&id, effect, cause),
            }
            number += 1;
        }
    }

    fn perform_effect(&mut self, id: &ActorId, effect: Effect<Timer>, cause: Cause) {
        match effect {
            Effect::Tell(message) => {
                self.send(Address::Actor(id.clone()), message, Some(cause));
            }
            Effect::Act(action) => self.act(id, action, cause),
            Effect::Publish(publication) => self.show(publication),
            Effect::Answer(answer) => self.answered(&answer),
            // The engine has seen to these.
            Effect::SetTimer(..) | Effect::CancelTimer(_) | Effect::Note(_) => {}
        }
    }

    fn show(&mut self, publication: Publication) {
        match publication {
            Publication::Service(shown) => {
                self.shown.services.insert(shown.name.clone(), shown);
            }
            Publication::Device(shown) => {
                self.shown.devices.insert(shown.name.clone(), shown);
            }
            Publication::Leases(news) => self.shown.leases.take_in(news),
            Publication::Inventory(_) => {}
        }
    }

    fn answered(&mut self, answer: &OperatorAnswer) {
        if let Some(Asked::Service(name, command)) = self.asked.remove(&answer.request)
            && answer.outcome == Outcome::Handled
        {
            self.note(&Happening::Done(name, command));
        }
    }

    /// What happened is shown to the checkers.
    pub(super) fn note(&mut self, happening: &Happening) {
        for checker in 0..self.checkers.len() {
            self.ask(checker, |checker, world| checker.happened(happening, &world.environment));
        }
    }

    /// Puts the consequences of something around the machines into effect.
    pub(super) fn follow(&mut self, so: Consequences) {
        for happening in &so.happened {
            self.note(happening);
            match happening {
                Happening::StrangerSignalled(pid) => {
                    self.fail(11, format!("{pid} is signalled, which is no child of ours any more"));
                }
                Happening::CallsOverlap(device) => {
                    self.fail(6, format!("a call to the driver of {device} is begun while another is at it"));
                }
                _ => {}
            }
        }
        for (at, event, cause) in so.later {
            self.agenda.put(at, Due::Around(Box::new(event), cause));
        }
        for saying in so.said {
            self.tell(saying);
        }
        for (from, message, cause) in so.told {
            self.send(from.into(), message, cause);
        }
    }

    /// Tells the actors something that the executor says of a run, as far as that is told.
    fn tell(&mut self, saying: Saying) {
        let mut so = Consequences::default();
        if let Some((from, told)) = self.environment.tell(saying, &mut so) {
            let cause = match told.delivery {
                Delivery::Answer(cause) => Some(cause),
                Delivery::External(_) => None,
            };
            let led = self.send(from.into(), Message::Service(told.service, told.message), cause);
            if let (Some(run), Some(cause)) = (told.leads_on, led) {
                self.environment.led_to(run, cause);
            }
        }
        self.follow(so);
    }

    // ---- death and return of actors

    fn panic(&mut self, place: Place, cause: Cause, request: Option<RequestId>) {
        self.doomed = None;
        if let Some(request) = request {
            self.asked.remove(&request);
        }
        let fallen = self.engine.fall(place, self.now, cause, PANIC.to_owned());
        self.fallen(fallen);
    }

    fn fallen(&mut self, fallen: Fallen) {
        let exit = fallen.exit();
        self.note(&Happening::Panicked(fallen.actor));
        if let Some(exit) = exit {
            self.end(exit);
        }
    }

    /// Lets the engine do the next thing that is due.
    pub(super) fn let_due_happen(&mut self) {
        match self.engine.due(self.now) {
            None => {}
            Some(engine::Due::Mail(place)) => self.make_ready(place),
            Some(engine::Due::Restarted(place, peers)) => {
                if let Some(id) = self.engine.actor(place) {
                    self.note(&Happening::Restarted(id));
                }
                self.carry_out(place);
                self.make_ready(place);
                peers.into_iter().for_each(|peer| self.make_ready(peer));
            }
            Some(engine::Due::Fell(_, fallen)) => {
                self.fail(10, format!("{} really panicked when it began anew: {}", fallen.actor, fallen.words));
            }
        }
    }
}

fn request_of(message: &Message) -> Option<RequestId> {
    match message {
        Message::Service(
            _,
            ServiceMessage::Start(request, _) | ServiceMessage::Stop(request) | ServiceMessage::Restart(request, _),
        )
        | Message::Device(_, DeviceMessage::Eject(request) | DeviceMessage::Admit(request)) => Some(*request),
        _ => None,
    }
}
