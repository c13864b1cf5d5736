//! What programs say on their notification sockets, and who is believed.

use super::Rules;
use super::kernel::Kernel;
use super::orphans::Orphan;
use crate::action::process::{Notification, ProcessEvent, RunId};
use crate::effect::process::notify::{Message, Sender};
use crate::effect::process::runs::Run;
use crate::effect::process::tree::{Act, Evidence, Place, ProcessId};

/// Whether a process is of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Membership {
    /// It is.
    Member,
    /// It is not, as far as anybody knows.
    Stranger,
    /// That has to be looked up.
    Open,
}

impl<K: Kernel> Rules<K> {
    /// Something was received on a socket.
    pub(super) fn received(&mut self, id: RunId) {
        self.kernel.unheard(id).into_iter().for_each(|message| self.notified(id, message));
    }

    /// Something was said. Only who is known to be of the run is believed: by ancestry, or by its cgroup. Anybody can join a process
    /// group in the same session, and write what it likes into its environment.
    pub(super) fn notified(&mut self, id: RunId, message: Message) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        if message.said == Notification::default() && !run.has_unchecked_from(message.sender) {
            // A barrier (sd_notify_barrier(3)) behind nothing that is still looked up: letting go of it tells its sender so.
            return;
        }
        match self.membership(id, message.sender.pid, message.sender.uid) {
            Membership::Member => self.believe(id, message.sender, message.said),
            Membership::Stranger => self.pass_over(id, message.sender),
            Membership::Open => {
                if let Some(run) = self.runs.get_mut(&id) {
                    run.keep_unchecked(message);
                }
                self.want(id, Act::Look);
            }
        }
    }

    /// Whether a process is of a run, as far as that is known without a look at all of them.
    pub(super) fn membership(&mut self, id: RunId, pid: u32, uid: u32) -> Membership {
        let Some(run) = self.runs.get(&id) else { return Membership::Stranger };
        let (main, user) = (run.main().map(|main| main.pid), run.main().map(|main| main.uid));
        if main == Some(pid) && !run.has_lost_main() {
            return Membership::Member;
        }
        if main.is_none() {
            // Asked again when its main process is known.
            return Membership::Open;
        }
        let Some(top) = self.kernel.child_above(pid) else { return Membership::Stranger };
        if let Some(owner) = self.by_pid.get(&top) {
            return if *owner == id { Membership::Member } else { Membership::Stranger };
        }
        match self.orphans.get(top) {
            Some(Orphan::Of((owner, _))) if owner != id => Membership::Stranger,
            Some(Orphan::Of((_, Evidence::Descent))) => Membership::Member,
            // Who lowers its limit to another run's tag gains nothing from one of the same user.
            Some(Orphan::Of((_, Evidence::Tag))) if user == Some(uid) => Membership::Member,
            Some(Orphan::Of((_, Evidence::Tag | Evidence::OwnWord)) | Orphan::OfNobody) => Membership::Stranger,
            None if self.kernel.is_newborn(top) => Membership::Stranger,
            None => {
                self.orphans.wonder(top);
                Membership::Open
            }
        }
    }

    /// After a look: what was kept is believed or not.
    pub(super) fn check_senders(&mut self, id: RunId, members: &[ProcessId]) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let is_in_cgroup = run.main().is_some_and(|main| main.place != Place::Group);
        for message in run.take_unchecked() {
            let sender = message.sender;
            let is_member = is_in_cgroup && members.iter().any(|member| member.pid == sender.pid);
            match self.membership(id, sender.pid, sender.uid) {
                Membership::Member => self.believe(id, sender, message.said),
                Membership::Stranger | Membership::Open if is_member => self.believe(id, sender, message.said),
                Membership::Stranger | Membership::Open => self.pass_over(id, sender),
            }
        }
    }

    fn pass_over(&mut self, id: RunId, sender: Sender) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        // Anybody can send as many as he likes, and each line of the log is written to a disk.
        let Some(so_far) = run.pass_over() else { return };
        let (service, pid) = (run.service(), sender.pid);
        tracing::warn!(
            %service,
            pid,
            so_far,
            "a notification was passed over: its sender is no process of the service, or had ended before it could be looked up \
             (`systemd-notify` without `--no-block` waits for that)"
        );
    }

    /// A program can speak before it is heard that it has started.
    pub(super) fn check_again(&mut self, id: RunId) {
        let unchecked = self.runs.get_mut(&id).map(Run::take_unchecked).unwrap_or_default();
        unchecked.into_iter().for_each(|message| self.notified(id, message));
    }

    fn believe(&mut self, id: RunId, by: Sender, mut said: Notification) {
        let main = said.main_pid.take();
        let Some(run) = self.runs.get(&id) else { return };
        let service = run.service().clone();
        if said != Notification::default() {
            self.kernel.say(&service, id, ProcessEvent::Notified(said));
        }
        if let Some(pid) = main {
            self.declare(id, pid, by);
        }
    }
}
