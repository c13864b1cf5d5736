//! What the registry shows of itself.

use super::machine::{LeaseMachine, Out};
use super::queue::Queued;
use crate::cause::Holder;
use crate::message::lease_table::{HolderSnapshot, LeaseNews, Waiter};
use crate::message::{Effect, Publication};

impl LeaseMachine {
    fn shown_of(&self, holder: &Holder) -> HolderSnapshot {
        let held = self.holders.get(holder).map(|holding| holding.rows(holder).collect()).unwrap_or_default();
        let waits = self.queue.get(holder);
        let waiter = |queued: &Queued| Waiter {
            request: queued.request.clone(),
            blockers: queued.blockers.clone(),
            since: queued.since,
        };
        let waits = waits.map(waiter).map(Box::new);
        HolderSnapshot { holder: holder.clone(), held, waits }
    }

    /// Shows what has changed.
    pub(super) fn publish(&mut self, out: &mut Out) {
        for holder in std::mem::take(&mut self.changed) {
            out.push(Effect::Publish(Publication::Leases(LeaseNews::Of(self.shown_of(&holder)))));
        }
    }

    /// Shows everything.
    pub(super) fn publish_all(&mut self, out: &mut Out) {
        self.changed.clear();
        let waiting = self.queue.iter().map(|queued| &queued.request.holder);
        let all = self.holders.iter().map(|(holder, _)| holder).chain(waiting);
        let all = all.map(|holder| self.shown_of(holder)).collect();
        out.push(Effect::Publish(Publication::Leases(LeaseNews::All(all))));
    }
}
