//! The board: the present state of everything, published by actors and read by others without a message.

use std::sync::{PoisonError, RwLock};

use dashmap::DashMap;
use mainstay_config::names::{DeviceName, ServiceName};

use crate::message::device::{DeviceSnapshot, DeviceStatus};
use crate::message::inventory::InventorySnapshot;
use crate::message::lease::LeaseSnapshot;
use crate::message::service::{Health, ServiceSnapshot, ServiceStatus};
use crate::message::{Moment, Publication};
use crate::trace::{Cause, Chain, Recorder, TraceId};
use crate::view::words;

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
    leases: RwLock<LeaseSnapshot>,
    inventory: RwLock<InventorySnapshot>,
}

impl Board {
    /// Shows a state. The chain of causes is kept when status or reason changed: later the messages may be forgotten.
    pub(crate) fn publish(&self, now: Moment, cause: Cause, publication: Publication, recorder: &Recorder) {
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
                if changed == Changed::Status {
                    log_service(&snapshot);
                }
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
                if changed == Changed::Status {
                    log_device(&snapshot);
                }
            }
            Publication::Leases(snapshot) => {
                *self.leases.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
            }
            Publication::Inventory(snapshot) => {
                *self.inventory.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
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
        self.leases.read().unwrap_or_else(PoisonError::into_inner).clone()
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

/// One line in the log for what an operator would want to know; passing states only in detail.
fn log_service(snapshot: &ServiceSnapshot) {
    let (service, reason) = (&snapshot.name, words::service_reason(snapshot, |_| None));
    match snapshot.status {
        ServiceStatus::Running => tracing::info!("{service} is running as pid {}", snapshot.pid.unwrap_or(0)),
        ServiceStatus::Failed => tracing::error!("{service} has failed: {reason}"),
        ServiceStatus::Backoff => tracing::warn!("{service} will be started again: {reason}"),
        ServiceStatus::Stopping => tracing::info!("{service} is stopping: {reason}"),
        ServiceStatus::Held => tracing::info!("{service} is held: {reason}"),
        ServiceStatus::Stopped => tracing::info!("{service} is stopped: {reason}"),
        ServiceStatus::Waiting => {
            let waits = words::waiting(&snapshot.waiting_for, Moment::default(), |_| None);
            tracing::debug!("{service} waits for {}", waits.join("; "));
        }
        ServiceStatus::Starting => tracing::debug!("{service} is starting"),
    }
}

fn log_device(snapshot: &DeviceSnapshot) {
    let (device, reason) = (&snapshot.name, &snapshot.reason);
    let identity = snapshot.identity.as_deref().unwrap_or("not identified");
    match snapshot.status {
        DeviceStatus::Ready => tracing::info!("{device} is ready: {identity}"),
        DeviceStatus::Absent => tracing::info!("{device} is {reason}"),
        DeviceStatus::Ejected => tracing::info!("{device} is ejected: {reason}"),
        DeviceStatus::Faulted | DeviceStatus::Quarantined => {
            tracing::warn!("{device} is {}: {reason}", snapshot.status.as_str());
        }
        DeviceStatus::Settling | DeviceStatus::Probing | DeviceStatus::InUse => {
            tracing::debug!("{device} is {}", snapshot.status.as_str());
        }
    }
}
