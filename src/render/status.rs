//! `mainstay status`.

use mainstay_actors::view::{ServiceView, StatusView};
use mainstay_config::counted;

use crate::render::text::{plain, wrap};
use crate::render::{Look, parts, style};

/// How many services of one status are named in the summary; the table below has them all.
const NAMED: usize = 4;
/// How many troubles are told; a full disk makes one of each service.
const TROUBLES: usize = 3;
/// What the summary tells of services that do not run, the most pressing first.
const STATUSES: [&str; 7] = ["failed", "backoff", "waiting", "starting", "stopping", "held", "stopped"];

/// A sentence, then services, devices and leases.
pub(crate) fn status(view: &StatusView, look: &Look) -> String {
    let head = style::HEAD;
    let mut out = format!("{head}{}{head:#}\n", wrap(&plain(&summary(&view.services)), "", "  ", look.width));
    let bad = style::BAD;
    for trouble in view.troubles.iter().take(TROUBLES) {
        out.push_str(&format!("{bad}{}{bad:#}\n", wrap(&plain(trouble), "", "  ", look.width)));
    }
    if let Some(more) = view.troubles.len().checked_sub(TROUBLES).filter(|more| *more > 0) {
        out.push_str(&format!("{bad}and {more} more like that{bad:#}\n"));
    }
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

/// `3 of 5 services running; waiting: openwebrx; stopped: sweep`. Why, the table says.
fn summary(services: &[ServiceView]) -> String {
    let total = services.len();
    if total == 0 {
        return "no services are configured".to_owned();
    }
    let named = |status: &str| -> Vec<&str> {
        services.iter().filter(|service| service.status == status).map(|service| service.name.as_str()).collect()
    };
    let mut said = format!("{} of {} running", named("running").len(), counted(total, "service", "services"));
    for status in STATUSES {
        let names = named(status);
        if names.is_empty() {
            continue;
        }
        let shown: Vec<&str> = names.iter().take(NAMED).copied().collect();
        said.push_str(&format!("; {}: {}", spoken(status), shown.join(", ")));
        if let Some(more) = names.len().checked_sub(NAMED).filter(|more| *more > 0) {
            said.push_str(&format!(" and {more} more"));
        }
    }
    said
}

/// The status in a sentence.
fn spoken(status: &str) -> &str {
    match status {
        "backoff" => "to be started again",
        "held" => "held by the operator",
        status => status,
    }
}
