use proptest::prelude::*;

use std::collections::BTreeSet;

use super::ports::fixed;
use super::*;
use crate::cause::Resource;

#[derive(Debug, Clone)]
enum Step {
    Ask(usize, Vec<(usize, bool)>, i32),
    Withdraw(usize),
    Release(usize),
    Renew(usize),
    Idle(usize),
    Busy(usize),
    Unplug(usize),
    Plug(usize),
    Answer,
}

const DEVICES: [&str; 3] = ["x", "y", "w"];

fn step() -> impl Strategy<Value = Step> {
    let service = || 0..SERVICES.len();
    let device = || 0..DEVICES.len();
    prop_oneof![
        4 => (service(), prop::collection::btree_map(device(), any::<bool>(), 1..=3), 0..3)
            .prop_map(|(service, wants, priority)| Step::Ask(service, wants.into_iter().collect(), priority)),
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
    held: BTreeMap<ServiceName, Grant>,
    asked: BTreeMap<ServiceName, LeaseRequest>,
    absent: BTreeSet<DeviceName>,
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
        let mut stopping = Vec::new();
        for (service, message) in std::mem::take(&mut self.bench.told) {
            match message {
                ServiceMessage::Granted(grant) => {
                    let asked = self.asked.remove(&service).expect("nobody is served without asking");
                    self.is_the_rightful_one(&asked);
                    self.held.insert(service, grant);
                    self.nobody_excludes();
                }
                ServiceMessage::Revoked { .. } => stopping.push(service),
                _ => {}
            }
        }
        for service in stopping {
            self.release(&service);
        }
        self.everybody_keeps_what_it_has();
    }

    /// Of all who want a device that is there, the first by rank gets it.
    fn is_the_rightful_one(&self, served: &LeaseRequest) {
        let rank = |request: &LeaseRequest| (std::cmp::Reverse(request.priority), request.holder.clone());
        // What takes time to be made ready was decided before, when others may not have asked yet.
        if wants(served).iter().any(|(device, _)| device.as_str() == "w") {
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
        for (service, grant) in &self.held {
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
                self.held.values().filter_map(|grant| grant.devices.get(&device)).map(|held| held.sharing).collect();
            assert!(holders.len() < 2 || !holders.contains(&Sharing::Exclusive), "{device}: {holders:?}");
        }
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
            Action::LookAtPorts(operation, _) => self.tell(LeaseMessage::PortsSeen(operation, Ok(BTreeMap::new()))),
            Action::RestoreRadio { operation, device, .. } => {
                self.tell(LeaseMessage::RadioRestored(operation, device, Ok(())));
            }
            _ => {}
        }
    }

    fn go(&mut self, step: Step) {
        match step {
            Step::Ask(service, wants, priority) if !self.held.contains_key(&name(SERVICES[service])) => {
                let wants = wants
                    .into_iter()
                    .map(|(device, share)| if share { shared(DEVICES[device]) } else { exclusive(DEVICES[device]) });
                let asked = LeaseRequest { priority, ..request(SERVICES[service], wants.collect()) };
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
                let (service, wants) = (SERVICES[service], vec![fixed()]);
                self.tell(LeaseMessage::Renew(request(service, wants)));
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
        let token = self.held.remove(service).map_or(Token(0), |grant| grant.token);
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
        steps in prop::collection::vec(step(), 1..80)
    ) {
        let (calls, held, asked) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut play = Play { bench: Bench::new(), arrivals: 1, calls, held, asked, absent: BTreeSet::new() };
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
