//! Many services that depend on each other: what they tell each other, and keep, grows with the graph and not faster.

use std::collections::VecDeque;
use std::sync::Arc;

use mainstay_config::model::Station;

use super::*;
use crate::cause::{Blocker, Resource};
use crate::message::service::Wanted;
use crate::message::service::{Attempts, NeedsPolicy, Waiting};
use crate::service::all_dependents;

/// All services of a station, with everybody around them who answers at once.
struct Company {
    machines: BTreeMap<ServiceName, ServiceMachine>,
    shown: BTreeMap<ServiceName, ServiceSnapshot>,
    mail: VecDeque<(ServiceName, ServiceMessage)>,
    timers: usize,
    handled: usize,
    closed: usize,
    /// What cannot be started.
    broken: Option<ServiceName>,
    now: Moment,
}

impl Company {
    fn of(station: &Station, broken: Option<&str>) -> Self {
        let mut dependents = all_dependents(station);
        let machine = |(spec, number): (&Arc<mainstay_config::model::Service>, u64)| {
            let dependents = dependents.remove(&spec.name).unwrap_or_default();
            let machine = ServiceMachine::new(
                spec.clone(),
                dependents,
                RunNumbers { next: RunId(number << 20), step: 1 },
                Wanted::Auto,
            );
            (spec.name.clone(), machine)
        };
        let mut company = Self {
            machines: station.services.values().zip(1..).map(machine).collect(),
            shown: BTreeMap::new(),
            mail: VecDeque::new(),
            timers: 0,
            handled: 0,
            closed: 0,
            broken: broken.map(name),
            now: Moment::after_boot(SECOND * 1000),
        };
        company.tell_all(&ServiceMessage::Begin);
        company
    }

    /// Tells everybody the same, and goes on until there is nothing left to say.
    fn tell_all(&mut self, message: &ServiceMessage) {
        self.mail.extend(self.machines.keys().map(|name| (name.clone(), message.clone())));
        self.go_on();
    }

    fn tell(&mut self, to: &str, message: ServiceMessage) -> usize {
        let before = self.handled;
        self.mail.push_back((name(to), message));
        self.go_on();
        self.handled - before
    }

    fn go_on(&mut self) {
        while let Some((to, message)) = self.mail.pop_front() {
            self.handled += 1;
            let effects = self.machines.get_mut(&to).unwrap().handle(self.now, message);
            effects.into_iter().for_each(|effect| self.carry_out(&to, effect));
        }
    }

    fn carry_out(&mut self, from: &ServiceName, effect: Effect<ServiceTimer>) {
        let process = |run, event| (from.clone(), ServiceMessage::Process(run, event));
        match effect {
            Effect::Tell(Message::Service(to, message)) => self.mail.push_back((to, message)),
            Effect::Tell(Message::Services(ServicesMessage::AskSlot(name))) => {
                self.mail.push_back((name, SLOT));
            }
            Effect::Tell(Message::Services(ServicesMessage::Closed(_))) => self.closed += 1,
            Effect::Act(Action::Spawn(order)) if self.broken.as_ref() == Some(&order.service) => {
                let failed = SpawnFailure::NotFound("nowhere".to_owned());
                self.mail.push_back(process(order.run, ProcessEvent::SpawnFailed(failed)));
            }
            Effect::Act(Action::Spawn(order)) => {
                self.mail.push_back(process(order.run, ProcessEvent::Spawned { pid: 42 }));
                let ready = ServiceMessage::Probe(order.run, ProbeEvent::Ready(super::answers()));
                self.mail.push_back((from.clone(), ready));
            }
            Effect::Act(Action::Signal(order)) => {
                let exit = Exit::Signal(15);
                self.mail.push_back(process(order.run, ProcessEvent::MainExited { exit, remaining: Vec::new() }));
                self.mail.push_back(process(order.run, ProcessEvent::TreeGone));
            }
            Effect::SetTimer(..) => self.timers += 1,
            Effect::Publish(Publication::Service(shown)) => {
                self.shown.insert(shown.name.clone(), shown);
            }
            _ => {}
        }
    }

    fn in_status(&self, status: ServiceStatus) -> usize {
        self.shown.values().filter(|shown| shown.status == status).count()
    }
}

/// Each requires the one before it.
fn chain(count: usize) -> Station {
    graph(count, |place| place.checked_sub(1).into_iter().collect())
}

/// Each requires all before it.
fn dense(count: usize) -> Station {
    graph(count, |place| (0..place).collect())
}

/// Layers of ten, each of which requires the whole layer before.
fn diamonds(count: usize) -> Station {
    graph(count, |place| (0..count).filter(|other| other / 10 + 1 == place / 10).collect())
}

fn graph(count: usize, needs: impl Fn(usize) -> Vec<usize>) -> Station {
    let draft = |place: usize| {
        let draft = Draft::new(&format!("s{place:04}"));
        needs(place).into_iter().fold(draft, |draft, need| draft.requires(&format!("s{need:04}"), 15))
    };
    assemble(&[], (0..count).map(draft).collect())
}

/// Services and edges.
fn size(station: &Station) -> (usize, usize) {
    (station.services.len(), station.services.values().map(|service| service.dependencies.len()).sum())
}

fn graphs() -> [(&'static str, Station); 3] {
    [("chain", chain(1000)), ("dense", dense(80)), ("diamonds", diamonds(200))]
}

#[test]
fn starting_and_stopping_cost_a_few_messages_for_each_service_and_each_edge() {
    for (kind, station) in graphs() {
        let (services, edges) = size(&station);
        let mut company = Company::of(&station, None);
        assert_eq!(company.in_status(ServiceStatus::Running), services, "{kind}");
        assert!(company.handled <= 4 * services + 2 * edges, "{kind}: {} messages to start", company.handled);
        assert!(company.timers <= 3 * services, "{kind}: {} timers to start", company.timers);
        let before = company.handled;
        company.tell_all(&ServiceMessage::Close);
        assert_eq!(company.closed, services, "{kind}");
        let stopping = company.handled - before;
        assert!(stopping <= 6 * services + 4 * edges, "{kind}: {stopping} messages to stop");
    }
}

#[test]
fn what_the_operator_asks_for_costs_a_few_messages_for_each_service_and_each_edge() {
    for (kind, station) in graphs() {
        let (services, edges) = size(&station);
        let most = 8 * services + 6 * edges;
        let mut company = Company::of(&station, None);
        let restart = company.tell("s0000", ServiceMessage::Restart(RequestId(1), Attempts::Reset));
        assert_eq!(company.in_status(ServiceStatus::Running), services, "{kind}");
        assert!(restart <= most, "{kind}: {restart} messages to restart");
        let stop = company.tell("s0000", ServiceMessage::Stop(RequestId(2)));
        assert_eq!(company.in_status(ServiceStatus::Held), 1, "{kind}");
        assert!(stop <= most, "{kind}: {stop} messages to stop");
        let last = station.services.keys().next_back().unwrap();
        let start = ServiceMessage::Start(RequestId(3), NeedsPolicy::StartThem);
        let start = company.tell(last.as_str(), start);
        assert_eq!(company.in_status(ServiceStatus::Running), services, "{kind}");
        assert!(start <= most, "{kind}: {start} messages to start with what is needed");
    }
}

#[test]
fn what_a_service_shows_does_not_grow_with_the_way_to_what_it_waits_for() {
    for (kind, station) in graphs() {
        let (services, edges) = size(&station);
        let company = Company::of(&station, Some("s0000"));
        let independent = if kind == "diamonds" { 9 } else { 0 };
        assert_eq!(company.in_status(ServiceStatus::Waiting), services - 1 - independent, "{kind}");
        assert!(company.handled <= 6 * services + 4 * edges, "{kind}: {} messages", company.handled);
        for shown in company.shown.values() {
            assert!(format!("{shown:?}").len() < 4000, "{kind}: {shown:?}");
        }
    }
}

#[test]
fn of_many_services_that_are_missing_the_most_pressing_are_named_and_the_others_counted() {
    let mut bench = Bench::new((0..20).fold(plain(), |draft, n| draft.requires(&format!("need{n:02}"), 15)));
    bench.hears("need15", held()).hears("need14", down());
    let shown = bench.shown.as_ref().unwrap();
    let Waiting::Needs(needs) = &shown.waiting_for else { panic!("{shown:?}") };
    let names: Vec<&str> = needs.first.iter().map(|missing| missing.need.as_str()).collect();
    assert_eq!(names, ["need15", "need14", "need00", "need01", "need02", "need03", "need04", "need05"]);
    assert_eq!(needs.more, 12);
    assert!(bench.waits_for().ends_with("; need05: waiting for what it needs; 12 more"), "{}", bench.waits_for());
}

#[test]
fn a_cascade_is_told_by_where_it_began_and_not_by_every_step_of_it() {
    let mut bench = Bench::with_dependents(plain().requires("need", 15), &["d"]);
    bench.hears("need", Standing::Up).come_up();
    let why = Origin { who: name("gpsd"), what: Arc::new(Root::Asked(Asked::Withdrawn(gone("gps")))) };
    bench.hears("need", Standing::Leaving { why: why.clone(), next: Next::Rest, episode: Episode(1) });
    assert!(matches!(bench.said_to("d"), Some(Standing::Leaving { why: told, .. }) if *told == why));
    let told = "need stops: gpsd stops: gps is gone (USB 1-1 unplugged)";
    assert!(bench.reason().starts_with(told), "{}", bench.reason());
}

#[test]
fn one_that_waits_for_many_leases_names_some_of_them_and_counts_the_others() {
    let mut bench = Bench::with_dependents(leasing(), &["d"]);
    let held = |number| Blocker::Held { resource: Resource::Port(number), holder: name("b").into() };
    bench.tell(ServiceMessage::Queued((0..3000).map(held).collect()));
    assert!(bench.waits_for().ends_with("; port 7: held by b; 2992 more"), "{}", bench.waits_for());
    let told = bench.said_to("d").unwrap().to_string();
    assert!(told.ends_with("; port 7: held by b; 2992 more"), "{told}");
}
