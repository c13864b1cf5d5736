//! A station put together by hand: what the parser of a configuration file would make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU16, NonZeroU32, NonZeroUsize};
use std::time::Duration;

use mainstay_config::model::{
    Api, Autostart, Command, Dependency, Device, DeviceKind, DeviceNeed, Flap, Logs, Match, OnReturn, PortNeed, Probe,
    Ready, Restart, RestartWhen, Runtime, Service, Sharing, Station, Stop, StopSignal, StopTo, Takeover, Unit,
    WifiMode,
};
use mainstay_config::names::{DeviceName, MacAddress, PortName, ServiceName};
use mainstay_config::template::Template;

const SECOND: Duration = Duration::from_secs(1);

/// A service being drafted. It is a process that needs nothing but what is said.
#[derive(Debug, Clone)]
pub struct Draft(pub Service);

impl Draft {
    /// A service with this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let command = Command {
            argv: vec![Template::literal(name)],
            environment: BTreeMap::new(),
            environment_from: BTreeSet::new(),
            user: None,
            group: None,
            directory: None,
        };
        let backoff = SECOND * 2;
        Self(Service {
            name: ServiceName::new(name).expect("a name"),
            unit: Unit::Process(command),
            autostart: Autostart::Yes,
            devices: BTreeMap::new(),
            ports: BTreeMap::new(),
            addresses: BTreeMap::new(),
            resources: BTreeSet::new(),
            dependencies: BTreeMap::new(),
            conflicts: BTreeSet::new(),
            ready: Ready { probe: Probe::File { path: Template::literal("/ready") }, within: SECOND * 30 },
            restart: Restart { when: RestartWhen::Always, attempts: 3, backoff, factor: 2.0, reset_after: SECOND * 60 },
            stop: Stop { signal: StopSignal::Term, to: StopTo::All, grace: SECOND * 5 },
            critical: false,
            not_in_this_version: Vec::new(),
        })
    }

    /// It leases a device.
    #[must_use]
    pub fn device(mut self, name: &str, sharing: Sharing) -> Self {
        let need = DeviceNeed { sharing, priority: 0, timeout: None, mode: None, takeover: Takeover::Refuse };
        self.0.devices.insert(DeviceName::new(name).expect("a name"), need);
        self
    }

    /// It leases a radio in some mode.
    #[must_use]
    pub fn radio(self, name: &str, sharing: Sharing, mode: WifiMode) -> Self {
        let mut draft = self.device(name, sharing);
        draft.0.devices.values_mut().for_each(|need| need.mode = Some(mode));
        draft
    }

    /// It comes before others for a device.
    #[must_use]
    pub fn priority(mut self, device: &str, priority: i32) -> Self {
        let needs = self.0.devices.iter_mut().filter(|(name, _)| name.as_str() == device);
        needs.for_each(|(_, need)| need.priority = priority);
        self
    }

    /// It does not wait longer than this for other holders.
    #[must_use]
    pub fn patience(mut self, timeout: Duration) -> Self {
        self.0.devices.values_mut().for_each(|need| need.timeout = Some(timeout));
        self
    }

    /// It listens on a port.
    #[must_use]
    pub fn port(self, name: &str, number: u16) -> Self {
        self.listens(name, PortNeed::Fixed(nonzero(number)))
    }

    /// It listens on a port of a range, the first if it can.
    #[must_use]
    pub fn range(self, name: &str, first: u16, last: u16) -> Self {
        let (first, last) = (nonzero(first), nonzero(last));
        self.listens(name, PortNeed::Range { prefer: first, first, last })
    }

    fn listens(mut self, name: &str, need: PortNeed) -> Self {
        self.0.ports.insert(PortName::new(name).expect("a name"), need);
        if let Unit::Process(command) = &mut self.0.unit {
            command.argv.push(Template::parse(&format!("port={{port.{name}}}")).expect("a template"));
        }
        self
    }

    /// It leases something with a name, alone: `custom/NAME`.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.0.resources.insert(format!("custom/{name}"));
        self
    }

    /// It leases a file, alone. In the world `/link` is a link to `/data`.
    #[must_use]
    pub fn file(mut self, path: &str) -> Self {
        self.0.resources.insert(format!("file/{path}"));
        self
    }

    /// It never runs beside another.
    #[must_use]
    pub fn conflicts(mut self, other: &str) -> Self {
        self.0.conflicts.insert(ServiceName::new(other).expect("a name"));
        self
    }

    /// It requires another, which counts as lost after so many seconds.
    #[must_use]
    pub fn requires(self, other: &str, lost_after: u64) -> Self {
        let lost_after = Duration::from_secs(lost_after);
        self.depends(other, Dependency::Required { timeout: SECOND * 60, lost_after })
    }

    /// It wants another, for which it waits ten seconds.
    #[must_use]
    pub fn wants(self, other: &str) -> Self {
        self.depends(other, Dependency::Optional { timeout: SECOND * 10, on_return: OnReturn::Keep })
    }

    /// It comes after another.
    #[must_use]
    pub fn after(self, other: &str) -> Self {
        self.depends(other, Dependency::Soft)
    }

    /// It depends on another.
    #[must_use]
    pub fn depends(mut self, other: &str, how: Dependency) -> Self {
        self.0.dependencies.insert(ServiceName::new(other).expect("a name"), how);
        self
    }

    /// It is started by the operator only.
    #[must_use]
    pub fn autostart_no(mut self) -> Self {
        self.0.autostart = Autostart::No;
        self
    }

    /// It is ready when this says so.
    #[must_use]
    pub fn ready(mut self, probe: Probe) -> Self {
        self.0.ready.probe = probe;
        self
    }
}

/// A station of these devices and services. Three services start at a time.
#[must_use]
pub fn assemble(devices: &[(&str, DeviceKind)], drafts: Vec<Draft>) -> Station {
    let devices = devices.iter().zip(1u8..).map(|((name, kind), number)| device(name, *kind, number));
    let mut services: BTreeMap<ServiceName, Service> =
        drafts.into_iter().map(|Draft(service)| (service.name.clone(), service)).collect();
    // Both say that they never run together, as the parser has it.
    let both_ways =
        services.values().flat_map(|one| one.conflicts.iter().map(|other| (other.clone(), one.name.clone())));
    for (one, other) in both_ways.collect::<Vec<_>>() {
        services.entry(one).and_modify(|service| service.conflicts.extend([other]));
    }
    let layers = layers(&services);
    Station {
        runtime: Runtime { state_dir: None, run_dir: None, max_parallel_starts: NonZeroUsize::MIN.saturating_add(2) },
        api: Api { listen: (std::net::Ipv4Addr::LOCALHOST, 8092).into() },
        logs: Logs { max_size: 10_000_000, keep: 5 },
        devices: devices.map(|device| (device.name.clone(), device)).collect(),
        services,
        layers,
    }
}

/// A device that is recognised by its serial number; a radio, by its address.
fn device(name: &str, kind: DeviceKind, number: u8) -> Device {
    let matching = match kind {
        DeviceKind::Wifi => Match { mac: Some(MacAddress([2, 0, 0, 0, number, 0])), ..Match::default() },
        _ => Match { serial: Some(format!("serial-of-{name}")), ..Match::default() },
    };
    let flap = Flap { departures: NonZeroU32::MIN.saturating_add(4), within: SECOND * 60, quarantine: SECOND * 30 };
    Device { name: DeviceName::new(name).expect("a name"), kind, matching, flap }
}

fn nonzero(port: u16) -> NonZeroU16 {
    NonZeroU16::new(port).expect("not port 0")
}

/// Every service in a later layer than all it depends on.
fn layers(services: &BTreeMap<ServiceName, Service>) -> Vec<Vec<ServiceName>> {
    let mut layers: Vec<Vec<ServiceName>> = Vec::new();
    let mut placed = BTreeSet::new();
    while placed.len() < services.len() {
        let free = |service: &&Service| {
            !placed.contains(&service.name) && service.dependencies.keys().all(|needed| placed.contains(needed))
        };
        let layer: Vec<ServiceName> = services.values().filter(free).map(|service| service.name.clone()).collect();
        assert!(!layer.is_empty(), "a draft depends on itself, or on a service that is not there");
        placed.extend(layer.iter().cloned());
        layers.push(layer);
    }
    layers
}
