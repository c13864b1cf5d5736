//! Timers belong to states, and a state that is left takes its timers with it.

use std::collections::BTreeSet;

use super::*;

/// A device, and the timers that it has set.
#[derive(Clone)]
struct Clockwork {
    machine: DeviceMachine,
    runs: BTreeSet<DeviceTimer>,
    operation: OperationId,
    status: DeviceStatus,
}

impl Clockwork {
    fn new() -> Self {
        let Bench { machine, operation, status, .. } = Bench::new();
        Self { machine, runs: BTreeSet::new(), operation, status }
    }

    fn tell(&mut self, message: DeviceMessage) {
        if let DeviceMessage::Timer(timer) = &message {
            self.runs.remove(timer);
        }
        for effect in self.machine.handle(Moment::after_boot(Duration::from_secs(1000)), message) {
            match effect {
                Effect::SetTimer(timer, _) => drop(self.runs.insert(timer)),
                Effect::CancelTimer(timer) => drop(self.runs.remove(&timer)),
                Effect::Act(Action::CheckAccess(operation, _) | Action::ProbeDevice(operation, ..)) => {
                    self.operation = operation;
                }
                Effect::Publish(Publication::Device(shown)) => self.status = shown.status,
                _ => {}
            }
        }
    }

    fn events(&self) -> Vec<(&'static str, DeviceMessage)> {
        let bench = Bench { operation: self.operation, ..Bench::new() };
        let not_tried =
            ("not tried", DeviceMessage::Accessible(self.operation, Err(Error::Simulated(ErrorKind::NotTried))));
        let events = bench.events().into_iter().chain([not_tried, ("gone again", gone(2))]);
        let rings = |message: &DeviceMessage| match message {
            DeviceMessage::Timer(timer) => self.runs.contains(timer),
            _ => true,
        };
        events.filter(|(_, message)| rings(message)).collect()
    }
}

fn belongs_to(timer: DeviceTimer) -> Option<DeviceStatus> {
    match timer {
        DeviceTimer::Settling | DeviceTimer::AccessRetry => Some(DeviceStatus::Settling),
        DeviceTimer::LookAfterAll => Some(DeviceStatus::Faulted),
        DeviceTimer::Quarantine => Some(DeviceStatus::Quarantined),
        // Of its name, wherever it is.
        DeviceTimer::Mistaken => None,
    }
}

#[test]
fn whatever_a_device_is_told_it_waits_for_nothing_that_belongs_to_another_state() {
    let mut paths = vec![(Vec::new(), Clockwork::new())];
    for _ in 0..5 {
        let mut longer = Vec::new();
        for (path, device) in &paths {
            for (event, message) in device.events() {
                let mut device = device.clone();
                device.tell(message);
                let path: Vec<&str> = path.iter().copied().chain([event]).collect();
                for timer in &device.runs {
                    let right = belongs_to(*timer).is_none_or(|status| status == device.status);
                    assert!(right, "{path:?}: {timer:?} runs while it is {}", device.status.as_str());
                }
                assert!(device.runs.len() <= 1, "{path:?}: {:?} run at once", device.runs);
                longer.push((path, device));
            }
        }
        // One path to each place is enough.
        let mut known = BTreeSet::new();
        longer.retain(|(_, device)| known.insert((device.status.as_str(), device.runs.clone())));
        paths = longer;
    }
}

#[test]
fn a_fault_ends_the_wait_for_a_device_to_be_steady_and_for_its_node() {
    for retries in [false, true] {
        let mut device = Clockwork::new();
        device.tell(DeviceMessage::Seen(sighting(1)));
        if retries {
            device.tell(DeviceMessage::Accessible(device.operation, Err(hung())));
        } else {
            device.tell(gone(1));
            device.tell(DeviceMessage::Seen(sighting(2)));
        }
        assert_eq!((device.status, device.runs.len()), (DeviceStatus::Settling, 1));
        device.tell(DeviceMessage::Fault(DeviceFault::DriverHung(hung()), None));
        assert_eq!((device.status, device.runs.len()), (DeviceStatus::Faulted, 0), "{:?}", device.runs);
    }
}
