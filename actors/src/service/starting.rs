//! From idle to ready: leases, start slot, program, readiness.

use std::sync::Arc;
use std::time::Duration;

use mainstay_config::model::{Command, Probe, Service, Unit};
use mainstay_config::names::DeviceName;
use mainstay_config::template::{Template, Variable};
use mainstay_hardware::{harmless, harmless_path};

use super::ending::Cause;
use super::machine::{Out, ServiceMachine, act, superseded, tell_leases, tell_services};
use super::state::{Phase, Run, Slot, StopStage};
use crate::action::probe::{Own, ProbeEvent, ProbeOrder, ProbeTarget};
use crate::action::process::{Invocation, LogSearch, NotifySocket, RunId, SpawnOrder, Status};
use crate::cause::{Blocker, Failure, Holder, Refusal, Resource, Said, Why};
use crate::message::device::Offer;
use crate::message::lease::{Grant, LeaseMessage, LeaseRequest, Want};
use crate::message::service::ServiceTimer;
use crate::message::supervision::ServicesMessage;
use crate::message::{Action, Effect, Moment, Outcome};

/// Between two looks of a readiness probe.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);
/// Bound on one look of a readiness probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

impl ServiceMachine {
    /// It, as one who leases something.
    pub(super) fn holder(&self) -> Holder {
        Holder::from(&self.spec.name)
    }

    pub(super) fn wants_nothing(&self) -> bool {
        wants(&self.spec).is_empty()
    }

    pub(super) fn request(&mut self, now: Moment, out: &mut Out) {
        let arrival = self.bereaved.unwrap_or(now);
        self.phase = Phase::Leasing { blockers: Vec::new(), arrival };
        out.push(tell_leases(LeaseMessage::Request(self.lease_request(arrival))));
    }

    /// What it has asked for and does not have.
    pub(super) fn wish(&self) -> Option<LeaseRequest> {
        match self.phase {
            Phase::Leasing { arrival, .. } => Some(self.lease_request(arrival)),
            Phase::Idle
            | Phase::Renewing { .. }
            | Phase::Slotting
            | Phase::Starting(_)
            | Phase::Running(_)
            | Phase::Leaving { .. }
            | Phase::Stopping { .. } => None,
        }
    }

    pub(super) fn lease_request(&self, arrival: Moment) -> LeaseRequest {
        LeaseRequest {
            holder: self.holder(),
            wants: wants(&self.spec),
            priority: self.spec.devices.values().map(|need| need.priority).max().unwrap_or(0),
            timeout: self.spec.devices.values().filter_map(|need| need.timeout).min(),
            arrival,
        }
    }

    /// While it waits for a device, what its program needs is made ready; when it waits no longer and has not started, that is let go of.
    pub(super) fn prepare(&mut self, out: &mut Out) {
        let is_device = |blocker: &Blocker| matches!(blocker, Blocker::Device { .. });
        let (goes_on, waits) = match &self.phase {
            Phase::Leasing { blockers, .. } => (true, blockers.iter().any(is_device)),
            Phase::Renewing { .. } | Phase::Slotting => (true, false),
            Phase::Idle | Phase::Starting(_) | Phase::Running(_) | Phase::Leaving { .. } | Phase::Stopping { .. } => {
                (false, false)
            }
        };
        match self.prepared {
            None if waits => {
                self.prepared = Some(self.runs.next);
                out.push(act(Action::Prepare(self.spec.name.clone(), self.runs.next)));
            }
            Some(run) if !goes_on => {
                self.prepared = None;
                if run == self.runs.next {
                    out.push(act(Action::LetGo(self.spec.name.clone())));
                }
            }
            None | Some(_) => {}
        }
    }

    pub(super) fn granted(&mut self, grant: Grant, out: &mut Out) {
        let is_known = self.grant.as_ref().is_some_and(|held| held.token == grant.token);
        if is_known || grant.token <= self.given_back {
            return out.push(Effect::Note(Outcome::Ignored));
        }
        let Phase::Leasing { arrival, .. } = self.phase else {
            // It was withdrawn while the grant was on its way.
            superseded(out);
            self.give_back(grant.token, out);
            return;
        };
        self.grant = Some(grant);
        self.asked = Some(arrival);
        self.bereaved = None;
        self.ask_slot(out);
    }

    /// What runs has what it was started with; the next start gets this.
    pub(super) fn corrected(&mut self, device: &DeviceName, offer: Offer, out: &mut Out) {
        let held = self.grant.as_mut().and_then(|grant| grant.devices.get_mut(device));
        match held.filter(|held| held.offer.generation == offer.generation) {
            Some(held) => held.offer = offer,
            None => superseded(out),
        }
    }

    /// The registry knows nothing of what it asked for.
    pub(super) fn nothing_held(&mut self, out: &mut Out) {
        out.push(match self.wish() {
            Some(wish) => tell_leases(LeaseMessage::Request(wish)),
            None => Effect::Note(Outcome::Ignored),
        });
    }

    pub(super) fn refused(&mut self, now: Moment, refusal: Refusal, out: &mut Out) {
        if !matches!(self.phase, Phase::Leasing { .. }) {
            return superseded(out);
        }
        self.phase = Phase::Idle;
        self.rest_after(now, Cause::Failed(Failure::Refused(refusal)), out);
    }

    pub(super) fn ask_slot(&mut self, out: &mut Out) {
        self.phase = Phase::Slotting;
        self.slot = Slot::Asked;
        out.push(tell_services(ServicesMessage::AskSlot(self.spec.name.clone())));
    }

    pub(super) fn slot_granted(&mut self, now: Moment, out: &mut Out) {
        if self.phase != Phase::Slotting {
            superseded(out);
            // It may be said twice to one that has it.
            if self.slot == Slot::None {
                out.push(tell_services(ServicesMessage::ReturnSlot(self.spec.name.clone())));
            }
            return;
        }
        self.slot = Slot::Held;
        self.spawn(now, out);
    }

    /// Gives back the start slot.
    pub(super) fn return_slot(&mut self, out: &mut Out) {
        if self.slot != Slot::None {
            self.slot = Slot::None;
            out.push(tell_services(ServicesMessage::ReturnSlot(self.spec.name.clone())));
        }
    }

    fn spawn(&mut self, now: Moment, out: &mut Out) {
        let id = self.runs.next;
        let Some(order) = self.order(id) else { return };
        match order {
            Ok(order) => {
                self.runs.advance();
                self.last_start = Some(now);
                self.extended = None;
                self.left.clear();
                self.phase =
                    Phase::Starting(Run { id, pid: None, said: Said::Nothing, status: Status::default(), exit: None });
                out.push(act(Action::Spawn(order)));
                out.push(Effect::SetTimer(ServiceTimer::ReadyWithin, self.spec.ready.within));
            }
            Err(variable) => self.unfillable(now, variable, out),
        }
    }

    /// What starts it as this run.
    pub(super) fn order(&self, id: RunId) -> Option<Result<SpawnOrder, Variable>> {
        let Unit::Process(command) = &self.spec.unit else { return None };
        Some(spawn_order(&self.spec, command, self.grant.as_ref(), id))
    }

    fn unfillable(&mut self, now: Moment, variable: Variable, out: &mut Out) {
        self.return_slot(out);
        self.phase = Phase::Idle;
        self.rest_after(now, Cause::Hopeless(Failure::Unfillable(variable)), out);
    }

    /// It was started: from now on it is looked at until it is ready.
    pub(super) fn spawned(&mut self, pid: u32, out: &mut Out) {
        self.note_main(pid);
        match &self.phase {
            Phase::Starting(run) => self.watch(run.id, out),
            // The stop came while it was being started.
            Phase::Stopping { run, why, stage: StopStage::Unborn } => {
                let (run, why) = (run.clone(), why.clone());
                self.halt(run, why, out);
            }
            // It is heard again after a panic, and was ready meanwhile.
            Phase::Running(_) | Phase::Leaving { .. } | Phase::Stopping { .. } => {}
            Phase::Idle | Phase::Leasing { .. } | Phase::Renewing { .. } | Phase::Slotting => {}
        }
    }

    pub(super) fn watch(&mut self, id: RunId, out: &mut Out) {
        match probe_target(&self.spec, self.grant.as_ref()) {
            Ok(Readying::Alive) => self.become_ready(out),
            Ok(Readying::Told) => self.say(Said::NotToldReady),
            Ok(Readying::Seen(target)) => {
                let own = Own {
                    service: self.spec.name.clone(),
                    pid: self.run().and_then(|run| run.pid).unwrap_or_default(),
                    ports: self.grant.iter().flat_map(|grant| grant.ports.values().copied()).collect(),
                };
                let order = ProbeOrder { run: id, target, interval: PROBE_INTERVAL, timeout: PROBE_TIMEOUT, own };
                out.push(act(Action::Watch(order)));
            }
            Err(variable) => {
                self.leave(Why::Failed(Failure::ProbeUnfillable(variable)), out);
            }
        }
    }

    /// What is still missing for it to be ready.
    fn say(&mut self, said: Said) {
        if let Phase::Starting(run) = &mut self.phase {
            run.said = said;
        }
    }

    pub(super) fn probed(&mut self, id: RunId, event: ProbeEvent, out: &mut Out) {
        let Phase::Starting(run) = &mut self.phase else { return superseded(out) };
        if run.id != id {
            return superseded(out);
        }
        match event {
            ProbeEvent::NotYet(why) => run.said = Said::NotYet(Arc::new(why)),
            ProbeEvent::Ready(_) => self.become_ready(out),
        }
    }

    pub(super) fn become_ready(&mut self, out: &mut Out) {
        let Phase::Starting(run) = &mut self.phase else { return };
        // What a look or mainstay itself said of it is over; what it said of itself is not.
        run.said = if run.status.is_empty() { Said::Nothing } else { Said::Status(run.status.clone()) };
        self.ready_run = Some(run.id);
        self.phase = Phase::Running(run.clone());
        self.last_stop = None;
        self.reset_later(out);
        self.return_slot(out);
    }

    /// Having run for a while, it counts its failures anew.
    pub(super) fn reset_later(&self, out: &mut Out) {
        if self.attempts > 0 {
            out.push(Effect::SetTimer(ServiceTimer::ResetAfter, self.spec.restart.reset_after));
        }
    }
}

/// Everything a service asks for at once.
fn wants(spec: &Service) -> Vec<Want> {
    let device = |(name, need): (&mainstay_config::names::DeviceName, &mainstay_config::model::DeviceNeed)| {
        Want::Device { device: name.clone(), sharing: need.sharing, mode: need.mode, takeover: need.takeover }
    };
    let devices = spec.devices.iter().map(device);
    let address = |name| spec.addresses.get(name).copied();
    let ports =
        spec.ports.iter().map(|(name, need)| Want::Port { name: name.clone(), need: *need, address: address(name) });
    let named = spec.resources.iter().map(|name| match name.strip_prefix("file/") {
        Some(path) => Resource::File(path.into()),
        None => Resource::Named(name.clone()),
    });
    // Two services that must never run together share an exclusive resource named after both.
    let conflicts = spec.conflicts.iter().map(|other| Resource::conflict(other, &spec.name));
    devices.chain(ports).chain(named.chain(conflicts).map(Want::Other)).collect()
}

fn spawn_order(spec: &Service, command: &Command, grant: Option<&Grant>, run: RunId) -> Result<SpawnOrder, Variable> {
    Ok(SpawnOrder {
        service: spec.name.clone(),
        run,
        program: invocation(&command.argv, Some(command), grant)?,
        notify: if spec.ready.probe == Probe::Notify { NotifySocket::Provide } else { NotifySocket::Omit },
        log: if matches!(spec.ready.probe, Probe::Log { .. }) { LogSearch::Wanted } else { LogSearch::Omit },
    })
}

/// A program that runs as the service does itself, filled in with what is leased.
fn invocation(argv: &[Template], own: Option<&Command>, grant: Option<&Grant>) -> Result<Invocation, Variable> {
    let fill = |template: &Template| template.fill(|variable| value(variable, grant));
    let argv = argv.iter().map(fill).collect::<Result<_, _>>()?;
    let Some(Command { environment, environment_from, user, group, directory, .. }) = own else {
        return Ok(Invocation { argv, ..Invocation::default() });
    };
    let environment = environment.iter().map(|(name, template)| Ok((name.clone(), fill(template)?)));
    Ok(Invocation {
        argv,
        environment: environment.collect::<Result<_, _>>()?,
        environment_from: environment_from.clone(),
        user: user.clone(),
        group: group.clone(),
        directory: directory.clone(),
    })
}

/// A command that checks it.
fn check_command(spec: &Service, check: &[Template], grant: Option<&Grant>) -> Result<ProbeTarget, Variable> {
    let own = match &spec.unit {
        Unit::Process(own) => Some(own),
        Unit::Later => None,
    };
    Ok(ProbeTarget::Exec { service: spec.name.clone(), command: Box::new(invocation(check, own, grant)?) })
}

fn value(variable: &Variable, grant: Option<&Grant>) -> Option<String> {
    let grant = grant?;
    let offer = |name| grant.devices.get(name).map(|device| &device.offer);
    match variable {
        Variable::DevicePath(name) => offer(name)?.node.as_ref().map(|path| harmless_path(&path.to_string_lossy())),
        Variable::DeviceInterface(name) => offer(name)?.interface.as_deref().map(harmless),
        Variable::DeviceSerial(name) => offer(name)?.serial.as_deref().map(harmless),
        Variable::Port(name) => grant.ports.get(name).map(ToString::to_string),
    }
}

/// How readiness is found out.
enum Readying {
    /// It is ready when it lives.
    Alive,
    /// It says so itself.
    Told,
    /// It is looked at.
    Seen(ProbeTarget),
}

fn probe_target(spec: &Service, grant: Option<&Grant>) -> Result<Readying, Variable> {
    let fill = |template: &Template| template.fill(|variable| value(variable, grant));
    // A port that is no number is refused by `check`; 0 is never listened on.
    let port = |template: &Template| fill(template).map(|text| text.parse().unwrap_or(0));
    Ok(Readying::Seen(match &spec.ready.probe {
        Probe::Process => return Ok(Readying::Alive),
        Probe::Notify => return Ok(Readying::Told),
        Probe::Tcp { host, port: template } => ProbeTarget::Tcp { host: host.clone(), port: port(template)? },
        Probe::Http { url } => ProbeTarget::Http { url: fill(url)? },
        Probe::Exec { command } => check_command(spec, command, grant)?,
        Probe::File { path } => ProbeTarget::File { path: fill(path)?.into() },
        Probe::Log { contains } => ProbeTarget::Log { service: spec.name.clone(), contains: contains.clone() },
        Probe::Gpsd { port: template } => ProbeTarget::Gpsd { port: port(template)? },
        Probe::Kismet { port: template, credentials } => {
            ProbeTarget::Kismet { port: port(template)?, credentials: credentials.clone() }
        }
    }))
}
