//! What has been tried: which machine, where it was, was told what; and when which actor panicked.

use std::collections::{BTreeMap, BTreeSet};

use super::World;
use super::faults::{Loss, Strikes};
use crate::engine::{AnyMachine, Place, Timer};
use crate::machine::closed::{Taken, closed};
use crate::message::{ActorId, Effect, Message, Outcome};
use crate::{device, inventory, lease, service, supervision};

/// A machine that is somewhere is told something; or an actor panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    /// A device.
    Device(device::chart::Is, device::chart::Told),
    /// A service.
    Service(service::chart::Is, service::chart::Told),
    /// The registry.
    Leases(lease::chart::Is, lease::chart::Told),
    /// The inventory.
    Hardware(inventory::chart::Is, inventory::chart::Told),
    /// The supervisor of services.
    Services(supervision::chart::ServicesIs, supervision::chart::ServicesTold),
    /// The root.
    Root(supervision::chart::RootIs, supervision::chart::RootTold),
    /// An actor panics.
    Panic(Actor, When),
    /// A timer of an actor comes before mail that was under way when it rang.
    Overtakes(Actor),
}

/// What was lost in panics while it was carried out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Losses {
    /// How often something of each kind was to be done, and how often that was lost.
    pub(crate) kinds: BTreeMap<&'static str, (u32, u32)>,
    /// How often the effect at each place was lost, of so many.
    pub(crate) places: BTreeMap<(usize, usize), u32>,
}

impl Losses {
    /// Those of another world as well.
    pub(crate) fn and(&mut self, other: Self) {
        for (kind, (done, lost)) in other.kinds {
            let counts = self.kinds.entry(kind).or_default();
            (counts.0, counts.1) = (counts.0 + done, counts.1 + lost);
        }
        other.places.into_iter().for_each(|(place, times)| *self.places.entry(place).or_default() += times);
    }
}

closed! {
    /// An actor of this kind.
    pub(crate) enum Actor { Root, Hardware, Device, Leases, Services, Service }
}

closed! {
    /// When an actor panics.
    pub(crate) enum When {
        /// Before it looks at a message.
        Before,
        /// When it has half handled it.
        Amid,
        /// While what it wants done is done.
        During,
        /// When that is done.
        After,
        /// Where it has just begun anew.
        AtOnceAgain,
    }
}

impl Mark {
    /// What a machine is told by a message before it handles that; `None` when it is for another kind of machine.
    pub(super) fn of(machine: &AnyMachine, message: &Message) -> Option<Self> {
        Some(match (machine, message) {
            (AnyMachine::Root(machine), Message::Root(message)) => {
                Self::Root(machine.is(), supervision::chart::RootTold::of(message))
            }
            (AnyMachine::Hardware(machine), Message::Hardware(message)) => {
                let (is, told) = machine.pair(message);
                Self::Hardware(is, told)
            }
            (AnyMachine::Device(machine), Message::Device(_, message)) => {
                Self::Device(machine.is(), device::chart::Told::of(message))
            }
            (AnyMachine::Leases(machine), Message::Leases(message)) => {
                let (is, told) = machine.pair(message);
                Self::Leases(is, told)
            }
            (AnyMachine::Services(machine), Message::Services(message)) => {
                let (is, told) = machine.pair(message);
                Self::Services(is, told)
            }
            (AnyMachine::Service(machine), Message::Service(_, message)) => {
                Self::Service(machine.is(), machine.told(message))
            }
            _ => return None,
        })
    }

    /// Every one, also those that cannot be.
    pub(crate) fn all() -> BTreeSet<Self> {
        fn pairs<A: Copy, B: Copy>(is: &[A], told: &[B], mark: impl Fn(A, B) -> Mark) -> Vec<Mark> {
            is.iter().flat_map(|is| told.iter().map(|told| mark(*is, *told)).collect::<Vec<_>>()).collect()
        }
        [
            pairs(device::chart::Is::ALL, device::chart::Told::ALL, Self::Device),
            pairs(service::chart::Is::ALL, service::chart::Told::ALL, Self::Service),
            pairs(lease::chart::Is::ALL, lease::chart::Told::ALL, Self::Leases),
            pairs(inventory::chart::Is::ALL, inventory::chart::Told::ALL, Self::Hardware),
            pairs(supervision::chart::ServicesIs::ALL, supervision::chart::ServicesTold::ALL, Self::Services),
            pairs(supervision::chart::RootIs::ALL, supervision::chart::RootTold::ALL, Self::Root),
            pairs(Actor::ALL, When::ALL, Self::Panic),
            Actor::ALL.iter().copied().map(Self::Overtakes).collect(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// How it is taken, by the chart of the machine.
    fn taken(self) -> Option<Taken> {
        Some(match self {
            Self::Device(is, told) => device::chart::taken(is, told),
            Self::Service(is, told) => service::chart::taken(is, told),
            Self::Leases(is, told) => lease::chart::taken(is, told),
            Self::Hardware(is, told) => inventory::chart::taken(is, told),
            Self::Services(..) => Taken::Handled,
            Self::Root(is, told) => supervision::chart::root_taken(is, told),
            Self::Panic(..) | Self::Overtakes(_) => return None,
        })
    }

    /// Why it cannot be; `None` when it can.
    pub(crate) fn impossible(self) -> Option<&'static str> {
        match self {
            Self::Device(is, told) => device::chart::impossible(is, told),
            Self::Service(is, told) => service::chart::impossible(is, told),
            Self::Leases(is, told) => lease::chart::impossible(is, told),
            Self::Hardware(is, told) => inventory::chart::impossible(is, told),
            Self::Services(is, told) => supervision::chart::services_impossible(is, told),
            Self::Root(is, told) => supervision::chart::root_impossible(is, told),
            Self::Panic(..) | Self::Overtakes(Actor::Device | Actor::Leases | Actor::Service) => None,
            Self::Overtakes(Actor::Root | Actor::Hardware | Actor::Services) => Some("it has no timers"),
        }
    }
}

impl From<&ActorId> for Actor {
    fn from(actor: &ActorId) -> Self {
        match actor {
            ActorId::Root => Self::Root,
            ActorId::Hardware => Self::Hardware,
            ActorId::Device(_) => Self::Device,
            ActorId::Leases => Self::Leases,
            ActorId::Services => Self::Services,
            ActorId::Service(_) => Self::Service,
        }
    }
}

impl From<Strikes> for When {
    fn from(strikes: Strikes) -> Self {
        match strikes {
            Strikes::Before => Self::Before,
            Strikes::Amid => Self::Amid,
            Strikes::During(_) => Self::During,
            Strikes::After => Self::After,
        }
    }
}

impl World {
    /// Notes what an actor is told, before it handles that, and when it panics over it.
    pub(super) fn mark(&mut self, place: Place, message: &Message, strikes: Option<Strikes>) {
        let Some(machine) = self.engine.machine(place) else { return };
        let panic = strikes.map(|strikes| Mark::Panic((&machine.id()).into(), strikes.into()));
        let mark = Mark::of(machine, message);
        // What a planted bug makes of messages can be anything.
        let judged = mark.filter(|_| self.sabotaged.is_none());
        if let Some((mark, why)) = judged.and_then(|mark| Some((mark, mark.impossible()?))) {
            panic!("seed {}: {mark:?} was said never to be: {why}", self.seed);
        }
        self.reached.extend(mark.into_iter().chain(panic));
        // After a panic it is told again, in another state perhaps.
        self.marked = judged.filter(|_| strikes.is_none());
    }

    /// A machine has taken what it was told: as its chart says, or a pair was forgotten.
    pub(super) fn mark_taken(&mut self, outcome: Outcome) {
        let Some((mark, taken)) = self.marked.take().and_then(|mark| Some((mark, mark.taken()?))) else { return };
        assert!(
            taken.fits(outcome),
            "seed {}: {mark:?} was {}, and is said to be {taken:?}",
            self.seed,
            outcome.as_str()
        );
    }

    /// A timer rings: what is in inboxes by now was sent before.
    pub(super) fn rings(&mut self, place: Place) {
        self.rung.insert(place, self.messages);
    }

    /// Notes that the timer of an actor comes before such mail.
    pub(super) fn mark_overtaken(&mut self, place: Place) {
        let (rung, actor) = (self.rung.remove(&place), self.engine.actor(place));
        let is_overtaken = |rung: u64| self.engine.mail().any(|letter| letter.id.0 <= rung);
        if let (Some(actor), true) = (actor, rung.is_some_and(is_overtaken)) {
            self.reached.insert(Mark::Overtakes((&actor).into()));
        }
    }

    /// Notes which of so many effects is lost in a panic.
    pub(super) fn mark_place(&mut self, place: Place, lost: Option<usize>) {
        if let (Some(lost), Some(actor)) = (lost, self.engine.actor(place)) {
            *self.losses.places.entry((lost, self.engine.wanted(place).count())).or_default() += 1;
            self.reached.insert(Mark::Panic((&actor).into(), When::During));
        }
    }

    /// Notes what is carried out, and what is lost in a panic.
    pub(super) fn mark_loss(&mut self, effect: &Effect<Timer>, loss: Option<Loss>) {
        let kind = match effect {
            Effect::Act(action) => action.kind(),
            Effect::Tell(_) => "Tell",
            Effect::Publish(_) => "Publish",
            Effect::Answer(_) => "Answer",
            Effect::SetTimer(..) | Effect::CancelTimer(_) | Effect::Note(_) => return,
        };
        let counts = self.losses.kinds.entry(kind).or_default();
        (counts.0, counts.1) = (counts.0 + 1, counts.1 + u32::from(loss.is_some()));
    }

    /// Notes that an actor panics where it is told nothing.
    pub(super) fn mark_again(&mut self, place: Place, strikes: Option<Strikes>) {
        if let (Some(actor), Some(_)) = (self.engine.actor(place), strikes) {
            self.reached.insert(Mark::Panic((&actor).into(), When::AtOnceAgain));
        }
    }
}
