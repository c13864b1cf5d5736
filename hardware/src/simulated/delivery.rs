//! Events on their way to the sinks: in order, one at a time, and never under the lock of the state.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bus::Sink;
use crate::sighting::HardwareEvent;

/// One subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Receiver(u64);

/// Whom an event is for.
enum For {
    Everybody,
    One(Receiver),
}

#[derive(Default)]
struct Desk {
    sinks: BTreeMap<Receiver, Arc<Sink>>,
    next: u64,
    queue: VecDeque<(For, HardwareEvent)>,
    /// Some thread is delivering; whatever is queued meanwhile it delivers too.
    busy: bool,
}

/// The queue and its subscribers.
pub(super) struct Delivery {
    desk: Mutex<Desk>,
}

impl Delivery {
    pub(super) fn new() -> Self {
        Self { desk: Mutex::new(Desk::default()) }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn subscribe(&self, sink: Sink) -> Receiver {
        let mut desk = self.desk();
        desk.next += 1;
        let receiver = Receiver(desk.next);
        desk.sinks.insert(receiver, Arc::new(sink));
        receiver
    }

    pub(super) fn unsubscribe(&self, receiver: Receiver) {
        self.desk().sinks.remove(&receiver);
    }

    pub(super) fn queue(&self, events: Vec<HardwareEvent>) {
        self.desk().queue.extend(events.into_iter().map(|event| (For::Everybody, event)));
    }

    pub(super) fn queue_for(&self, receiver: Receiver, event: HardwareEvent) {
        self.desk().queue.push_back((For::One(receiver), event));
    }

    /// Hands out what is queued. When another thread is at it already, that thread hands out ours as well.
    pub(super) fn deliver(&self) {
        if std::mem::replace(&mut self.desk().busy, true) {
            return;
        }
        let _freed = FreedOnPanic(self);
        while let Some((sinks, event)) = self.next() {
            for sink in sinks {
                sink(event.clone());
            }
        }
    }

    fn next(&self) -> Option<(Vec<Arc<Sink>>, HardwareEvent)> {
        let mut desk = self.desk();
        let Some((whom, event)) = desk.queue.pop_front() else {
            desk.busy = false;
            return None;
        };
        let sinks = match whom {
            For::Everybody => desk.sinks.values().cloned().collect(),
            For::One(receiver) => desk.sinks.get(&receiver).cloned().into_iter().collect(),
        };
        Some((sinks, event))
    }
}

/// A sink that panics must not keep everybody else from delivering.
struct FreedOnPanic<'a>(&'a Delivery);

impl Drop for FreedOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.desk().busy = false;
        }
    }
}
