//! Everything that is said can be written down and read back.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Duration;

use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_hardware::error::{Error, ErrorKind, NoAnswer};
use mainstay_hardware::sighting::Generation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::action::probe::ProbeEvent;
use crate::action::process::ProcessEvent;
use crate::cause::Episode;
use crate::engine::{AnyMachine, Letter, Timer};
use crate::machine::Beginning;
use crate::message::device::{DeviceMessage, DeviceTimer};
use crate::message::inventory::InventoryMessage;
use crate::message::lease::{LeaseMessage, LeaseTimer};
use crate::message::service::{ServiceMessage, ServiceStatus, ServiceTimer};
use crate::message::supervision::{RootMessage, ServicesMessage};
use crate::message::{Action, ActorId, Effect, Message, Moment, OperationId, Publication, round_trip};
use crate::runtime::Cut;
use crate::world::checkers::{Check, Checker, Verdict};
use crate::world::environment::Environment;
use crate::world::faults::Weather;
use crate::world::{World, stations};

/// What was written down and read back, as `Action::Spawn`; and of what has a result, whether it was good: `RadioSet Ok`.
#[derive(Clone, Default)]
struct Kinds(Rc<RefCell<BTreeSet<String>>>);

impl Kinds {
    fn note<T: Serialize + DeserializeOwned + Debug>(&self, something: &T) {
        round_trip::survives(something);
        let written = serde_json::to_value(something).unwrap();
        let Some((variant, inside)) = variant(&written) else { panic!("{written} is not one of several") };
        let mut kinds = self.0.borrow_mut();
        kinds.insert(format!("{}::{variant}", name_of::<T>()));
        let results = inside.and_then(Value::as_array).into_iter().flatten().filter_map(self::variant);
        let results = results.filter(|(result, inside)| inside.is_some() && ["Ok", "Err"].contains(result));
        kinds.extend(results.map(|(result, _)| format!("{variant} {result}")));
    }

    fn message(&self, message: &Message) {
        round_trip::survives(message);
        match message {
            Message::Root(message) => self.note(message),
            Message::Hardware(message) => self.note(message),
            Message::Device(_, message) => self.note(message),
            Message::Leases(message) => self.note(message),
            Message::Services(message) => self.note(message),
            Message::Service(_, message) => self.note(message),
        }
        match message {
            Message::Service(_, ServiceMessage::Process(_, event)) => self.note(event),
            Message::Service(_, ServiceMessage::Probe(_, event)) => self.note(event),
            _ => {}
        }
    }

    fn effect(&self, effect: &Effect<Timer>) {
        self.note(effect);
        match effect {
            Effect::Act(action) => self.note(action),
            Effect::Publish(publication) => self.note(publication),
            Effect::SetTimer(Timer::Device(timer), _) => self.note(timer),
            Effect::SetTimer(Timer::Leases(timer), _) => self.note(timer),
            Effect::SetTimer(Timer::Service(timer), _) => self.note(timer),
            _ => {}
        }
    }

    /// Those of one sort that were not there.
    fn missing<T: DeserializeOwned>(&self) -> Vec<String> {
        assert!(!variants::<T>().is_empty(), "serde names none of {}", name_of::<T>());
        let all = variants::<T>().into_iter().map(|variant| format!("{}::{variant}", name_of::<T>()));
        all.filter(|kind| !self.0.borrow().contains(kind)).collect()
    }

    /// Good and bad results of which the other was not there.
    fn lacking_their_other(&self) -> Vec<String> {
        let kinds = self.0.borrow();
        let other = |kind: &str| {
            let (variant, result) = kind.split_once(' ')?;
            Some(format!("{variant} {}", if result == "Ok" { "Err" } else { "Ok" }))
        };
        kinds.iter().filter_map(|kind| other(kind)).filter(|other| !kinds.contains(other)).collect()
    }
}

fn name_of<T>() -> &'static str {
    let path = std::any::type_name::<T>().split('<').next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or_default()
}

/// As serde writes it: its name, or its name with what is inside.
fn variant(written: &Value) -> Option<(&str, Option<&Value>)> {
    match written {
        Value::String(name) => Some((name, None)),
        Value::Object(fields) if fields.len() == 1 => {
            fields.iter().next().map(|(name, inside)| (name.as_str(), Some(inside)))
        }
        _ => None,
    }
}

/// All that there are, which serde says when it is told of one that there is not.
fn variants<T: DeserializeOwned>() -> Vec<String> {
    let Err(error) = serde_json::from_str::<T>("\"?\"") else { panic!("there is a ?") };
    let error = error.to_string();
    let (_, expected) = error.split_once("expected").unwrap_or_else(|| panic!("{error}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Writes down every message, and what each machine wants done because of it, as a copy of that machine says.
struct Written(Kinds, BTreeMap<ActorId, AnyMachine>);

impl Checker for Written {
    fn check(&self) -> Check {
        Check::Replay
    }

    fn began(&mut self, now: Moment, machine: &AnyMachine) -> Verdict {
        for beginning in [Beginning::First, Beginning::Again] {
            machine.clone().begin(now, beginning).iter().for_each(|effect| self.0.effect(effect));
        }
        self.1.insert(machine.id(), machine.clone());
        Ok(())
    }

    fn sent(&mut self, letter: &Letter, _environment: &Environment) -> Verdict {
        self.0.message(&letter.message);
        Ok(())
    }

    fn handled(&mut self, letter: &Letter, environment: &Environment) -> Verdict {
        if let Some(machine) = self.1.get_mut(&letter.message.receiver()) {
            let effects = machine.handle(environment.now(), letter.message.clone());
            effects.iter().for_each(|effect| self.0.effect(effect));
        }
        Ok(())
    }
}

/// What is said and wanted in storms, and while everything is closed down in them.
fn note_storms(kinds: &Kinds) {
    for seed in 0..20 {
        for weather in [Weather::rough(), Weather::hopeless(), Weather::deadly()] {
            let mut world = World::in_weather(&stations::random(seed), seed, weather);
            let engine = world.engine.machines().map(|machine| (machine.id(), machine.clone())).collect();
            world.checkers.push(Box::new(Written(kinds.clone(), engine)));
            let go_on = |world: &mut World, seconds| {
                world.run_for(Duration::from_secs(seconds)).unwrap_or_else(|failure| panic!("{failure}"));
            };
            go_on(&mut world, 120);
            world.close();
            go_on(&mut world, 1);
            world.hurry();
            go_on(&mut world, 60);
        }
    }
}

/// What seldom comes about there: radios that are renamed, files and devices that cannot be looked at, and dependents of what outlives SIGKILL.
fn note_what_is_rare(kinds: &Kinds) {
    let (device, service): (DeviceName, ServiceName) = ("d0".parse().unwrap(), "s0".parse().unwrap());
    for message in [
        Message::Hardware(InventoryMessage::Disclaimed(device.clone(), Generation("wiphy 1".to_owned()))),
        Message::Hardware(InventoryMessage::Admitted(device.clone())),
        Message::Service(service.clone(), ServiceMessage::DependentStuck(service, Episode(1), Some(7))),
        Message::Device(
            device.clone(),
            DeviceMessage::Probed(OperationId::default(), Err(Error::Simulated(ErrorKind::TimedOut))),
        ),
        Message::Leases(LeaseMessage::FilesSeen(OperationId::default(), Err(NoAnswer::FilesHang))),
    ] {
        kinds.message(&message);
    }
    for timer in [DeviceTimer::LookAfterAll, DeviceTimer::Mistaken] {
        kinds.effect(&Effect::SetTimer(Timer::Device(timer), Duration::from_secs(1)));
    }
}

#[test]
fn everything_that_is_said_wanted_and_answered_in_a_storm_can_be_written_down_and_read_back() {
    let kinds = Kinds::default();
    note_storms(&kinds);
    note_what_is_rare(&kinds);
    let missing = [
        kinds.missing::<RootMessage>(),
        kinds.missing::<InventoryMessage>(),
        kinds.missing::<DeviceMessage>(),
        kinds.missing::<LeaseMessage>(),
        kinds.missing::<ServicesMessage>(),
        kinds.missing::<ServiceMessage>(),
        kinds.missing::<ProcessEvent>(),
        kinds.missing::<ProbeEvent>(),
        kinds.missing::<Effect<Timer>>(),
        kinds.missing::<Action>(),
        kinds.missing::<Publication>(),
        kinds.missing::<DeviceTimer>(),
        kinds.missing::<LeaseTimer>(),
        kinds.missing::<ServiceTimer>(),
        kinds.lacking_their_other(),
    ];
    // Nobody can make one: the inventory has no timers.
    let missing = missing.into_iter().flatten().filter(|kind| kind != "InventoryMessage::Timer");
    let missing: Vec<String> = missing.collect();
    assert!(missing.is_empty(), "never seen: {missing:?}");
}

/// Everything that mainstay is, as words.
fn words(world: &World) -> String {
    format!("{:?}", world.cut())
}

#[test]
fn everything_that_mainstay_is_can_be_written_down_in_a_storm_at_any_message_and_goes_on_from_that_as_it_would_have() {
    let mut in_flight = 0;
    for (seed, weather) in (0..12).zip([Weather::rough(), Weather::panicking(), Weather::deadly()].iter().cycle()) {
        let station = stations::random(seed);
        let [mut one, mut other] = [(); 2].map(|()| World::in_weather(&station, seed, weather.clone()));
        for steps in (1..=30).cycle().take(150) {
            if one.ended().is_some() {
                // It gave up, and nothing is started again.
                break;
            }
            for world in [&mut one, &mut other] {
                (0..steps).for_each(|_| assert!(world.step(Moment::after_boot(Duration::from_secs(100_000)))));
            }
            in_flight += other.engine.mail().count();
            let written = serde_json::to_string(&other.cut()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let read: Cut = serde_json::from_str(&written).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            other = other.going_on_from(read);
            assert_eq!(words(&other), words(&one), "seed {seed}");
            assert!(one.failed.is_none(), "{:?}", one.failed);
        }
    }
    assert!(in_flight > 100, "only {in_flight} messages were in flight");
}

/// What a station like the demo comes to after a storm of a few minutes is wholly known from a cut: a world that agrees with it is quiet in the end,
/// and closes down.
#[test]
fn a_world_is_made_of_a_cut_alone_and_goes_on_until_all_is_quiet_and_closed() {
    for seed in 0..40 {
        let station = stations::random(seed);
        let mut storm = World::in_weather(&station, seed, Weather::rough());
        storm.run_for(Duration::from_secs(60 + 3 * seed)).unwrap_or_else(|failure| panic!("{failure}"));
        (0..seed).for_each(|_| assert!(storm.step(Moment::after_boot(Duration::from_secs(100_000)))));
        let written = serde_json::to_string(&storm.cut()).unwrap();
        let mut world = World::from_cut(&station, serde_json::from_str(&written).unwrap(), seed);
        let go_on = |world: &mut World, minutes: u64| {
            world.run_for(Duration::from_secs(60 * minutes)).unwrap_or_else(|failure| panic!("{failure}"));
        };
        go_on(&mut world, 10);
        let is_on_its_way =
            |status| matches!(status, ServiceStatus::Starting | ServiceStatus::Stopping | ServiceStatus::Backoff);
        let shown = world.shown().services.iter();
        let hanging: Vec<_> = shown.filter(|(_, shown)| is_on_its_way(shown.status)).collect();
        assert!(hanging.is_empty(), "seed {seed}: {hanging:?}");
        world.close();
        go_on(&mut world, 2);
        assert!(world.ended().is_some(), "seed {seed}");
        assert_eq!(world.environment().trees().count(), 0, "seed {seed}");
    }
}
