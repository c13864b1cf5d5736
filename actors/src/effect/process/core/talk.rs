//! What programs say on their notification sockets, and who is believed.

use std::path::PathBuf;

use rustix::process::getpgid;

use super::{Core, pid_of};
use crate::effect::process::notify::{self, Sender};
use crate::effect::process::order::{Notification, NotifySocket, ProcessEvent, RunId, SpawnFailure, SpawnOrder};
use crate::effect::process::runs::Run;
use crate::effect::process::tree::{self, Act, ProcessId};

impl Core {
    pub(super) fn notify_socket(&mut self, order: &SpawnOrder) -> Result<Option<PathBuf>, SpawnFailure> {
        if order.notify == NotifySocket::Omit {
            return Ok(None);
        }
        let bound = notify::NotifySocket::bind(&self.settings.run_dir, &order.service, order.run, self.news.clone());
        let socket = bound
            .map_err(|error| SpawnFailure::Other(format!("its notification socket could not be made: {error}")))?;
        let path = socket.path().to_owned();
        self.sockets.insert(order.run, socket);
        Ok(Some(path))
    }

    /// The run directory was removed: the sockets in it are made anew, for runs that may yet say something.
    pub(in crate::effect::process) fn renew_sockets(&mut self) -> std::io::Result<()> {
        notify::make_folder(&self.settings.run_dir)?;
        for run in self.runs.keys() {
            if let Some(socket) = self.sockets.get_mut(run) {
                socket.renew(*run, self.news.clone())?;
            }
        }
        Ok(())
    }

    pub(super) fn notified(&mut self, id: RunId, sender: Sender, notification: Notification) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let main = run.main().filter(|_| !run.has_lost_main()).map(|main| main.pid);
        let group =
            || getpgid(pid_of(sender.pid)).ok().and_then(|group| u32::try_from(group.as_raw_nonzero().get()).ok());
        if main.is_some() && (main == Some(sender.pid) || main == group()) {
            return self.believe(id, notification);
        }
        run.keep_unchecked(sender, notification);
        self.want(id, Act::Look);
    }

    pub(super) fn check_senders(&mut self, id: RunId, members: &[ProcessId]) {
        let Some(run) = self.runs.get_mut(&id) else { return };
        let (service, user) = (run.service().clone(), run.main().map(|main| main.uid));
        for (sender, notification) in run.take_unchecked() {
            let is_member = members.iter().any(|member| member.pid == sender.pid);
            if is_member || (Some(sender.uid) == user && tree::has_ended(sender.pid)) {
                self.believe(id, notification);
            } else {
                let pid = sender.pid;
                tracing::warn!(%service, pid, "a notification from a process outside of the service was passed over");
            }
        }
    }

    /// A program can speak before it is heard that it has started.
    pub(super) fn check_again(&mut self, id: RunId) {
        let unchecked = self.runs.get_mut(&id).map(Run::take_unchecked).unwrap_or_default();
        unchecked.into_iter().for_each(|(sender, notification)| self.notified(id, sender, notification));
    }

    pub(super) fn believe(&mut self, id: RunId, notification: Notification) {
        let Some(run) = self.runs.get(&id) else { return };
        let service = run.service().clone();
        self.say(&service, id, ProcessEvent::Notified(notification));
    }
}
