//! `mainstay status`.

use mainstay_actors::view::{ServiceView, StatusView};

use crate::render::text::{plain, wrap};
use crate::render::{Look, parts, style};

/// How many services that do not run are named in the summary; the table below has them all.
const NAMED: usize = 4;

/// A sentence, then services, devices and leases.
pub(crate) fn status(view: &StatusView, look: &Look) -> String {
    let head = style::HEAD;
    let mut out = format!("{head}{}{head:#}\n", wrap(&plain(&summary(&view.services)), "", "  ", look.width));
    if !view.services.is_empty() {
        out.push('\n');
        parts::services(&mut out, &view.services, look);
    }
    if !view.devices.is_empty() {
        out.push('\n');
        parts::devices(&mut out, &view.devices, look);
    }
    if !view.leases.is_empty() {
        out.push('\n');
        parts::leases(&mut out, &view.leases, look);
    }
    out
}

/// `4 of 5 services running; openwebrx waits for hackrf`.
fn summary(services: &[ServiceView]) -> String {
    let mut others: Vec<&ServiceView> = services.iter().filter(|service| service.status != "running").collect();
    // What is not meant to run is said last.
    others.sort_by_key(|service| matches!(service.status.as_str(), "stopped" | "held"));
    let total = services.len();
    match (total, others.len()) {
        (0, _) => return "no services are configured".to_owned(),
        (_, 0) => return format!("{total} of {total} services running"),
        _ => {}
    }
    let mut said = format!("{} of {total} services running", total.saturating_sub(others.len()));
    for service in others.iter().take(NAMED) {
        said.push_str("; ");
        said.push_str(&predicate(service));
    }
    if let Some(more) = others.len().checked_sub(NAMED).filter(|more| *more > 0) {
        said.push_str(&format!("; and {more} more"));
    }
    said
}

fn predicate(service: &ServiceView) -> String {
    let name = &service.name;
    match service.status.as_str() {
        "waiting" if service.waiting_for.is_empty() => format!("{name} waits"),
        "waiting" => format!("{name} waits for {}", service.waiting_for.join(" and ")),
        "backoff" => format!("{name} waits before it is tried again"),
        "failed" => format!("{name} has failed"),
        "held" => format!("{name} is held by the operator"),
        status => format!("{name} is {status}"),
    }
}
