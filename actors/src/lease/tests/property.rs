use proptest::prelude::*;

use std::collections::BTreeSet;

use super::ports::{foreign, range};
use super::*;
use crate::cause::Resource;
use crate::message::lease::{Renewed, Statement, StillUsed};

#[derive(Debug, Clone)]
enum Step {
    Ask(usize, Vec<(usize, bool)>, Ports, i32),
    Withdraw(usize),
    Release(usize),
    Renew(usize),
    Idle(usize),
    Busy(usize),
    Unplug(usize),
    Plug(usize),
    Answer,
}

/// Whether a port of the range is wanted as well.
#[derive(Debug, Clone, Copy)]
enum Ports {
    None,
    One,
}

const DEVICES: [&str; 3] = ["x", "y", "w"];
/// The range that all want their ports of.
const RANGE: [u16; 3] = [8000, 8001, 8002];

fn ports() -> impl Strategy<Value = Ports> {
    prop_oneof![Just(Ports::None), Just(Ports::One)]
}

fn step() -> impl Strategy<Value = Step> {
    let service = || 0..SERVICES.len();
    let device = || 0..DEVICES.len();
    prop_oneof![
        4 => (service(), prop::collection::btree_map(device(), any::<bool>(), 0..=3), ports(), 0..3)
            .prop_map(|(service, wants, ports, priority)| Step::Ask(service, wants.into_iter().collect(), ports, priority)),
        1 => service().prop_map(Step::Withdraw),
        3 => service().prop_map(Step::Release),
        2 => service().prop_map(Step::Renew),
        1 => service().prop_map(Step::Idle),
        1 => service().prop_map(Step::Busy),
        1 => device().prop_map(Step::Unplug),
        2 => device().prop_map(Step::Plug),
        4 => Just(Step::Answer),
    ]
}

/// A registry with obedient services and an honest driver.
struct Play {
    bench: Bench,
    arrivals: u32,
    /// Calls of drivers that are not answered yet.
    calls: Vec<Action>,
    held: BTreeMap<ServiceName, (Grant, LeaseRequest)>,
    asked: BTreeMap<ServiceName, LeaseRequest>,
    absent: BTreeSet<DeviceName>,
    /// Ports on which other programs listen.
    strangers: BTreeSet<u16>,
}

fn wants(request: &LeaseRequest) -> Vec<(DeviceName, Sharing)> {
    let device = |want: &Want| match want {
        Want::Device { device, sharing, .. } => Some((device.clone(), *sharing)),
        _ => None,
    };
    request.wants.iter().filter_map(device).collect()
}

impl Play {
    fn tell(&mut self, message: LeaseMessage) {
        self.bench.tell(message);
        self.calls.append(&mut self.bench.acts);
        let (mut stopping, mut waiting) = (Vec::new(), Vec::new());
        for (service, message) in std::mem::take(&mut self.bench.told) {
            match message {
                ServiceMessage::Granted(grant) => {
                    let asked = self.asked.remove(&service).expect("nobody is served without asking");
                    self.is_the_rightful_one(&asked);
                    self.held.insert(service, (grant, asked));
                    self.nobody_excludes();
                }
                ServiceMessage::Revoked { .. } => stopping.push(service),
                ServiceMessage::Renewed(_, Renewed::With(ports)) => {
                    if let Some((grant, _)) = self.held.get_mut(&service) {
                        grant.ports = ports;
                    }
                    self.nobody_excludes();
                }
                ServiceMessage::Renewed(_, Renewed::MustWait) => waiting.push(service),
                ServiceMessage::Refused(refusal) | ServiceMessage::Renewed(_, Renewed::Refused(refusal)) => {
                    assert_eq!(self.strangers.len(), RANGE.len(), "{service} is told that {refusal}");
                    self.asked.remove(&service);
                }
                _ => {}
            }
        }
        for service in waiting {
            self.waits(&service);
        }
        for service in stopping {
            self.release(&service);
        }
        self.everybody_keeps_what_it_has();
    }

    /// One that is to be restarted gives back what it holds, and waits for it.
    fn waits(&mut self, service: &ServiceName) {
        let Some((grant, asked)) = self.held.remove(service) else { return };
        self.asked.insert(service.clone(), asked.clone());
        let (holder, wants) = (service.into(), Some(asked));
        let stands = Statement { holder, held: None, given_back: grant.token, uses: StillUsed::Yes, wants };
        self.tell(LeaseMessage::Stands(stands));
    }

    /// Of all who want a device that is there, the first by rank gets it.
    fn is_the_rightful_one(&self, served: &LeaseRequest) {
        let rank = |request: &LeaseRequest| (std::cmp::Reverse(request.priority), request.holder.clone());
        // What takes time to be made ready was decided before, when others may not have asked yet.
        let takes_time = |want: &Want| match want {
            Want::Device { device, .. } => device.as_str() == "w",
            want => matches!(want, Want::Port { .. }),
        };
        if served.wants.iter().any(takes_time) {
            return;
        }
        for other in self.asked.values().filter(|other| rank(other) < rank(served)) {
            let excludes = |(device, sharing): &(DeviceName, Sharing)| {
                let same = |(mine, how): &(DeviceName, Sharing)| {
                    mine == device && (*sharing == Sharing::Exclusive || *how == Sharing::Exclusive)
                };
                wants(served).iter().any(same)
            };
            let contested = wants(other).iter().any(excludes);
            let absent = wants(other).iter().any(|(device, _)| self.absent.contains(device));
            assert!(absent || !contested, "{} is served before {}", served.holder, other.holder);
        }
    }

    /// Nobody loses what it has by anything but a word to it.
    fn everybody_keeps_what_it_has(&self) {
        let shown = self.bench.shown.snapshot().held;
        for (service, (grant, _)) in &self.held {
            for device in grant.devices.keys() {
                let resource = Resource::Device(device.clone());
                let has_it = shown.iter().any(|held| held.resource == resource && held.holder.is(service));
                assert!(has_it, "{service} has {device}, and the registry does not know it");
            }
        }
    }

    fn nobody_excludes(&self) {
        for device in DEVICES.map(device_name) {
            let holders: Vec<Sharing> =
                self.held.values().filter_map(|(grant, _)| Some(grant.devices.get(&device)?.sharing)).collect();
            assert!(holders.len() < 2 || !holders.contains(&Sharing::Exclusive), "{device}: {holders:?}");
        }
        let ports: Vec<u16> = self.held.values().flat_map(|(grant, _)| grant.ports.values().copied()).collect();
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len(), "{ports:?}");
    }

    fn answer(&mut self) {
        if self.calls.is_empty() {
            return;
        }
        match self.calls.remove(0) {
            Action::ReadRadio { operation, device, ifindex } => {
                self.tell(LeaseMessage::RadioRead(operation, device, Ok(baseline(ifindex))));
            }
            Action::SetRadio { operation, device, .. } => {
                self.tell(LeaseMessage::RadioSet(operation, device, Ok(())));
            }
            Action::LookAtPorts(operation, places) => {
                let seen: Vec<u16> = places.into_keys().filter(|port| self.strangers.contains(port)).collect();
                self.tell(LeaseMessage::PortsSeen(operation, foreign(&seen)));
            }
            Action::RestoreRadio { operation, device, .. } => {
                self.tell(LeaseMessage::RadioRestored(operation, device, Ok(())));
            }
            _ => {}
        }
    }

    fn go(&mut self, step: Step) {
        match step {
            Step::Ask(service, wants, ports, priority) if !self.held.contains_key(&name(SERVICES[service])) => {
                let wants = wants
                    .into_iter()
                    .map(|(device, share)| if share { shared(DEVICES[device]) } else { exclusive(DEVICES[device]) });
                let port = matches!(ports, Ports::One).then(range);
                let asked = LeaseRequest { priority, ..request(SERVICES[service], wants.chain(port).collect()) };
                self.asked.insert(name(SERVICES[service]), asked.clone());
                self.tell(LeaseMessage::Request(asked));
            }
            Step::Ask(..) => {}
            Step::Withdraw(service) => {
                self.asked.remove(&name(SERVICES[service]));
                self.tell(LeaseMessage::Withdraw(name(SERVICES[service]).into()));
            }
            Step::Release(service) => self.release(&name(SERVICES[service])),
            Step::Renew(service) => {
                if let Some((_, asked)) = self.held.get(&name(SERVICES[service])).cloned() {
                    self.arrivals += 1;
                    let arrival = Moment::after_boot(Duration::from_secs(self.arrivals.into()));
                    self.tell(LeaseMessage::Renew(LeaseRequest { arrival, ..asked }));
                }
            }
            Step::Idle(service) => self.tell(LeaseMessage::Idle(name(SERVICES[service]).into())),
            Step::Busy(service) => self.tell(LeaseMessage::Busy(name(SERVICES[service]).into())),
            Step::Unplug(device) => {
                let device = device_name(DEVICES[device]);
                self.absent.insert(device.clone());
                let reason = Unusable::Absent(Absence::NotPluggedIn);
                self.tell(LeaseMessage::DeviceUnavailable { device, reason, soon: Soon::Unknown });
            }
            Step::Plug(device) => self.plug(DEVICES[device]),
            Step::Answer => self.answer(),
        }
    }

    fn release(&mut self, service: &ServiceName) {
        let token = self.held.remove(service).map_or(Token(0), |(grant, _)| grant.token);
        self.tell(LeaseMessage::Release(service.into(), token));
    }

    fn plug(&mut self, device: &str) {
        self.arrivals += 1;
        self.absent.remove(&device_name(device));
        self.tell(LeaseMessage::DeviceAvailable(device_name(device), offer(device, self.arrivals)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rightful_one_holds_what_is_exclusive_and_everybody_is_served_in_the_end(
        steps in prop::collection::vec(step(), 1..80),
        strangers in prop::sample::subsequence(RANGE.to_vec(), 0..=RANGE.len()),
    ) {
        let (calls, held, asked, strangers) = (Vec::new(), BTreeMap::new(), BTreeMap::new(), strangers.into_iter().collect());
        let mut play = Play { bench: Bench::new(), arrivals: 1, calls, held, asked, absent: BTreeSet::new(), strangers };
        for step in steps {
            play.go(step);
        }
        // Everything is there, every driver answers, and every holder ends some time.
        DEVICES.iter().for_each(|device| play.plug(device));
        for _ in 0..SERVICES.len() + 1 {
            while !play.calls.is_empty() {
                play.answer();
            }
            for service in play.held.keys().cloned().collect::<Vec<_>>() {
                play.release(&service);
            }
        }
        prop_assert!(play.asked.is_empty(), "never served: {:?}", play.asked);
        while !play.calls.is_empty() {
            play.answer();
        }
        prop_assert!(play.bench.machine.radios.are_settled_but_for(|_| false), "a radio was not put back");
    }
}
