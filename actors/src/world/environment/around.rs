//! What is around a mainstay of which nothing is known but a cut: all is as it believes.

use mainstay_config::model::{Probe, Sharing, Station};
use mainstay_config::names::ServiceName;
use mainstay_hardware::bus::Wakefulness;

use super::astray::Mark;
use super::hardware::{Arrival, Record, Sleep};
use super::radios::{RadioState, Temper};
use super::starts::uses;
use super::table::{Birth, Course, Job, Life, MILLISECOND, Member, Parent, SECOND, Table, Thread, Tree};
use super::{Consequences, Environment, Event, probes};
use crate::action::process::{Notification, NotifySocket, RunId};
use crate::cause::Resource;
use crate::effect::process::driven::{ProcessId, Rules, Surveyed};
use crate::engine::AnyMachine;
use crate::runtime::Cut;
use crate::trace::Cause;
use crate::world::faults::Weather;

/// Numbers that the kernel gives from here on have not been given before.
const UNUSED: u32 = 1_000_000;

impl Environment {
    /// Around this cut. Nothing goes wrong there by itself.
    pub(in crate::world) fn around(station: &Station, cut: &Cut, seed: u64) -> Self {
        let mut around = Self::new(station, Weather::still(), seed);
        around.set_now(cut.at);
        around.arrivals = UNUSED;
        around.executor.kernel_mut().pids = UNUSED;
        for machine in cut.engine.machines() {
            if let AnyMachine::Device(device) = machine
                && let (Some(sighting), Some(plug)) = (device.sighting(), around.plugs.get_mut(device.name()))
            {
                let radio = RadioState::of(sighting, Temper::Willing);
                let sighting = sighting.clone();
                plug.arrival = Some(Arrival { sighting, radio, openable_at: cut.at, record: Record::Clean });
            }
        }
        for (device, before) in cut.executor.kept.before() {
            if let Some(plug) = around.plugs.get_mut(device) {
                plug.sleep = Sleep { now: Wakefulness::WasAwake, first: before, is_in_doubt: false };
            }
        }
        for (run, service, state) in cut.executor.processes.survey() {
            let uses = uses_of(station, cut, service);
            around.executor.kernel_mut().believe(run, (service, uses), state);
        }
        around.executor.kernel_mut().believe_in_keeper(cut.executor.processes.keeper_pid());
        around.knowing(cut.executor.clone())
    }

    /// What was under way goes on, or is asked for once more: nobody knows how far it was.
    pub(in crate::world) fn resume(&mut self, cause: Cause, so: &mut Consequences) {
        self.execute(so, Rules::resume);
        self.scan_later(mainstay_hardware::sighting::ScanReason::Asked, None, so);
        let soon = self.now + MILLISECOND;
        for id in self.drivers.calls.running() {
            so.later.push((soon, Event::Called(id), None));
        }
        let not_asked = self.kept.under_way().filter(|call| !self.drivers.calls.knows(call));
        if let Some(call) = not_asked.cloned() {
            so.later.push((soon, Event::Asked(Box::new(crate::effect::call::Asked { call, cause })), None));
        }
        for (run, watch) in &self.watched {
            so.later.push((soon, Event::Look(*run, watch.number, probes::LookStage::Begins), None));
        }
        for (run, rest) in self.telling.runs() {
            so.later.push((self.now + SECOND, Event::Rested(run, rest), None));
            so.later.push((soon, Event::TellAgain(run), Some(cause)));
        }
        self.begin_calls(so);
    }
}

/// What a program uses, and whether it may notify.
type Uses = (Vec<(Resource, Sharing)>, NotifySocket);

/// What a service uses by its configuration, and by its lease.
fn uses_of(station: &Station, cut: &Cut, service: &ServiceName) -> Uses {
    let leases = cut.engine.machines().find_map(|machine| match machine {
        AnyMachine::Leases(leases) => Some(leases),
        _ => None,
    });
    let ports = leases.into_iter().flat_map(|leases| leases.ports_of(service));
    let may_notify = station.services.get(service).is_some_and(|spec| spec.ready.probe == Probe::Notify);
    let notify = if may_notify { NotifySocket::Provide } else { NotifySocket::Omit };
    (uses(station, service, ports), notify)
}

impl Table {
    /// There is the tree of this run.
    fn believe(&mut self, run: RunId, (service, (uses, notify)): (&ServiceName, Uses), state: Surveyed) {
        let (pid, life, orphaned) = match state {
            Surveyed::Starting => (0, Life::Pending, false),
            Surveyed::Living(pid) => (pid, Life::Alive, false),
            Surveyed::Left(pid) => (pid, Life::Alive, true),
        };
        let born = (life == Life::Alive).then_some(self.now);
        let tree = Tree {
            service: service.clone(),
            uses,
            life,
            pid,
            orphaned,
            readies: Some(SECOND),
            ready_at: born.map(|at| at + SECOND),
            obeys: Some(SECOND),
            outlives_kill: None,
            backgrounds: false,
            others_follow: false,
            others: 0,
            born,
            swept: None,
            notify,
            members: self.members(state),
        };
        self.trees.insert(run, tree);
        match state {
            Surveyed::Starting => {
                let birth = Birth { pid: None, thread: Thread::Awaited, loads: MILLISECOND, fails: None };
                self.births.insert(run, birth);
                self.jobs.push_back(Job::Program(run));
                self.take_jobs();
            }
            Surveyed::Living(_) if notify == NotifySocket::Provide => {
                let ready = Notification { ready: true, ..Notification::default() };
                self.within(SECOND, SECOND, Course::Speaks(run, ready));
            }
            Surveyed::Living(_) | Surveyed::Left(_) => {}
        }
    }

    /// The main process; or, when it is gone, one other, left to us.
    fn members(&mut self, state: Surveyed) -> Vec<Member> {
        let (id, parent) = match state {
            Surveyed::Starting => return Vec::new(),
            Surveyed::Living(pid) => (ProcessId { started: u64::from(pid), pid }, Parent::Spawner),
            Surveyed::Left(_) => (self.next_pid(), Parent::Us),
        };
        let (is_outside, is_known, is_being_killed) = (false, true, false);
        let obeys = Some(SECOND);
        let member = Member {
            id,
            parent,
            strays: false,
            is_outside,
            mark: Mark::Own,
            is_known,
            obeys,
            is_being_killed,
            forks: 0,
        };
        vec![member]
    }

    fn believe_in_keeper(&mut self, keeper: Option<u32>) {
        self.keeper = keeper;
    }
}
