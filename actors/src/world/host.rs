//! Hosting a machine: its mailbox, its timers, its death and its return.

use std::collections::VecDeque;
use std::time::Duration;

use super::envelope::Envelope;
use crate::machine::{
    Action, Beginning, Effect, Effects, Machine, Message, Moment, OperatorAnswer, Outcome, Publication,
};

/// An effect, with its timers as messages to be sent later.
#[derive(Debug)]
pub(super) enum Deed {
    Tell(Message),
    /// Send this to the same actor after a time, if the timer with this number still counts then.
    Later(u64, Duration, Message),
    Act(Action),
    Publish(Publication),
    Answer(OperatorAnswer),
    Note(Outcome),
}

/// A machine of any kind with what its host keeps for it.
pub(super) trait Hosted {
    fn begin(&mut self, now: Moment, beginning: Beginning, deeds: &mut Vec<Deed>);
    /// Handles a message. One that is not for this kind of machine is not handled.
    fn handle(&mut self, now: Moment, message: Message, deeds: &mut Vec<Deed>);
    /// Whether the timer with this number still counts; it does not after that.
    fn is_due(&mut self, number: u64) -> bool;
    /// The machine is lost, with its timers; what it remembers is kept.
    fn die(&mut self);
    /// A fresh machine, which must begin.
    fn rebuild(&mut self);
    /// The timers that are set, as the messages that they become.
    fn timers(&self) -> Vec<Message>;
}

/// How messages of a machine are told apart from those of others.
pub(super) struct Conversation<M: Machine> {
    pub(super) wrap: Box<dyn Fn(M::Message) -> Message>,
    pub(super) unwrap: fn(Message) -> Option<M::Message>,
    pub(super) build: Box<dyn Fn(u32, M::Memo) -> M>,
}

pub(super) struct Host<M: Machine> {
    conversation: Conversation<M>,
    machine: M,
    incarnation: u32,
    memo: M::Memo,
    timers: Vec<(M::Timer, u64)>,
    numbers: u64,
}

impl<M: Machine> Host<M> {
    pub(super) fn new(conversation: Conversation<M>) -> Self {
        let machine = (conversation.build)(0, M::Memo::default());
        Self { conversation, machine, incarnation: 0, memo: M::Memo::default(), timers: Vec::new(), numbers: 0 }
    }

    fn translate(&mut self, effects: Effects<M::Timer>, deeds: &mut Vec<Deed>) {
        for effect in effects {
            deeds.push(match effect {
                Effect::Tell(message) => Deed::Tell(message),
                Effect::SetTimer(timer, wait) => {
                    self.numbers += 1;
                    self.timers.retain(|(set, _)| *set != timer);
                    self.timers.push((timer.clone(), self.numbers));
                    Deed::Later(self.numbers, wait, (self.conversation.wrap)(M::timer(timer)))
                }
                Effect::CancelTimer(timer) => {
                    self.timers.retain(|(set, _)| *set != timer);
                    continue;
                }
                Effect::Act(action) => Deed::Act(action),
                Effect::Publish(publication) => Deed::Publish(publication),
                Effect::Answer(answer) => Deed::Answer(answer),
                Effect::Note(outcome) => Deed::Note(outcome),
            });
        }
    }
}

impl<M: Machine> Hosted for Host<M> {
    fn begin(&mut self, now: Moment, beginning: Beginning, deeds: &mut Vec<Deed>) {
        let effects = self.machine.begin(now, beginning);
        self.translate(effects, deeds);
    }

    fn handle(&mut self, now: Moment, message: Message, deeds: &mut Vec<Deed>) {
        let Some(message) = (self.conversation.unwrap)(message) else { return };
        let effects = self.machine.handle(now, message);
        self.translate(effects, deeds);
    }

    fn is_due(&mut self, number: u64) -> bool {
        let before = self.timers.len();
        self.timers.retain(|(_, set)| *set != number);
        self.timers.len() < before
    }

    fn die(&mut self) {
        self.memo = self.machine.memo();
        self.timers.clear();
    }

    fn rebuild(&mut self) {
        self.timers.clear();
        self.incarnation += 1;
        self.machine = (self.conversation.build)(self.incarnation, self.memo.clone());
    }

    fn timers(&self) -> Vec<Message> {
        self.timers.iter().map(|(timer, _)| (self.conversation.wrap)(M::timer(timer.clone()))).collect()
    }
}

/// Whether an actor takes messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    Alive,
    /// It has panicked and waits to be restarted; its mailbox is kept.
    Down,
}

/// One actor of the world.
pub(super) struct Actor {
    pub(super) hosted: Box<dyn Hosted>,
    pub(super) mailbox: VecDeque<Envelope>,
    pub(super) life: Life,
}
