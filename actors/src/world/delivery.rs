//! Messages: sent, delivered, handled; or the last one that an actor gets before it panics.

use super::environment::{Command, Consequences, Happening, Saying};
use super::faults::{Doom, Loss, Strikes};
use super::{Asked, Cause, Daemon, Due, World};
use crate::effect::executor::Delivery;
use crate::engine::{self, Fallen, Letter, Mail, Place, Timer};
use crate::message::device::DeviceMessage;
use crate::message::service::ServiceMessage;
use crate::message::{
    ActorId, Address, Effect, Message, OperatorAnswer, Outcome, Outside, Publication, Reply, RequestId, Start,
};
use crate::trace::{MessageId, TraceId};

const PANIC: &str = "simulated panic";

impl World {
    /// Sends a message, or what a planted bug makes of it.
    /// What follows from it is caused by what is answered.
    pub(super) fn send(&mut self, from: Address, message: Message, cause: Option<Cause>) -> Option<Cause> {
        if self.daemon == Daemon::Down {
            return None;
        }
        let Some(mut sabotaged) = self.sabotaged.take() else {
            return Some(self.post(from, message, cause));
        };
        let cause = sabotaged.cause(&from, cause);
        let mut posted = None;
        for message in sabotaged.message(message) {
            match sabotaged.delay(&message) {
                Some(delay) => self.agenda.put(self.now + delay, Due::Late(from.clone(), Box::new(message), cause)),
                None => posted = Some(self.post(from.clone(), message, cause)),
            }
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

    pub(super) fn post(&mut self, from: Address, message: Message, cause: Option<Cause>) -> Cause {
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
            Some(Mail::Rang(_, cause, message)) => {
                #[cfg(test)]
                self.mark_overtaken(place);
                match self.sabotaged_timer(message) {
                    Some(message) => self.seal(Outside::Clock.into(), message, Some(cause)),
                    None => return self.make_ready(place),
                }
            }
            Some(Mail::TellAgain(to, cause)) => {
                match self.engine.tell_again(place, self.now, &to, cause) {
                    Ok(()) => self.carry_out_untold(place, cause),
                    Err(fallen) => self.fell(fallen),
                }
                return self.make_ready(place);
            }
        };
        let strikes = self.doomed.and_then(|doom| doom.strikes(place, &letter.message));
        #[cfg(test)]
        self.mark(place, &letter.message, strikes.filter(|strikes| !matches!(strikes, Strikes::During(_))));
        let cause = letter.as_cause();
        match strikes {
            Some(strikes @ (Strikes::Before | Strikes::Amid)) => return self.lose(place, letter, strikes),
            None | Some(Strikes::During(_) | Strikes::After) => self.handle(place, letter),
        }
        self.carry_out_until(place, strikes, cause);
        self.make_ready(place);
    }

    fn handle(&mut self, place: Place, letter: Letter) {
        for checker in 0..self.checkers.len() {
            self.ask(checker, |checker, world| checker.handled(&letter, &world.environment));
        }
        let copy = self.journal.copy(&letter);
        let for_dependent = match &letter.message {
            Message::Service(name, ServiceMessage::StartForDependent(..)) => Some(name.clone()),
            _ => None,
        };
        let breaks = self.sabotaged.as_mut().is_some_and(|sabotaged| sabotaged.breaks_over(&letter.message));
        let handled = match &self.sabotaged {
            _ if breaks => self.engine.handle_and_panic(place, self.now, letter),
            Some(sabotaged) => self.engine.handle(place, self.now, sabotaged.unseen(letter)),
            None => self.engine.handle(place, self.now, letter),
        };
        // What a later request has done is not done again for an earlier one.
        let for_dependent = for_dependent.filter(|_| !matches!(handled, Ok(Outcome::Superseded)));
        match handled {
            Ok(outcome) => {
                #[cfg(test)]
                self.mark_taken(outcome);
                self.journal.note(self.now, copy, outcome);
            }
            Err(fallen) => {
                self.journal.note(self.now, copy, Outcome::Panicked);
                self.fell(fallen);
            }
        }
        if let Some(name) = for_dependent {
            self.note(&Happening::StartedForDependent(name));
        }
    }

    /// An actor panics over a message, which is lost.
    fn lose(&mut self, place: Place, letter: Letter, strikes: Strikes) {
        self.journal.note(self.now, self.journal.copy(&letter), Outcome::Panicked);
        if let Some(request) = request_of(&letter.message) {
            self.asked.remove(&request);
        }
        if strikes == Strikes::Amid {
            self.doomed = self.doomed.and_then(Doom::struck);
            if let Err(fallen) = self.engine.handle_and_panic(place, self.now, letter) {
                self.fallen(fallen);
            }
        } else {
            self.panic(place, letter.as_cause());
        }
    }

    /// Carries out what an actor wants done that was told nothing.
    fn carry_out_untold(&mut self, place: Place, cause: Cause) {
        let strikes = self.doomed.and_then(|doom| doom.strikes_untold(place));
        #[cfg(test)]
        self.mark_again(place, strikes);
        self.carry_out_until(place, strikes, cause);
    }

    /// Carries out what an actor wants done, and lets it panic over that.
    fn carry_out_until(&mut self, place: Place, strikes: Option<Strikes>, cause: Cause) {
        let lost = match strikes {
            Some(Strikes::During(loss)) => self.which_is_lost(place, loss).map(|lost| (lost, loss)),
            None | Some(Strikes::Before | Strikes::Amid | Strikes::After) => None,
        };
        #[cfg(test)]
        self.mark_place(place, lost.map(|(lost, _)| lost));
        self.carry_out_all_but(place, lost);
        // With nothing that can be lost it does not panic yet.
        let strikes = strikes.filter(|strikes| lost.is_some() || !matches!(strikes, Strikes::During(_)));
        if strikes.is_some() && self.daemon == Daemon::Up && self.ended.is_none() {
            self.panic(place, cause);
        }
    }

    /// Lets an actor begin for the first time: what it tells begins a trace each.
    pub(super) fn begin_actor(&mut self, place: Place) {
        let nothing = Cause { trace: TraceId(0), message: None };
        self.engine.begin(place, self.now, nothing);
        self.show_begun(place);
        let Some(id) = self.engine.actor(place) else { return };
        let mut led = None;
        while let Some((_, effect)) = self.engine.next_effect(place, self.now) {
            match effect {
                Effect::Tell(message) => led = self.send(Outside::Start.into(), message, None),
                effect => {
                    let nothing = Cause { trace: TraceId(self.messages), message: None };
                    self.perform_effect(&id, effect, led.unwrap_or(nothing));
                }
            }
        }
    }

    /// Carries out what an actor wants done; the one with this number is lost, or half done.
    fn carry_out_all_but(&mut self, place: Place, lost: Option<(usize, Loss)>) {
        let Some(id) = self.engine.actor(place) else { return };
        let mut number = 0;
        while let Some((cause, effect)) = self.engine.next_effect(place, self.now) {
            let loss = lost.filter(|(lost, _)| *lost == number).map(|(_, loss)| loss);
            #[cfg(test)]
            self.mark_loss(&effect, loss);
            match (loss, effect) {
                (None, effect) => self.perform_effect(&id, effect, cause),
                (Some(Loss::Half(acts)), Effect::Act(action)) => self.act_by_half(&id, (action, cause), acts),
                // What was asked is done, though whoever asked hears only that nobody answers.
                (Some(_), Effect::Answer(answer)) => self.answered(&answer),
                (Some(_), _) => {}
            }
            if self.daemon == Daemon::Down || self.ended.is_some() || self.is_killed_after_this() {
                return;
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
            Publication::Inventory(news) => self.shown.inventory = news,
            Publication::Closing(_) => {}
        }
    }

    fn answered(&mut self, answer: &OperatorAnswer) {
        let asked = self.asked.remove(&answer.request);
        if answer.outcome != Outcome::Handled {
            return;
        }
        match asked {
            Some(Asked::Service(name, command)) => {
                let goes_on_without = matches!(answer.said, Reply::Start(_, Start::GoesOnWithout));
                let command = if goes_on_without { Command::StartIgnoringNeeds } else { command };
                self.note(&Happening::Done(name, command));
            }
            Some(Asked::Device(name, command)) => self.note(&Happening::DeviceDone(name, command)),
            None => {}
        }
    }

    /// What happened is shown to the checkers.
    pub(super) fn note(&mut self, happening: &Happening) {
        for checker in 0..self.checkers.len() {
            self.ask(checker, |checker, world| checker.happened(happening, &world.environment));
        }
    }

    /// A machine that has begun is shown to the checkers.
    fn show_begun(&mut self, place: Place) {
        for checker in 0..self.checkers.len() {
            self.ask(checker, |checker, world| match world.engine.machine(place) {
                Some(machine) => checker.began(world.now, machine),
                None => Ok(()),
            });
        }
    }

    /// Puts the consequences of something around the machines into effect.
    pub(super) fn follow(&mut self, so: Consequences) {
        for happening in &so.happened {
            self.note(happening);
        }
        for (at, event, cause) in so.later {
            self.agenda.put(at, Due::Around(Box::new(event), cause));
        }
        if self.environment.was_killed() {
            // Nobody hears what it would have said.
            return self.kill_daemon();
        }
        for saying in so.said {
            self.tell(saying);
        }
        for (from, message, cause) in so.told {
            self.say(from, message, cause);
        }
    }

    /// Something from outside is told; after it mainstay may be killed. A part that is lost tells nothing any more.
    pub(super) fn say(&mut self, from: Outside, message: Message, cause: Option<Cause>) -> Option<Cause> {
        if self.lost.is_some_and(|lost| lost.is_silent(from)) {
            return None;
        }
        let led = self.send(from.into(), message, cause);
        if self.daemon == Daemon::Down || self.is_killed_after_this() { None } else { led }
    }

    /// Tells the actors something that the executor says of a run, as far as that is told.
    fn tell(&mut self, saying: Saying) {
        let mut so = Consequences::default();
        let (from, all) = self.environment.tell(saying, &mut so);
        for told in all {
            // It is decided, and noted, what is told; it is not told.
            if self.environment.is_killed_now() {
                return self.kill_daemon();
            }
            let cause = match told.delivery {
                Delivery::Answer(cause) => Some(cause),
                Delivery::External(_) => None,
            };
            let led = self.say(from, Message::Service(told.service, told.message), cause);
            if self.daemon == Daemon::Down {
                return;
            }
            if let (Some(run), Some(cause)) = (told.leads_on, led) {
                self.environment.led_to(run, cause);
            }
        }
        self.follow(so);
    }

    // ---- death and return of actors

    fn panic(&mut self, place: Place, cause: Cause) {
        self.doomed = self.doomed.and_then(Doom::struck);
        let fallen = self.engine.fall(place, self.now, cause, PANIC.to_owned());
        self.fallen(fallen);
    }

    /// An actor has panicked that was not made to.
    fn fell(&mut self, fallen: Fallen) {
        self.note(&Happening::Fell(fallen.actor.clone(), fallen.words.clone()));
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
            Some(engine::Due::Mail(place)) => {
                #[cfg(test)]
                self.rings(place);
                self.make_ready(place);
            }
            Some(engine::Due::Restarted(place, cause, peers)) => {
                self.show_begun(place);
                if let Some(id) = self.engine.actor(place) {
                    self.note(&Happening::Restarted(id));
                }
                self.carry_out_untold(place, cause);
                self.make_ready(place);
                peers.into_iter().for_each(|peer| self.make_ready(peer));
            }
            Some(engine::Due::Fell(_, fallen)) => self.fell(fallen),
        }
    }
}

pub(super) fn request_of(message: &Message) -> Option<RequestId> {
    match message {
        Message::Service(
            _,
            ServiceMessage::Start(request, _) | ServiceMessage::Stop(request) | ServiceMessage::Restart(request, _),
        )
        | Message::Device(_, DeviceMessage::Eject(request) | DeviceMessage::Admit(request)) => Some(*request),
        _ => None,
    }
}
