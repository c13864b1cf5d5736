//! What a service wants of devices.

use std::collections::BTreeMap;

use super::World;
use crate::diagnostics::{Code, Later, Report};
use crate::model::{DeviceKind, DeviceNeed, Sharing, Takeover, Unsupported};
use crate::names::DeviceName;
use crate::read::Either;
use crate::schema::{DeviceTable, ServiceTable};

pub(super) fn needs(
    place: &str,
    table: &ServiceTable,
    world: &World,
    not_yet: &mut Vec<Unsupported>,
    report: &mut Report,
) -> BTreeMap<DeviceName, DeviceNeed> {
    let mut needs = BTreeMap::new();
    for (name, entry) in table.devices.value().map(|map| &map.entries).into_iter().flatten() {
        let kind = world.device(name, &entry.key, report).flatten();
        let need = match entry.value.value() {
            Some(Either::Short(sharing)) => simple(*sharing),
            Some(Either::Long(long)) => {
                let place = format!("{place}.devices.{name}");
                later(&place, long, report);
                if long.optional.if_true().is_some() {
                    not_yet.push(Unsupported::OptionalDevice(name.clone()));
                }
                if long.channel.span().is_some() {
                    // On another channel it would hear something else than it was configured for.
                    not_yet.push(Unsupported::Channel(name.clone()));
                }
                if let Some(kind) = kind {
                    only_wifi(kind, name, long, report);
                }
                full(long)
            }
            None => continue,
        };
        needs.insert(name.clone(), need);
    }
    needs
}

fn simple(sharing: Sharing) -> DeviceNeed {
    DeviceNeed { sharing, priority: 0, timeout: None, mode: None, takeover: Takeover::Refuse }
}

fn full(table: &DeviceTable) -> DeviceNeed {
    DeviceNeed {
        sharing: table.lease.value().copied().unwrap_or(Sharing::Exclusive),
        priority: table.priority.value().map_or(0, |n| n.to(0)),
        timeout: table.timeout.value().map(|time| time.0),
        mode: table.mode.value().copied(),
        takeover: if table.takeover.value() == Some(&true) { Takeover::Allow } else { Takeover::Refuse },
    }
}

fn later(place: &str, table: &DeviceTable, report: &mut Report) {
    let said = [
        (Later::OptionalDevice, table.optional.if_true()),
        (Later::Preemption, table.preempt.if_true()),
        (Later::Preemption, table.preemptible.if_true()),
        (Later::DeviceReturn, table.on_return.span()),
        (Later::Ageing, table.ageing.span()),
        (Later::Channel, table.channel.span()),
    ];
    for (what, span) in said {
        if let Some(span) = span {
            report.later(what, span, place);
        }
    }
}

/// Mode, channel and takeover only mean something for radios.
fn only_wifi(kind: DeviceKind, name: &DeviceName, table: &DeviceTable, report: &mut Report) {
    if kind == DeviceKind::Wifi {
        // A shared radio would have two holders with a word about its mode.
        if let (Some(mode), Some(Sharing::Shared)) = (table.mode.span(), table.lease.value()) {
            let message = format!("a shared lease of `{name}` cannot set its mode");
            report.problem(Code::Contradiction, mode, message, "write lease = \"exclusive\", or leave `mode` out");
        }
        return;
    }
    let said = [("mode", table.mode.span()), ("channel", table.channel.span()), ("takeover", table.takeover.if_true())];
    for (key, span) in said {
        let Some(span) = span else { continue };
        let message = format!("`{key}` is for Wi-Fi, and `{name}` is of kind `{}`", kind.as_str());
        report.problem(
            Code::KindMismatch,
            span,
            message,
            format!("leave `{key}` out, or lease a device of kind `wifi`"),
        );
    }
}
