//! What a device does, shows and tells.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::time::Duration;

use mainstay_config::model::DeviceKind;
use mainstay_config::names::ServiceName;
use mainstay_hardware::bus::Findings;
use mainstay_hardware::error::{Error, ErrorKind};
use mainstay_hardware::sighting::{Access, Generation, Key, Sighting, Sort, UsbFacts};

mod again;
mod awaited;
mod radios;
mod rivals;
mod sleep;
mod table;
mod timers;

use super::DeviceMachine;
use crate::cause::{Absence, DeviceFault, Holder, Withheld};
use crate::machine::{Beginning, Machine};
use crate::message::device::{DeviceMessage, DeviceSnapshot, DeviceStatus, DeviceTimer};
use crate::message::lease::LeaseMessage;
use crate::message::{
    Action, ActorId, Effect, Message, Moment, OperationId, Outcome, Publication, RequestId, round_trip,
};
use crate::world::stations::assemble;

/// A device with the clock and the last operation it asked for.
struct Bench {
    machine: DeviceMachine,
    now: Moment,
    operation: OperationId,
    status: DeviceStatus,
    shown: Option<DeviceSnapshot>,
    told: Vec<LeaseMessage>,
    outcome: Outcome,
    acts: Vec<Action>,
    timers: Vec<(DeviceTimer, Duration)>,
    asked_inventory: bool,
}

fn sighting(arrival: u8) -> Sighting {
    Sighting {
        key: Key("usb/1-1".to_owned()),
        generation: Generation(format!("usb 1:{arrival}")),
        usb: Some(UsbFacts {
            id: "1d50:6089".parse().unwrap(),
            path: "1-1".parse().unwrap(),
            bus: 1,
            address: arrival,
            serial: Some("serial-of-hackrf".to_owned()),
            product: None,
            interface: None,
        }),
        sort: Sort::Usb { node: format!("/dev/bus/usb/001/{arrival:03}").into() },
        access: Access::Unknown,
    }
}

/// The same arrival, of which more is known by now.
fn renamed(arrival: u8) -> Sighting {
    let seen = sighting(arrival);
    let usb = seen.usb.map(|usb| UsbFacts { product: Some("HackRF One".to_owned()), ..usb });
    Sighting { usb, ..seen }
}

fn gone(arrival: u8) -> DeviceMessage {
    DeviceMessage::Gone {
        generation: Some(sighting(arrival).generation),
        how: Absence::Left(Key("usb/1-1".to_owned())),
    }
}

fn user() -> Holder {
    Holder::Service(ServiceName::new("user").unwrap())
}

fn leased() -> DeviceMessage {
    DeviceMessage::Leased { holder: user(), since: Moment::after_boot(Duration::from_secs(1000)) }
}

fn hung() -> Error {
    Error::Simulated(ErrorKind::TimedOut)
}

impl Bench {
    fn new() -> Self {
        let station = assemble(&[("hackrf", DeviceKind::Hackrf)], Vec::new());
        let machine = DeviceMachine::new(station.devices.into_values().next().unwrap());
        let mut bench = Self {
            machine,
            now: Moment::after_boot(Duration::from_secs(1000)),
            operation: OperationId::default(),
            status: DeviceStatus::Absent,
            shown: None,
            told: Vec::new(),
            outcome: Outcome::Handled,
            acts: Vec::new(),
            timers: Vec::new(),
            asked_inventory: false,
        };
        let effects = bench.machine.begin(bench.now, Beginning::First);
        bench.take(effects);
        bench
    }

    fn take(&mut self, effects: Vec<Effect<DeviceTimer>>) {
        (self.told, self.acts, self.outcome) = (Vec::new(), Vec::new(), Outcome::Handled);
        (self.timers, self.asked_inventory) = (Vec::new(), false);
        for effect in effects {
            round_trip::survives(&effect);
            match effect {
                Effect::Tell(Message::Leases(message)) => self.told.push(message),
                Effect::Act(action) => {
                    if let Action::CheckAccess(operation, _) | Action::ProbeDevice(operation, ..) = action {
                        self.operation = operation;
                    }
                    self.acts.push(action);
                }
                Effect::Publish(Publication::Device(shown)) => {
                    self.status = shown.status;
                    self.shown = Some(shown);
                }
                Effect::Tell(Message::Hardware(_)) => self.asked_inventory = true,
                Effect::SetTimer(timer, after) => self.timers.push((timer, after)),
                Effect::Note(outcome) => self.outcome = outcome,
                _ => {}
            }
        }
    }

    fn tell(&mut self, message: DeviceMessage) -> &mut Self {
        round_trip::survives(&message);
        let effects = self.machine.handle(self.now, message);
        self.take(effects);
        self
    }

    /// After a panic of its actor.
    fn begin_again(&mut self) -> &mut Self {
        let effects = self.machine.begin(self.now, Beginning::Again);
        self.take(effects);
        self
    }

    /// After two panics, one upon the other.
    fn begin_afresh(&mut self) -> &mut Self {
        self.machine = self.machine.successor();
        self.begin_again()
    }

    /// What it says again to the registry.
    fn says_again(&self) -> Vec<Message> {
        self.machine.tell_again(&ActorId::Leases)
    }

    fn accessible(&mut self) -> &mut Self {
        self.tell(DeviceMessage::Accessible(self.operation, Ok(())))
    }

    fn ready(&mut self) -> &mut Self {
        self.tell(DeviceMessage::Seen(sighting(1))).accessible();
        self.tell(DeviceMessage::Probed(self.operation, Ok(Findings::Opened)))
    }
}

#[test]
fn a_device_is_probed_only_while_nobody_leases_it() {
    let mut bench = Bench::new();
    bench.ready().tell(leased());
    bench.tell(DeviceMessage::Eject(RequestId(1))).tell(DeviceMessage::Admit(RequestId(2)));
    assert!(bench.acts.is_empty(), "a device in use is not disturbed: {:?}", bench.acts);
    assert!(matches!(bench.told[..], [LeaseMessage::DeviceAvailable(..)]));
}

#[test]
fn the_next_arrival_is_looked_at_though_the_holder_of_the_last_one_still_stops() {
    let mut bench = Bench::new();
    bench.ready().tell(leased()).tell(gone(1));
    bench.tell(DeviceMessage::Seen(sighting(2))).tell(DeviceMessage::Timer(DeviceTimer::Settling));
    assert!(matches!(bench.acts[..], [Action::CheckAccess(..)]), "{:?}", bench.acts);
}

#[test]
fn an_ejected_device_stays_ejected_over_a_fault_and_over_a_panic() {
    let mut bench = Bench::new();
    bench
        .ready()
        .tell(DeviceMessage::Eject(RequestId(1)))
        .tell(DeviceMessage::Fault(DeviceFault::DriverHung(hung()), None));
    assert_eq!(bench.status, DeviceStatus::Ejected);
    bench.begin_afresh().tell(DeviceMessage::Seen(sighting(1)));
    assert_eq!(bench.status, DeviceStatus::Ejected);
}

#[test]
fn a_node_that_cannot_be_opened_yet_is_tried_again_for_three_seconds() {
    let mut bench = Bench::new();
    bench.tell(DeviceMessage::Seen(sighting(1)));
    let known = format!("there, and tried again since it cannot be opened: {}", hung());
    for again in 0..30 {
        bench.tell(DeviceMessage::Accessible(bench.operation, Err(hung())));
        assert_eq!(bench.status, DeviceStatus::Settling);
        assert_eq!(bench.shown.as_ref().unwrap().reason.to_string(), known);
        assert_eq!(bench.told.len(), usize::from(again == 0), "who waits for it is told once");
        bench.now = bench.now + Duration::from_millis(100);
        bench.tell(DeviceMessage::Timer(DeviceTimer::AccessRetry));
        assert_eq!(bench.shown.as_ref().unwrap().reason.to_string(), known, "also while it is tried again");
        assert!(bench.told.is_empty());
    }
    bench.tell(DeviceMessage::Accessible(bench.operation, Err(hung())));
    assert_eq!(bench.status, DeviceStatus::Faulted);
}

#[test]
fn a_device_that_was_not_looked_at_because_others_hang_is_looked_at_after_all() {
    let mut bench = Bench::new();
    bench.tell(DeviceMessage::Seen(sighting(1)));
    let tries: [fn(OperationId) -> DeviceMessage; 2] = [
        |operation| DeviceMessage::Accessible(operation, Err(Error::Simulated(ErrorKind::NotTried))),
        |operation| DeviceMessage::Probed(operation, Err(Error::Simulated(ErrorKind::NotTried))),
    ];
    for not_tried in tries {
        bench.tell(not_tried(bench.operation));
        assert_eq!(bench.shown.as_ref().unwrap().reason.to_string(), "not tried: others hang (simulated)");
        let (timer, after) = bench.timers[0];
        bench.now = bench.now + after;
        bench.tell(DeviceMessage::Timer(timer));
        assert!(matches!(bench.acts[..], [Action::CheckAccess(..)]), "{:?}", bench.acts);
        bench.accessible();
    }
}

#[test]
fn who_waits_for_a_device_that_is_out_of_use_is_told_so_and_not_only_that_it_is_gone() {
    let said = |bench: &Bench| -> Vec<String> {
        let reason = |message: &LeaseMessage| match message {
            LeaseMessage::DeviceUnavailable { reason, .. } => Some(reason.to_string()),
            _ => None,
        };
        bench.told.iter().filter_map(reason).collect()
    };
    let mut bench = Bench::new();
    for _ in 0..4 {
        bench.tell(DeviceMessage::Seen(sighting(1))).tell(gone(1));
    }
    assert_eq!(said(&bench), ["gone (USB 1-1 unplugged)"]);
    bench.tell(DeviceMessage::Seen(sighting(1))).tell(gone(1));
    let quarantined = "quarantined: it left 5 times in 1m; out for 30s";
    assert_eq!(said(&bench), ["gone (USB 1-1 unplugged)", quarantined]);
    assert!(matches!(
        &bench.says_again()[..],
        [Message::Leases(LeaseMessage::DeviceUnavailable { reason, .. })] if reason.to_string() == quarantined
    ));
    bench.tell(DeviceMessage::Eject(RequestId(1)));
    assert_eq!(said(&bench), ["ejected by the operator"]);
}
