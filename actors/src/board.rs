//! The board: the present state of everything, published by actors and read by others without a message.

use std::sync::{PoisonError, RwLock};

use dashmap::DashMap;
use mainstay_config::names::{DeviceName, ServiceName};

use crate::cause::{DeviceCure, DeviceReason, Unusable};
use crate::message::device::{DeviceSnapshot, DeviceStatus};
use crate::message::inventory::InventorySnapshot;
use crate::message::lease_table::{LeaseSnapshot, LeaseTable};
use crate::message::service::{Health, ServiceSnapshot, ServiceStatus};
use crate::message::supervision::Haste;
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

/// The present state of everything. The tables have more room than entries, so these lie elsewhere.
#[derive(Debug, Default)]
pub struct Board {
    services: DashMap<ServiceName, Box<Entry<ServiceSnapshot>>>,
    devices: DashMap<DeviceName, Box<Entry<DeviceSnapshot>>>,
    leases: RwLock<LeaseTable>,
    inventory: RwLock<InventorySnapshot>,
    closing: RwLock<Option<Haste>>,
}

impl Board {
    /// Shows a state. The chain of causes is kept when status or reason changed: later the messages may be forgotten. Answers the
    /// state when its status has changed, or it runs on in another process.
    pub(crate) fn publish(
        &self,
        now: Moment,
        cause: Cause,
        publication: Publication,
        recorder: &Recorder,
    ) -> Option<Publication> {
        match publication {
            Publication::Service(snapshot) => {
                let is_news = post(&self.services, &snapshot.name, &snapshot, (now, cause), recorder);
                is_news.then_some(Publication::Service(snapshot))
            }
            Publication::Device(snapshot) => {
                let is_news = post(&self.devices, &snapshot.name, &snapshot, (now, cause), recorder);
                is_news.then_some(Publication::Device(snapshot))
            }
            Publication::Leases(news) => {
                self.leases.write().unwrap_or_else(PoisonError::into_inner).take_in(news);
                None
            }
            Publication::Closing(haste) => {
                *self.closing.write().unwrap_or_else(PoisonError::into_inner) = Some(haste);
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
        self.services.get(name).map(|entry| Entry::clone(&entry))
    }

    /// One device.
    #[must_use]
    pub fn device(&self, name: &DeviceName) -> Option<Entry<DeviceSnapshot>> {
        self.devices.get(name).map(|entry| Entry::clone(&entry))
    }

    /// Every lease and every waiter.
    #[must_use]
    pub fn leases(&self) -> LeaseSnapshot {
        self.leases.read().unwrap_or_else(PoisonError::into_inner).snapshot()
    }

    /// How everything is being stopped, when it is.
    #[must_use]
    pub fn closing(&self) -> Option<Haste> {
        *self.closing.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// One device as it can be shown: while no hardware is watched, nobody knows whether one is there that is not seen.
    #[must_use]
    pub fn device_seen(&self, name: &DeviceName) -> Option<Entry<DeviceSnapshot>> {
        let mut entry = self.device(name)?;
        let unwatched = || self.inventory.read().unwrap_or_else(PoisonError::into_inner).unwatched();
        if entry.snapshot.status == DeviceStatus::Absent
            && let Some(why) = unwatched()
        {
            entry.snapshot.reason = DeviceReason::Unusable(Unusable::Unwatched);
            entry.snapshot.unblock = Some(DeviceCure::Watch(why));
        }
        Some(entry)
    }

    /// What else is attached.
    #[must_use]
    pub fn inventory(&self) -> InventorySnapshot {
        self.inventory.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a service or a device shows of itself.
trait Shown: Clone + PartialEq {
    /// Where it is.
    type Status: PartialEq;
    /// Where this one is.
    fn status(&self) -> Self::Status;
    /// Whether what led to it led to the other one as well.
    fn same_story(&self, other: &Self) -> bool;
    /// Whether it is worth a line in the log after the other one.
    fn is_news_after(&self, other: &Self) -> bool {
        self.status() != other.status()
    }
}

impl Shown for ServiceSnapshot {
    type Status = ServiceStatus;

    fn status(&self) -> ServiceStatus {
        self.status
    }

    fn same_story(&self, other: &Self) -> bool {
        let words = |shown: &Self| {
            // What a running service says of itself is not how it came to run.
            let says = shown.status == ServiceStatus::Running && shown.health != Health::Degraded;
            (!says).then(|| shown.reason.clone())
        };
        (self.status, words(self)) == (other.status, words(other))
            && self.waiting_for.is_for_the_same(&other.waiting_for)
    }

    fn is_news_after(&self, other: &Self) -> bool {
        // A program may go on in another process.
        self.status != other.status || self.status == ServiceStatus::Running && self.pid != other.pid
    }
}

impl Shown for DeviceSnapshot {
    type Status = DeviceStatus;

    fn status(&self) -> DeviceStatus {
        self.status
    }

    fn same_story(&self, other: &Self) -> bool {
        (self.status, &self.reason) == (other.status, &other.reason)
    }
}

/// Shows a state; whether that is news.
fn post<K: std::hash::Hash + Eq + Clone, S: Shown>(
    map: &DashMap<K, Box<Entry<S>>>,
    name: &K,
    snapshot: &S,
    (now, cause): (Moment, Cause),
    recorder: &Recorder,
) -> bool {
    let posted =
        |since| Entry { snapshot: snapshot.clone(), since, because: recorder.chain(cause), trace: cause.trace };
    let Some(mut entry) = map.get_mut(name) else {
        map.insert(name.clone(), Box::new(posted(now)));
        return false;
    };
    let is_news = snapshot.is_news_after(&entry.snapshot);
    let since = if entry.snapshot.status() != snapshot.status() { now } else { entry.since };
    if !entry.snapshot.same_story(snapshot) {
        **entry = posted(since);
    } else if entry.snapshot != *snapshot {
        (entry.snapshot, entry.since) = (snapshot.clone(), since);
    }
    is_news
}
