//! What must hold whenever things are quiet.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use crate::observe::{process, wireless};
use crate::stage::RUN_VARIABLE;
use crate::status::{Status, Trace};

/// Every service runs, or says exactly what it waits for, or why it does not run.
pub(crate) fn services_say_what_they_wait_for(status: &Status) -> Result<()> {
    for service in &status.services {
        let settled = match service.status.as_str() {
            "running" => service.pid.is_some_and(process::lives),
            "waiting" => !service.waiting_for.is_empty() && service.pid.is_none(),
            "failed" => !service.reason.is_empty() && service.pid.is_none(),
            "held" | "stopped" => service.pid.is_none(),
            _ => false,
        };
        ensure!(settled, "{service:?} is not at rest");
    }
    Ok(())
}

/// What mainstay started is just what it says it started, descendants included.
pub(crate) fn processes_are_those_of_the_services(status: &Status) -> Result<()> {
    let all = process::all()?;
    let mut known: BTreeSet<u32> = status.services.iter().filter_map(|service| service.pid).collect();
    loop {
        let count = known.len();
        let children: Vec<u32> =
            all.iter().filter(|child| known.contains(&child.parent)).map(|child| child.pid).collect();
        known.extend(children);
        if known.len() == count {
            break;
        }
    }
    for process in process::with_variable(RUN_VARIABLE)? {
        ensure!(
            known.contains(&process.pid) || !process::lives(process.pid),
            "{process:?} belongs to no running service"
        );
    }
    Ok(())
}

/// Every lease is held by a running service, no exclusive one twice; tokens are unique to a grant.
pub(crate) fn leases_fit_the_services(status: &Status) -> Result<()> {
    let mut exclusive = BTreeSet::new();
    for lease in &status.leases {
        let runs = status.services.iter().any(|service| service.name == lease.holder && service.status == "running");
        ensure!(runs, "{lease:?} is held by a service that does not run");
        ensure!(lease.mode != "exclusive" || exclusive.insert(&lease.resource), "{} is leased twice", lease.resource);
        ensure!(lease.token > 0, "{lease:?} has no token");
    }
    for device in status.devices.iter().filter(|device| device.status == "in use") {
        let leased = status.leases.iter().any(|lease| {
            lease.resource == format!("device/{}", device.name) && Some(&lease.holder) == device.holder.as_ref()
        });
        ensure!(leased, "{device:?} is in use without a lease");
    }
    Ok(())
}

/// An interface is in this mode, for `iw` and for the kernel.
pub(crate) fn mode_is(interface: &str, expected: &str) -> Result<()> {
    let mode = wireless::mode(interface)?;
    ensure!(mode.as_deref() == Some(expected), "{interface} is {mode:?} instead of {expected}");
    Ok(())
}

/// A trace begins with news from outside of this kind, every other message has a cause that came before it, and it leads to
/// `receiver`.
pub(crate) fn trace_leads_from_outside(trace: &Trace, kind: &str, receiver: &str) -> Result<()> {
    ensure!(trace.cause.kind == kind, "{receiver} was told because of {:?}", trace.cause);
    let mut seen = BTreeSet::new();
    for message in &trace.messages {
        let caused = message.parent.is_none_or(|parent| seen.contains(&parent));
        ensure!(caused, "{message:?} comes before its cause");
        seen.insert(message.id);
    }
    ensure!(trace.messages.iter().any(|message| message.to == receiver), "nothing of {trace:?} reaches {receiver}");
    Ok(())
}
