//! The one actor that hosts every machine: it opens envelopes, records, keeps timers, and carries out effects.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, ready};
use actix::{Actor, AsyncContext, Context, Handler, SpawnHandle, Supervised};

use super::envelope::Traced;
use super::stage::Stage;
use crate::machine::{ActorId, Beginning, Described, Effect, Effects, Machine, Outcome, Outside};
use crate::trace::Cause;

/// Makes the machine of an incarnation, from what its predecessor left.
pub(super) type Factory<M> = Box<dyn Fn(u32, <M as Machine>::Memo) -> M>;

/// Hosts one machine.
pub(super) struct Host<M: Machine> {
    machine: M,
    factory: Factory<M>,
    incarnation: u32,
    memo: M::Memo,
    id: ActorId,
    stage: Rc<Stage>,
    timers: BTreeMap<M::Timer, SpawnHandle>,
}

impl<M: Machine> Host<M> {
    /// A host with the first incarnation of its machine.
    pub(super) fn new(stage: Rc<Stage>, factory: Factory<M>) -> Self {
        let machine = factory(0, M::Memo::default());
        let id = machine.id();
        Self { machine, factory, incarnation: 0, memo: M::Memo::default(), id, stage, timers: BTreeMap::new() }
    }

    /// Whom it hosts.
    pub(super) fn id(&self) -> &ActorId {
        &self.id
    }

    fn carry_out(&mut self, cause: Cause, effects: Effects<M::Timer>, ctx: &mut Context<Self>) -> Outcome {
        let mut outcome = Outcome::Handled;
        for effect in effects {
            match effect {
                Effect::Tell(message) => {
                    self.stage.send(cause, self.id.clone().into(), message);
                }
                Effect::SetTimer(timer, after) => self.set_timer(timer, after, cause, ctx),
                Effect::CancelTimer(timer) => self.cancel_timer(&timer, ctx),
                Effect::Act(action) => self.stage.act(cause, &self.id, action),
                Effect::Publish(publication) => self.stage.publish(cause, publication),
                Effect::Answer(answer) => self.stage.answer(cause, answer),
                Effect::Note(noted) => outcome = noted,
            }
        }
        self.memo = self.machine.memo();
        outcome
    }

    fn set_timer(&mut self, timer: M::Timer, after: Duration, cause: Cause, ctx: &mut Context<Self>) {
        self.cancel_timer(&timer, ctx);
        let key = timer.clone();
        let fire = move |host: &mut Self, ctx: &mut Context<Self>| {
            host.timers.remove(&timer);
            let message = M::timer(timer);
            let traced = host.stage.seal(cause, Outside::Clock.into(), host.id.clone(), message);
            host.take(traced, ctx);
        };
        let handle = if after.is_zero() {
            // tokio's timer counts whole milliseconds and would take one: a restart without back-off need not wait.
            ctx.spawn(ready(()).map(|(), host, ctx| fire(host, ctx)))
        } else {
            ctx.run_later(after, fire)
        };
        self.timers.insert(key, handle);
    }

    fn cancel_timer(&mut self, timer: &M::Timer, ctx: &mut Context<Self>) {
        if let Some(handle) = self.timers.remove(timer) {
            ctx.cancel_future(handle);
        }
    }

    fn take(&mut self, traced: Traced<M::Message>, ctx: &mut Context<Self>) {
        let id = traced.id();
        let cause = traced.as_cause();
        let message = traced.open();
        let span =
            tracing::debug_span!("message", trace = cause.trace.0, id = id.0, to = %self.id, kind = message.kind());
        let _entered = span.enter();
        self.stage.begins(id, cause);
        let effects = self.machine.handle(self.stage.now(), message);
        let outcome = self.carry_out(cause, effects, ctx);
        self.stage.ends(id, outcome);
    }

    fn begin(&mut self, beginning: Beginning, ctx: &mut Context<Self>) {
        let cause = self.stage.cause_of_beginning(&self.id);
        let effects = self.machine.begin(self.stage.now(), beginning);
        self.carry_out(cause, effects, ctx);
    }
}

impl<M: Machine> Actor for Host<M> {
    type Context = Context<Self>;

    /// actix also calls this after a restart, behind `restarting`.
    fn started(&mut self, ctx: &mut Context<Self>) {
        if self.incarnation == 0 {
            self.begin(Beginning::First, ctx);
        }
    }
}

impl<M: Machine> Supervised for Host<M> {
    fn restarting(&mut self, ctx: &mut Context<Self>) {
        self.timers.clear();
        self.incarnation = self.incarnation.saturating_add(1);
        self.machine = (self.factory)(self.incarnation, self.memo.clone());
        self.begin(Beginning::Again, ctx);
        self.stage.revived(&self.id);
    }
}

impl<M: Machine> Handler<Traced<M::Message>> for Host<M> {
    type Result = ();

    fn handle(&mut self, traced: Traced<M::Message>, ctx: &mut Context<Self>) {
        self.take(traced, ctx);
    }
}

#[cfg(any(debug_assertions, test))]
impl<M: Machine> Handler<super::envelope::Poison> for Host<M> {
    type Result = ();

    #[allow(clippy::panic, reason = "this is what it is for: to see that a panic is survived")]
    fn handle(&mut self, _: super::envelope::Poison, _: &mut Context<Self>) {
        panic!("asked to panic");
    }
}
