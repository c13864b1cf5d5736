//! Tables that more than one answer shows.

use mainstay_actors::view::{DeviceView, LeaseView, ServiceView};

use crate::render::table::{Cell, Row, Table};
use crate::render::{Look, time};

/// Services with their reasons.
pub(super) fn services(out: &mut String, services: &[ServiceView], look: &Look) {
    let mut table = Table::new(&["SERVICE", "STATUS", "HEALTH", "WANTED", "PID", "SINCE"]);
    for service in services {
        let cells = vec![
            Cell::new(&service.name),
            Cell::word(&service.status),
            Cell::word(&service.health),
            Cell::new(&service.wanted),
            Cell::new(&service.pid.map_or(String::new(), |pid| pid.to_string())),
            Cell::new(&time::ago(&service.since, look.now)),
        ];
        table.push(Row { cells, notes: service_notes(service) });
    }
    table.render(out, look.width);
}

/// What is waited for; else the reason. Why something that waits was stopped is told by `why`.
fn service_notes(service: &ServiceView) -> Vec<String> {
    if !service.waiting_for.is_empty() {
        return vec![format!("waits for {}", service.waiting_for.join("; "))];
    }
    if service.reason.is_empty() { Vec::new() } else { vec![service.reason.clone()] }
}

/// Configured devices with their reasons.
pub(super) fn devices(out: &mut String, devices: &[DeviceView], look: &Look) {
    let mut table = Table::new(&["DEVICE", "KIND", "STATUS", "HOLDER", "IDENTITY"]);
    for device in devices {
        let cells = vec![
            Cell::new(&device.name),
            Cell::new(&device.kind),
            Cell::word(&device.status),
            Cell::new(device.holder.as_deref().unwrap_or_default()),
            Cell::new(device.identity.as_deref().unwrap_or_default()),
        ];
        let notes = if device.reason.is_empty() { Vec::new() } else { vec![device.reason.clone()] };
        table.push(Row { cells, notes });
    }
    table.render(out, look.width);
}

/// Leases that are held.
pub(super) fn leases(out: &mut String, leases: &[LeaseView], look: &Look) {
    let mut table = Table::new(&["LEASE", "HOLDER", "MODE", "TOKEN", "SINCE"]);
    for lease in leases {
        let cells = vec![
            Cell::new(&lease.resource),
            Cell::new(&lease.holder),
            Cell::new(&lease.mode),
            Cell::new(&lease.token.to_string()),
            Cell::new(&time::ago(&lease.since, look.now)),
        ];
        table.push(Row { cells, notes: Vec::new() });
    }
    table.render(out, look.width);
}
