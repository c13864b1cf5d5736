//! Which machines a station has, and how each is built, and built again.

use std::cell::Cell;

use mainstay_config::model::Station;

use super::host::{Conversation, Host, Hosted};
use crate::device::DeviceMachine;
use crate::effect::process::order::RunId;
use crate::inventory::InventoryMachine;
use crate::lease::LeaseMachine;
use crate::machine::{ActorId, Machine, Message};
use crate::service::{ServiceMachine, dependents};
use crate::supervision::{RootMachine, ServicesMachine};

/// Run numbers that one incarnation of a service has for itself.
const RUNS_PER_INCARNATION: u64 = 1 << 32;

/// All actors of a station.
pub(super) fn cast(station: &Station) -> Vec<(ActorId, Box<dyn Hosted>)> {
    let mut cast =
        vec![(ActorId::Root, root()), (ActorId::Hardware, inventory(station)), (ActorId::Leases, leases(station))];
    cast.extend(station.devices.values().map(|spec| (ActorId::Device(spec.name.clone()), device(spec))));
    cast.push((ActorId::Services, services(station)));
    // Every incarnation of every service takes the next block.
    let blocks = std::rc::Rc::new(Cell::new(1));
    for spec in station.services.values() {
        cast.push((ActorId::Service(spec.name.clone()), service(station, spec, blocks.clone())));
    }
    cast
}

fn hosted<M: Machine + 'static>(conversation: Conversation<M>) -> Box<dyn Hosted> {
    Box::new(Host::new(conversation))
}

fn root() -> Box<dyn Hosted> {
    hosted(Conversation {
        wrap: Box::new(Message::Root),
        unwrap: |message| if let Message::Root(inner) = message { Some(inner) } else { None },
        build: Box::new(|_, memo| RootMachine::remembering(memo)),
    })
}

fn inventory(station: &Station) -> Box<dyn Hosted> {
    let station = station.clone();
    hosted(Conversation {
        wrap: Box::new(Message::Hardware),
        unwrap: |message| if let Message::Hardware(inner) = message { Some(inner) } else { None },
        build: Box::new(move |_, memo| InventoryMachine::new(&station).remembering(memo)),
    })
}

fn leases(station: &Station) -> Box<dyn Hosted> {
    let station = station.clone();
    hosted(Conversation {
        wrap: Box::new(Message::Leases),
        unwrap: |message| if let Message::Leases(inner) = message { Some(inner) } else { None },
        build: Box::new(move |incarnation, ()| LeaseMachine::new(&station, incarnation)),
    })
}

fn device(spec: &mainstay_config::model::Device) -> Box<dyn Hosted> {
    let (spec, name) = (spec.clone(), spec.name.clone());
    hosted(Conversation {
        wrap: Box::new(move |inner| Message::Device(name.clone(), inner)),
        unwrap: |message| if let Message::Device(_, inner) = message { Some(inner) } else { None },
        build: Box::new(move |incarnation, memo| DeviceMachine::new(spec.clone(), incarnation).remembering(memo)),
    })
}

fn services(station: &Station) -> Box<dyn Hosted> {
    let names: Vec<_> = station.layers.iter().flatten().cloned().collect();
    let slots = station.runtime.max_parallel_starts;
    hosted(Conversation {
        wrap: Box::new(Message::Services),
        unwrap: |message| if let Message::Services(inner) = message { Some(inner) } else { None },
        build: Box::new(move |_, memo| ServicesMachine::new(names.clone(), slots, memo)),
    })
}

fn service(
    station: &Station,
    spec: &mainstay_config::model::Service,
    blocks: std::rc::Rc<Cell<u64>>,
) -> Box<dyn Hosted> {
    let (spec, name) = (spec.clone(), spec.name.clone());
    let dependents = dependents(station, &spec.name);
    hosted(Conversation {
        wrap: Box::new(move |inner| Message::Service(name.clone(), inner)),
        unwrap: |message| if let Message::Service(_, inner) = message { Some(inner) } else { None },
        build: Box::new(move |_, memo| {
            let first = RunId(blocks.replace(blocks.get() + 1).wrapping_mul(RUNS_PER_INCARNATION));
            ServiceMachine::new(spec.clone(), dependents.clone(), first, memo)
        }),
    })
}
