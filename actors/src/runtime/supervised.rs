//! An actor's life: polled inside `catch_unwind`, restarted in place when its supervisor says so.
//!
//! `actix::Supervisor` does not restart after a panic (its task is gone) and cannot end an actor, so the public
//! `actix::dev::ContextFut` is polled here instead. The address and the queued messages stay.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use actix::Context;
use actix::dev::ContextFut;
use futures::StreamExt;
use futures::channel::mpsc::UnboundedReceiver;
use tokio::time::Sleep;

use super::host::Host;
use super::stage::Stage;
use crate::effect::watched::words_of;
use crate::machine::{ActorId, Machine};

enum State {
    /// The actor runs.
    Running,
    /// It has panicked and waits for its supervisor's word.
    Dead,
    /// It is restarted after a pause.
    Pausing(Pin<Box<Sleep>>),
}

/// The future that is an actor's life: its mailbox and its timers.
type Life<M> = ContextFut<Host<M>, Context<Host<M>>>;

/// One supervised actor.
pub(super) struct Supervised<M: Machine> {
    actor: Pin<Box<Life<M>>>,
    state: State,
    id: ActorId,
    stage: Rc<Stage>,
    /// The supervisor's word: restart after this pause.
    restarts: UnboundedReceiver<Duration>,
}

impl<M: Machine> Supervised<M> {
    pub(super) fn new(actor: Life<M>, id: ActorId, stage: Rc<Stage>, restarts: UnboundedReceiver<Duration>) -> Self {
        Self { actor: Box::pin(actor), state: State::Running, id, stage, restarts }
    }

    fn pause(&mut self, pause: Duration) {
        self.state = State::Pausing(Box::pin(tokio::time::sleep(pause)));
    }
}

impl<M: Machine> Future for Supervised<M> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let this = self.get_mut();
        loop {
            match &mut this.state {
                State::Pausing(sleep) => {
                    std::task::ready!(sleep.as_mut().poll(cx));
                    this.state = State::Running;
                    // Rebuilding may panic as well; that is a death like any other.
                    let actor = &mut this.actor;
                    match catch_unwind(AssertUnwindSafe(|| actor.restart())) {
                        Ok(true) => {}
                        Ok(false) => return Poll::Ready(()),
                        Err(panic) => this.died(&*panic),
                    }
                }
                State::Dead => match std::task::ready!(this.restarts.poll_next_unpin(cx)) {
                    Some(pause) => this.pause(pause),
                    None => return Poll::Ready(()),
                },
                State::Running => {
                    if let Poll::Ready(Some(pause)) = this.restarts.poll_next_unpin(cx) {
                        this.pause(pause);
                        continue;
                    }
                    let actor = this.actor.as_mut();
                    match catch_unwind(AssertUnwindSafe(|| actor.poll(cx))) {
                        Ok(polled) => return polled,
                        Err(panic) => this.died(&*panic),
                    }
                }
            }
        }
    }
}

impl<M: Machine> Supervised<M> {
    fn died(&mut self, panic: &(dyn Any + Send)) {
        self.state = State::Dead;
        self.stage.died(&self.id, words_of(panic));
    }
}
