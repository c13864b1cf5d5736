//! From what the file says to the validated model: names resolved, defaults filled in, everything checked.
//!
//! Nothing here stops at a problem. Where a value is missing or wrong a stand-in is used and the problem reported; a
//! model with stand-ins is never handed out, because a report with a problem gives no station.

mod dependencies;
mod devices;
mod environment;
mod hardware;
mod ports;
mod probes;
mod services;
mod templates;
mod together;
mod twins;
mod unit;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::diagnostics::{Code, Later, Report};
use crate::model::{Api, DeviceKind, Logs, Runtime, Station};
use crate::names::{DeviceName, ServiceName};
use crate::read::{Field, Map, Wholly};
use crate::schema::{DefaultsTable, File, HardwareTable};

pub(crate) use hardware::match_keys;
pub use twins::could_be_one;

/// The station that the file describes; worth something only when nothing was reported.
pub(crate) fn station(file: &File, report: &mut Report) -> Station {
    let small = is_small(file, report);
    let world = World::new(file);
    let devices = hardware::devices(file, report);
    let services = services::services(file, &world, report);
    let mut station = Station {
        runtime: runtime(file, report),
        api: api(file, report),
        logs: logs(file),
        devices,
        services,
        layers: vec![],
    };
    // What compares everything with everything has its bound.
    if small {
        twins::check(file, &station, report);
        ports::check(file, &station, report);
        station.layers = whole::check(file, &station, report);
        mirror_conflicts(&mut station);
    }
    station
}

/// A conflict holds for both services, whichever of them names the other.
fn mirror_conflicts(station: &mut Station) {
    let named: Vec<(ServiceName, ServiceName)> = station
        .services
        .values()
        .flat_map(|service| service.conflicts.iter().map(|other| (other.clone(), service.name.clone())))
        .collect();
    for (other, name) in named {
        if let Some(service) = station.services.get_mut(&other) {
            Arc::make_mut(service).conflicts.insert(name);
        }
    }
}

/// What can be referred to from anywhere, and what holds by default.
struct World {
    /// `None`: its kind could not be read.
    devices: BTreeMap<DeviceName, Option<DeviceKind>>,
    services: BTreeSet<ServiceName>,
    ports: ports::Written,
    defaults: Defaults,
}

struct Defaults {
    dependency_timeout: Duration,
    ready_within: Duration,
    lost_after: Duration,
    stop_grace: Duration,
}

impl Defaults {
    fn new(table: Option<&DefaultsTable>) -> Self {
        let time = |said: Option<Duration>, seconds| said.unwrap_or(Duration::from_secs(seconds));
        Self {
            dependency_timeout: time(table.and_then(|t| t.dependency_timeout.value()).map(|t| t.0), 60),
            ready_within: time(table.and_then(|t| t.ready_within.value()).map(|t| t.0), 90),
            lost_after: time(table.and_then(|t| t.lost_after.value()).map(|t| t.0), 15),
            stop_grace: time(table.and_then(|t| t.stop_grace.value()).map(|t| t.0), 30),
        }
    }
}

impl World {
    fn new(file: &File) -> Self {
        let kind = |field: &Field<Wholly<HardwareTable>>| field.value().and_then(|t| t.kind.value().copied());
        let devices = file.hardware.value().map(|map| &map.entries).into_iter().flatten();
        let services = file.services.value().map(|map| map.entries.keys().cloned().collect());
        Self {
            devices: devices.map(|(name, entry)| (name.clone(), kind(&entry.value))).collect(),
            services: services.unwrap_or_default(),
            ports: ports::Written::new(file),
            defaults: Defaults::new(file.defaults.value()),
        }
    }

    /// The service of that name, or a problem at `span`.
    fn service(&self, written: &str, span: &Range<usize>, report: &mut Report) -> Option<ServiceName> {
        let found = ServiceName::new(written).ok().filter(|name| self.services.contains(name));
        if found.is_none() {
            let known = self.services.iter().map(ServiceName::as_str);
            let message = format!("there is no service `{written}`");
            report.unknown(Code::UnknownService, span, message, written, known, "the services are");
        }
        found
    }

    /// The kind of a device, when there is such a device; otherwise a problem at `span`.
    fn device(&self, name: &DeviceName, span: &Range<usize>, report: &mut Report) -> Option<Option<DeviceKind>> {
        let found = self.devices.get(name).copied();
        if found.is_none() {
            let known = self.devices.keys().map(DeviceName::as_str);
            let message = format!("there is no device `{name}`");
            report.unknown(Code::UnknownDevice, span, message, name.as_str(), known, "the devices are");
        }
        found
    }
}

/// Whether there are no more devices and services than mainstay handles.
fn is_small(file: &File, report: &mut Report) -> bool {
    let devices = is_bounded(&file.hardware, 1024, "devices", report);
    let services = is_bounded(&file.services, 4096, "services", report);
    devices && services
}

fn is_bounded<K, V>(map: &Field<Map<K, V>>, most: usize, what: &str, report: &mut Report) -> bool {
    let Some(at) = map.said() else { return true };
    let count = at.value.entries.len();
    if count > most {
        let message = format!("{count} {what} are more than mainstay handles");
        report.problem(Code::TooMany, &at.span, message, format!("configure at most {most} {what}"));
    }
    count <= most
}

fn runtime(file: &File, report: &mut Report) -> Runtime {
    const STARTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);
    let table = file.runtime.value();
    if let Some(said) = table.and_then(|table| table.run_dir.said()) {
        room_for_sockets(&said.value.0, &said.span, report);
    }
    let starts = table.and_then(|t| t.max_parallel_starts.value());
    Runtime {
        state_dir: table.and_then(|t| t.state_dir.value()).map(|path| path.0.clone()),
        run_dir: table.and_then(|t| t.run_dir.value()).map(|path| path.0.clone()),
        max_parallel_starts: starts.and_then(|n| NonZeroUsize::new(n.to(0))).unwrap_or(STARTS),
    }
}

/// The kernel refuses sockets with longer paths, and would do so for each service anew.
fn room_for_sockets(run_dir: &Path, span: &Range<usize>, report: &mut Report) {
    let (length, most) = (run_dir.as_os_str().len(), Runtime::LONGEST_RUN_DIR);
    if length > most {
        let message = format!("`runtime.run_dir` has {length} bytes, too many for the sockets in it");
        let help = format!("name a directory whose path has at most {most} bytes, such as \"/run/mainstay\"");
        report.problem(Code::OutOfRange, span, message, help);
    }
}

fn api(file: &File, report: &mut Report) -> Api {
    if let Some(span) = file.api.span() {
        report.later(Later::Api, span, "");
    }
    let listen = file.api.value().and_then(|table| table.listen.value().copied());
    Api { listen: listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8092))) }
}

fn logs(file: &File) -> Logs {
    let table = file.logs.value();
    Logs {
        max_size: table.and_then(|t| t.max_size.value()).map_or(10_000_000, |size| size.0),
        keep: table.and_then(|t| t.keep.value()).map_or(5, |keep| keep.to(5)),
    }
}
