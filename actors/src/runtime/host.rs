//! The one actix actor that hosts every machine. actix addresses it and says when its turn is; what it is told lies in the engine.

use std::rc::Rc;

use actix::{Actor, Context, Handler};

use super::stage::Stage;
use crate::engine::Place;

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
        self.stage.take_turn(self.place);
    }
}
