//! Simulated notification sockets: what services say of themselves is heard a little later, and much later when the task panics that
//! listens.

use std::time::Duration;

use mainstay_hardware::watched::PAUSE;

use super::table::{Course, MILLISECOND, Table};
use crate::action::process::{Notification, NotifySocket, RunId};
use crate::effect::process::driven::Message;

impl Table {
    pub(super) fn speaks(&mut self, run: RunId, said: Notification) {
        let Some(tree) = self.trees.get(&run) else { return };
        let Some(pid) = tree.members.first().map(|member| member.id.pid) else { return };
        self.unheard.entry(run).or_default().push(Message::of(pid, said));
        self.within(Duration::ZERO, MILLISECOND * 20, Course::Hears(run));
    }

    /// The task panics that listens to some run, and begins anew. What was said meanwhile waits on the socket.
    pub(super) fn listener_panics(&mut self) {
        let listened = self.trees.iter().filter(|(_, tree)| tree.notify == NotifySocket::Provide);
        let listened: Vec<RunId> = listened.map(|(run, _)| *run).collect();
        let until = self.now + PAUSE;
        self.unlistened.extend(self.random.choose(&listened).map(|run| (*run, until)));
    }

    /// Something was said on a socket. Whether somebody listens now; else it is heard when somebody does.
    pub(super) fn is_listened_to(&mut self, run: RunId) -> bool {
        let Some(until) = self.unlistened.get(&run).filter(|until| **until > self.now) else { return true };
        let wait = until.since(self.now);
        self.within(wait, wait, Course::Hears(run));
        false
    }
}
