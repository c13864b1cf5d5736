//! Messages: sent, delivered, handled; or the last one that an actor gets before it panics.

use std::time::Duration;

use super::envelope::supervisor;
use super::environment::{Consequences, Happening};
use super::host::{Deed, Life};
use super::{Asked, Cause, Due, Envelope, World};
use crate::device::DeviceMessage;
use crate::inventory::InventoryMessage;
use crate::machine::{
    Action, ActorId, Address, Beginning, Message, OperatorAnswer, Outcome, Outside, Publication, RequestId,
};
use crate::service::ServiceMessage;
use crate::supervision::{RootMessage, ServicesMessage};

const PANIC: &str = "simulated panic";

impl World {
    /// Sends a message, or what a planted bug makes of it.
    pub(super) fn send(&mut self, from: Address, message: Message, cause: Option<Cause>) {
        let Some(mut sabotaged) = self.sabotaged.take() else {
            self.post(from, message, cause);
            return;
        };
        let cause = sabotaged.cause(&from, cause);
        for message in sabotaged.message(message) {
            self.post(from.clone(), message, cause);
        }
        self.sabotaged = Some(sabotaged);
    }

    fn post(&mut self, from: Address, message: Message, cause: Option<Cause>) {
        self.messages += 1;
        let id = self.messages;
        let trace = cause.map_or(id, |cause| cause.trace);
        let envelope = Envelope { id, cause: cause.map(|cause| cause.message), trace, from, message };
        for checker in 0..self.checkers.len() {
            self.ask(checker, |checker, world| checker.sent(&envelope, &world.environment));
        }
        let Some(place) = self.index.get(&envelope.message.receiver()).copied() else { return };
        let Some(actor) = self.actors.get_mut(place) else { return };
        actor.mailbox.push_back(envelope);
        if actor.life == Life::Alive && actor.mailbox.len() == 1 {
            self.ready.push(place);
        }
    }

    /// Lets an actor handle its next message.
    pub(super) fn deliver(&mut self, place: usize) {
        let Some(actor) = self.actors.get_mut(place) else { return };
        let Some(envelope) = actor.mailbox.pop_front() else { return };
        let copy = self.journal.copy(&envelope);
        if self.doomed.is_some_and(|doom| doom.strikes(place, &envelope.message)) {
            self.journal.note(self.now, copy, Outcome::Panicked);
            self.panic(place, &envelope);
            return;
        }
        if !actor.mailbox.is_empty() {
            self.ready.push(place);
        }
        let cause = Cause { message: envelope.id, trace: envelope.trace };
        let id = envelope.message.receiver();
        let for_dependent = matches!(envelope.message, Message::Service(_, ServiceMessage::StartForDependent(_)));
        let mut deeds = Vec::new();
        actor.hosted.handle(self.now, envelope.message, &mut deeds);
        if let (true, ActorId::Service(name)) = (for_dependent, &id) {
            self.note(&Happening::StartedForDependent(name.clone()));
        }
        let noted = deeds.iter().find_map(|deed| if let Deed::Note(outcome) = deed { Some(*outcome) } else { None });
        self.journal.note(self.now, copy, noted.unwrap_or_default());
        self.carry_out(place, &id, deeds, cause);
    }

    pub(super) fn begin_actor(&mut self, place: usize, beginning: Beginning, cause: Option<Cause>, from: Outside) {
        let Some(actor) = self.actors.get_mut(place) else { return };
        let mut deeds = Vec::new();
        actor.hosted.begin(self.now, beginning, &mut deeds);
        let Some((id, _)) = self.index.iter().find(|(_, at)| **at == place) else { return };
        let id = id.clone();
        match cause {
            Some(cause) => self.carry_out(place, &id, deeds, cause),
            // What is told at the start begins a trace each.
            None => {
                for deed in deeds {
                    if let Deed::Tell(message) = deed {
                        self.send(from.into(), message, None);
                    } else {
                        let cause = Cause { message: self.messages, trace: self.messages };
                        self.carry_out(place, &id, vec![deed], cause);
                    }
                }
            }
        }
    }

    fn carry_out(&mut self, place: usize, id: &ActorId, deeds: Vec<Deed>, cause: Cause) {
        for deed in deeds {
            match deed {
                Deed::Tell(message) => self.send(Address::Actor(id.clone()), message, Some(cause)),
                Deed::Later(number, wait, message) => {
                    self.agenda.put(self.now + wait, Due::Timer { actor: place, number, message, cause });
                }
                Deed::Act(action) => self.act(id, action, cause),
                Deed::Publish(publication) => self.show(publication),
                Deed::Answer(answer) => self.answered(&answer),
                Deed::Note(_) => {}
            }
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
            Publication::Leases(shown) => self.shown.leases = shown,
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
        }
        for (at, event, cause) in so.later {
            self.agenda.put(at, Due::Around(event, cause));
        }
        for (from, message, cause) in so.told {
            self.send(from.into(), message, cause);
        }
    }

    // ---- death and return of actors

    fn panic(&mut self, place: usize, envelope: &Envelope) {
        self.doomed = None;
        let Some(actor) = self.actors.get_mut(place) else { return };
        actor.life = Life::Down;
        actor.hosted.die();
        let id = envelope.message.receiver();
        if let Some(request) = request_of(&envelope.message) {
            self.asked.remove(&request);
        }
        self.note(&Happening::Panicked(id.clone()));
        self.tell_supervisor(&id, Some(Cause { message: envelope.id, trace: envelope.trace }));
    }

    fn tell_supervisor(&mut self, id: &ActorId, cause: Option<Cause>) {
        if let (ActorId::Root, Some(cause)) = (id, cause) {
            // Nobody is above it: its host restarts it.
            self.act(id, Action::RestartActor(ActorId::Root, Duration::from_millis(10)), cause);
            return;
        }
        let words = PANIC.to_owned();
        let message = match supervisor(id) {
            ActorId::Hardware => Message::Hardware(InventoryMessage::Died(id.clone(), words)),
            ActorId::Services => Message::Services(ServicesMessage::Died(id.clone(), words)),
            _ => Message::Root(RootMessage::Died(id.clone(), words)),
        };
        self.send(Address::Actor(id.clone()), message, cause);
    }

    pub(super) fn restart(&mut self, place: usize, cause: Cause) {
        let Some(actor) = self.actors.get_mut(place) else { return };
        if actor.life == Life::Alive {
            // A supervisor restarts all its children, also those that are well.
            actor.hosted.die();
        }
        if actor.life == Life::Down && !actor.mailbox.is_empty() {
            self.ready.push(place);
        }
        actor.life = Life::Alive;
        actor.hosted.rebuild();
        if let Some((id, _)) = self.index.iter().find(|(_, at)| **at == place) {
            self.note(&Happening::Restarted(id.clone()));
        }
        self.begin_actor(place, Beginning::Again, Some(cause), Outside::Start);
        self.announce_the_dead(place, cause);
    }

    /// The exit of a child is never lost: a supervisor that is restarted is told again who is down.
    fn announce_the_dead(&mut self, restarted: usize, cause: Cause) {
        let is_down = |place: &usize| self.actors.get(*place).is_some_and(|actor| actor.life == Life::Down);
        let of_it = |id: &ActorId| self.index.get(&supervisor(id)) == Some(&restarted);
        let dead: Vec<ActorId> =
            self.index.iter().filter(|(id, place)| is_down(place) && of_it(id)).map(|(id, _)| id.clone()).collect();
        for id in dead {
            self.tell_supervisor(&id, Some(cause));
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
