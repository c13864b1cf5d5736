//! What the daemon's log says of states that have changed.

use crate::message::device::{DeviceSnapshot, DeviceStatus};
use crate::message::service::{ServiceSnapshot, ServiceStatus};
use crate::message::{Moment, Publication};
use crate::view::words;

/// One line for what an operator would want to know; passing states only in detail.
pub(super) fn log(publication: &Publication) {
    match publication {
        Publication::Service(snapshot) => log_service(snapshot),
        Publication::Device(snapshot) => log_device(snapshot),
        Publication::Leases(_) | Publication::Inventory(_) | Publication::Closing(_) => {}
    }
}

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
    let identity = snapshot.identity.as_ref().map_or_else(|| "not identified".to_owned(), ToString::to_string);
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
