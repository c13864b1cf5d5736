//! The board: the present state of everything, published by actors and read by others without a message.

use std::sync::{PoisonError, RwLock};

use dashmap::DashMap;
use mainstay_config::names::{DeviceName, ServiceName};

use crate::message::device::DeviceSnapshot;
use crate::message::inventory::InventorySnapshot;
use crate::message::lease_table::{LeaseSnapshot, LeaseTable};
use crate::message::service::{Health, ServiceSnapshot, ServiceStatus};
use crate::message::{Moment, Publication};
use crate::trace::{Cause, Chain, Recorder, TraceId};

/// A published state with what led to it.
#[derive(Debug, Clone)]
pub struct Entry<S> {
    /// The state.
    pub snapshot: S,
    /// Since when its status is what it is.
    pub since: Moment,
    /// What led to it.
    pub because: Chain,
    /// The trace that led here.
    pub trace: TraceId,
}

/// The present state of everything.
#[derive(Debug, Default)]
pub struct Board {
    services: DashMap<ServiceName, Entry<ServiceSnapshot>>,
    devices: DashMap<DeviceName, Entry<DeviceSnapshot>>,
    leases: RwLock<LeaseTable>,
    inventory: RwLock<InventorySnapshot>,
}

impl Board {
    /// Shows a state. The chain of causes is kept when status or reason changed: later the messages may be forgotten. Answers the
    /// state when its status has changed.
    pub(crate) fn publish(
        &self,
        now: Moment,
        cause: Cause,
        publication: Publication,
        recorder: &Recorder,
    ) -> Option<Publication> {
        match publication {
            Publication::Service(snapshot) => {
                let name = snapshot.name.clone();
                let same_story = |a: &ServiceSnapshot, b: &ServiceSnapshot| {
                    let words = |snapshot: &ServiceSnapshot| {
                        // What a running service says of itself is not how it came to run.
                        let says = snapshot.status == ServiceStatus::Running && snapshot.health != Health::Degraded;
                        (!says).then(|| snapshot.reason.clone())
                    };
                    (a.status, words(a)) == (b.status, words(b)) && a.waiting_for.is_for_the_same(&b.waiting_for)
                };
                let changed = post(
                    &self.services,
                    name,
                    snapshot.clone(),
                    (now, cause),
                    recorder,
                    |known| known.status,
                    same_story,
                );
                (changed == Changed::Status).then_some(Publication::Service(snapshot))
            }
            Publication::Device(snapshot) => {
                let name = snapshot.name.clone();
                let same_story =
                    |a: &DeviceSnapshot, b: &DeviceSnapshot| (a.status, &a.reason) == (b.status, &b.reason);
                let changed = post(
                    &self.devices,
                    name,
                    snapshot.clone(),
                    (now, cause),
                    recorder,
                    |known| known.status,
                    same_story,
                );
                (changed == Changed::Status).then_some(Publication::Device(snapshot))
            }
            Publication::Leases(news) => {
                self.leases.write().unwrap_or_else(PoisonError::into_inner).take_in(news);
                None
            }
            Publication::Inventory(snapshot) => {
                *self.inventory.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
                None
            }
        }
    }

    /// One service.
    #[must_use]
    pub fn service(&self, name: &ServiceName) -> Option<Entry<ServiceSnapshot>> {
        self.services.get(name).map(|entry| entry.value().clone())
    }

    /// One device.
    #[must_use]
    pub fn device(&self, name: &DeviceName) -> Option<Entry<DeviceSnapshot>> {
        self.devices.get(name).map(|entry| entry.value().clone())
    }

    /// Every lease and every waiter.
    #[must_use]
    pub fn leases(&self) -> LeaseSnapshot {
        self.leases.read().unwrap_or_else(PoisonError::into_inner).snapshot()
    }

    /// What else is attached.
    #[must_use]
    pub fn inventory(&self) -> InventorySnapshot {
        self.inventory.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn post<K, S, W>(
    map: &DashMap<K, Entry<S>>,
    name: K,
    snapshot: S,
    (now, cause): (Moment, Cause),
    recorder: &Recorder,
    status: impl Fn(&S) -> W,
    same_story: impl Fn(&S, &S) -> bool,
) -> Changed
where
    K: std::hash::Hash + Eq,
    S: PartialEq,
    W: PartialEq,
{
    use dashmap::mapref::entry::Entry as Place;
    match map.entry(name) {
        Place::Vacant(place) => {
            let because = recorder.chain(cause);
            place.insert(Entry { snapshot, since: now, because, trace: cause.trace });
            Changed::Little
        }
        Place::Occupied(mut place) => {
            let entry = place.get_mut();
            if entry.snapshot == snapshot {
                return Changed::Little;
            }
            let changed = if status(&entry.snapshot) == status(&snapshot) { Changed::Little } else { Changed::Status };
            if changed == Changed::Status {
                entry.since = now;
            }
            if !same_story(&entry.snapshot, &snapshot) {
                entry.because = recorder.chain(cause);
                entry.trace = cause.trace;
            }
            entry.snapshot = snapshot;
            changed
        }
    }
}

/// Whether a status has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Changed {
    Status,
    Little,
}
