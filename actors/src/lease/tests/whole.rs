//! That only those are looked at again whom a message concerns changes nothing: after each message all is as if everybody had been.

use super::*;
use crate::lease::queue::Queue;

impl Bench {
    /// Looks at everybody once more, and shows everything once more: nothing may come of it.
    pub(super) fn is_as_if_all_had_been_looked_at(&self) {
        let mut machine = self.machine.clone();
        machine.queue.unsettle();
        let mut out = Vec::new();
        machine.settle(Moment::default(), &mut out);
        assert!(out.is_empty(), "was not looked at again: {out:?}");
        machine.publish_all(&mut out);
        let mut shown = LeaseTable::default();
        for effect in out {
            if let Effect::Publish(Publication::Leases(news)) = effect {
                shown.take_in(news);
            }
        }
        assert_eq!(shown.snapshot(), self.shown.snapshot());
        let without: Vec<Holder> = self.machine.queue.iter().map(|queued| queued.request.holder.clone()).collect();
        without.iter().for_each(|holder| assert!(machine.queue.remove(holder).is_some()));
        machine.queue.take_wishes();
        assert_eq!(
            format!("{:?}", machine.queue),
            format!("{:?}", Queue::default()),
            "something is left of who waited"
        );
    }
}
