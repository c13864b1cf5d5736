//! The main process of a run, which may name another one in its place (`MAINPID=` of sd_notify(3)): a program that puts itself into the
//! background does so, and then ends.

use super::Rules;
use super::kernel::Kernel;
use super::talk::Membership;
use crate::action::process::{Exit, Notification, ProcessEvent, RunId};
use crate::effect::process::notify::{Message, Sender};
use crate::effect::process::runs::Run;
use crate::effect::process::tree::Act;

impl<K: Kernel> Rules<K> {
    pub(super) fn main_ended(&mut self, id: RunId, pid: u32, exit: Exit) {
        self.by_pid.remove(&pid);
        // What it has said before it ended counts.
        let unheard = self.kernel.unheard(id);
        unheard.into_iter().for_each(|message| self.notified(id, message));
        if self.follow(id) {
            return;
        }
        let valid = self.round.next();
        let Some(run) = self.runs.get_mut(&id) else { return };
        run.main_ended(exit, valid);
        self.perhaps_over(id);
    }

    /// A process is said to be the main one from now on. It is believed when it is known to be of the run.
    pub(super) fn declare(&mut self, id: RunId, pid: u32, by: Sender) {
        if let Some(run) = self.runs.get_mut(&id)
            && run.main().is_some_and(|main| main.pid == pid)
        {
            if run.declared.take().is_some() {
                let (service, said) = (run.service().clone(), named(pid));
                self.kernel.say(&service, id, ProcessEvent::Notified(said));
            }
            return;
        }
        let membership = if pid == by.pid { Membership::Member } else { self.membership(id, pid, by.uid) };
        let (Some(run), Some(process)) = (self.runs.get_mut(&id), self.kernel.process(pid)) else { return };
        let service = run.service().clone();
        match membership {
            Membership::Member => {
                run.declared = Some(process);
                self.kernel.say(&service, id, ProcessEvent::Notified(named(pid)));
                if self.runs.get(&id).is_some_and(Run::is_to_be_looked_at) {
                    self.follow(id);
                }
            }
            Membership::Open => {
                // As if it had said so itself.
                run.keep_unchecked(Message::about_main(Sender { pid, uid: by.uid }));
                self.want(id, Act::Look);
            }
            Membership::Stranger => {
                tracing::warn!(%service, pid, "a main process that is none of the service was passed over");
            }
        }
    }

    /// The main process has ended: another one was named, and is our child now. Whether so.
    fn follow(&mut self, id: RunId) -> bool {
        let Some(run) = self.runs.get_mut(&id) else { return false };
        let Some(declared) = run.declared.filter(|declared| self.kernel.is_our_child(*declared)) else {
            return false;
        };
        run.follow(declared.pid);
        self.orphans.ended(declared.pid);
        self.by_pid.insert(declared.pid, id);
        true
    }
}

fn named(pid: u32) -> Notification {
    Notification { main_pid: Some(pid), ..Notification::default() }
}
