//! The one actix actor that hosts every machine. actix addresses it and says when its turn is; what it is told lies in the engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use actix::{Actor, Context, Handler};

use super::stage::Stage;
use crate::engine::Place;
use mainstay_hardware::watched::words_of;

/// Hosts one machine.
pub(super) struct Host {
    place: Place,
    stage: Rc<Stage>,
}

impl Host {
    pub(super) fn new(place: Place, stage: Rc<Stage>) -> Self {
        Self { place, stage }
    }
}

impl Actor for Host {
    type Context = Context<Self>;
}

/// There is mail: one ring for each letter.
pub(super) struct Ring;

impl actix::Message for Ring {
    type Result = ();
}

impl Handler<Ring> for Host {
    type Result = ();

    fn handle(&mut self, _: Ring, _: &mut Context<Self>) {
        let turn = AssertUnwindSafe(|| self.stage.take_turn(self.place));
        // The task is actix's, and nobody else would notice that it is gone.
        if let Err(panic) = catch_unwind(turn) {
            self.stage.host_lost(self.place, &words_of(&*panic));
        }
    }
}
