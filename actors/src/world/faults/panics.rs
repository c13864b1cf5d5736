//! Actors panic: the machine and the message it was handling are lost, the mailbox and the memo are kept.

use super::super::World;

impl World {
    /// Lets some actor panic over its next message. The root supervisor does not: without it there is no daemon.
    pub(super) fn doom_somebody(&mut self) {
        let place = self.random.below(self.actors.len());
        let root = self.index.get(&crate::machine::ActorId::Root);
        self.doomed = (root != Some(&place)).then_some(place);
    }
}
