use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Ask(usize, Vec<(usize, bool)>, i32),
    Withdraw(usize),
    Release(usize),
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
}

impl Play {
    fn tell(&mut self, message: LeaseMessage) {
        self.bench.tell(message);
        self.calls.append(&mut self.bench.acts);
        let mut stopping = Vec::new();
        for (service, message) in std::mem::take(&mut self.bench.told) {
            match message {
                ServiceMessage::Granted(grant) => {
                    assert!(self.asked.remove(&service).is_some(), "{service} was served without asking");
                    self.held.insert(service, grant);
                    self.nobody_excludes();
                }
                ServiceMessage::Revoked { .. } => stopping.push(service),
                _ => {}
            }
        }
        for service in stopping {
            self.held.remove(&service);
            self.tell(LeaseMessage::Release(service.into()));
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
            Action::PrepareRadio { operation, device, ifindex, .. } => {
                self.tell(LeaseMessage::RadioPrepared(operation, device, Ok(baseline(ifindex))));
            }
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
            Step::Release(service) => {
                self.held.remove(&name(SERVICES[service]));
                self.tell(LeaseMessage::Release(name(SERVICES[service]).into()));
            }
            Step::Idle(service) => self.tell(LeaseMessage::Idle(name(SERVICES[service]).into())),
            Step::Busy(service) => self.tell(LeaseMessage::Busy(name(SERVICES[service]).into())),
            Step::Unplug(device) => {
                let device = device_name(DEVICES[device]);
                let reason = Unusable::Absent(Absence::NotPluggedIn);
                self.tell(LeaseMessage::DeviceUnavailable { device, reason, soon: Soon::Unknown });
            }
            Step::Plug(device) => self.plug(DEVICES[device]),
            Step::Answer => self.answer(),
        }
    }

    fn plug(&mut self, device: &str) {
        self.arrivals += 1;
        self.tell(LeaseMessage::DeviceAvailable(device_name(device), offer(device, self.arrivals)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_shares_what_is_exclusive_and_everybody_is_served_in_the_end(
        steps in prop::collection::vec(step(), 1..80)
    ) {
        let (calls, held, asked) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let mut play = Play { bench: Bench::new(), arrivals: 1, calls, held, asked };
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
                play.held.remove(&service);
                play.tell(LeaseMessage::Release(service.into()));
            }
        }
        prop_assert!(play.asked.is_empty(), "never served: {:?}", play.asked);
        while !play.calls.is_empty() {
            play.answer();
        }
        prop_assert!(play.bench.machine.radios.are_settled(), "a radio was not put back");
    }
}
