//! What a mainstay that is killed leaves behind: processes, which go on; radios, which stay in their modes; ports in use. What it knew is
//! lost, and what its threads had begun for it as well.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::time::Duration;

use mainstay_config::model::Sharing;
use mainstay_config::model::StopSignal;

use super::table::{Course, MILLISECOND, Parent, SECOND, Table, Tree};
use super::watch::WatchEvent;
use super::{Consequences, Environment, Event, Lie, SWEEP_INTERVAL};
use crate::action::process::RunId;
use crate::cause::Resource;
use crate::effect::check_commands::is_command;
use crate::effect::probe::loading::Loading;
use crate::effect::process::driven::Rules;
use crate::effect::telling::Telling;
use crate::effect::wakefulness::Kept;
use crate::world::Random;

/// Who looks after what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Undertaker {
    /// systemd with `KillMode=mixed`, as is advised: it kills all of it before mainstay is started again.
    Systemd,
    /// Nobody: it goes on beside the next mainstay until it ends by itself, or by hand.
    Nobody,
}

impl Event {
    /// Whether it is something that only the mainstay of that time was waiting for.
    pub(in crate::world) fn dies_with_daemon(&self) -> bool {
        match self {
            Self::Course(course) => match course {
                // Of processes that are there.
                Course::Executes(_)
                | Course::Ends(..)
                | Course::Crashes(_)
                | Course::ForksAway(..)
                | Course::LeftoverEnds(_) => false,
                Course::Forks(_)
                | Course::IsHeard(_)
                | Course::KeeperStarts
                | Course::KeeperEnds(_)
                | Course::KeeperFails(_)
                | Course::NobodyEnds(_)
                | Course::Speaks(..)
                | Course::Hears(_)
                | Course::Reaped
                | Course::Looks(_)
                | Course::Seen(_)
                | Course::News(_)
                | Course::LookAtBirths(_) => true,
            },
            // A call that hangs in the kernel goes on there.
            Self::ComesBack(..) | Self::SeenAgain(_) | Self::Watch(WatchEvent::Works(_)) => false,
            _ => true,
        }
    }
}

impl Environment {
    /// mainstay is killed: the executor is gone with all that it knew.
    pub(in crate::world) fn lose_daemon(&mut self, undertaker: Undertaker, so: &mut Consequences) {
        let (station, weather) = (self.station().clone(), self.weather.clone());
        let random = Random::new(self.random.bits());
        let next = Table::new(station, weather, random);
        let old = std::mem::replace(&mut self.executor, Rules::new(next, SWEEP_INTERVAL));
        self.executor.kernel_mut().inherit(old.kernel(), undertaker);
        (self.telling, self.kept) = (Telling::default(), Kept::default());
        self.drivers = self.drivers.next_life();
        self.watch = self.watch.next_life();
        self.watched.clear();
        self.commands_of.clear();
        self.loading = Loading::default();
        self.prepared.clear();
        let left: Vec<(RunId, Vec<u16>)> =
            self.table().leftovers.iter().map(|(run, tree)| (*run, ports(tree))).collect();
        for (run, ports) in left {
            let at = self.now + self.random.wait(SECOND * 60);
            so.later.push((at, Event::Course(Course::LeftoverEnds(run)), None));
            // To the next mainstay it is a stranger.
            self.foreign.extend(ports);
        }
        for plug in self.plugs.values_mut() {
            plug.set = None;
            plug.sleep.first = plug.sleep.now;
            if let Some(radio) = plug.arrival.as_mut().and_then(|arrival| arrival.radio.as_mut()) {
                radio.call_outlived_daemon = true;
            }
        }
        self.executor.kernel_mut().take_consequences(so);
    }

    /// Whoever holds what is printed is gone: nothing can be started, and the log-keeper is left alone.
    pub(in crate::world) fn lose_outputs(&mut self, so: &mut Consequences) {
        let table = self.executor.kernel_mut();
        table.has_outputs = false;
        if let Some(keeper) = table.keeper {
            table.within(Duration::ZERO, MILLISECOND, Course::KeeperEnds(keeper));
        }
        table.take_consequences(so);
    }

    /// Whether the thread that looks at processes is at it.
    pub(in crate::world) fn is_looking(&self) -> bool {
        self.table().is_looking
    }

    /// The executor ends: nobody asks for anything more. No service is touched.
    pub(in crate::world) fn shut_down(&mut self, so: &mut Consequences) {
        let forgets = self.table().lie == Some(Lie::SweepAll);
        let all: Vec<RunId> = self.trees().map(|(run, _)| *run).filter(|_| forgets).collect();
        let commands: Vec<RunId> = self.trees().map(|(run, _)| *run).filter(|run| is_command(*run)).collect();
        commands.into_iter().for_each(|run| self.executor.kernel_mut().is_to_be_killed(run));
        self.execute(so, |executor| {
            all.into_iter().for_each(|run| executor.sweep(run));
            executor.sweep_checks();
            executor.close_keeper();
        });
    }

    /// What an earlier mainstay left running has ended, perhaps by hand.
    pub(super) fn leftover_ends(&mut self, run: RunId) {
        let gone = self.executor.kernel_mut().leftovers.remove(&run);
        for port in gone.iter().flat_map(ports) {
            if !self.has_left_listening(port) {
                self.foreign.remove(&port);
            }
        }
    }

    /// A program that is not ours begins or ends to listen.
    pub(in crate::world) fn toggle_foreign(&mut self, port: u16) {
        if !self.has_left_listening(port) && !self.foreign.remove(&port) {
            self.foreign.insert(port);
        }
    }

    pub(super) fn has_left_listening(&self, port: u16) -> bool {
        self.table().leftovers.values().any(|tree| ports(tree).contains(&port))
    }

    /// Whether an earlier mainstay left something that listens on a port, which could be seen.
    #[must_use]
    pub fn is_left_listening(&self, port: u16) -> bool {
        !self.drivers.unseen.contains(&port) && self.has_left_listening(port)
    }
}

impl Table {
    /// Whether mainstay is killed before it does the next thing. Of what it has in mind besides, nothing is done.
    pub(super) fn is_killed(&mut self) -> bool {
        self.perhaps_panic();
        match &mut self.killed_after {
            None => {}
            Some(0) => self.was_killed = true,
            Some(more) => *more -= 1,
        }
        self.was_killed
    }

    /// Whatever asks for the next thing panics, if it is to. Nothing is printed: it is no real panic.
    pub(super) fn perhaps_panic(&mut self) {
        match &mut self.panics_after {
            None => {}
            Some(0) => resume_unwind(Box::new("simulated")),
            Some(more) => *more -= 1,
        }
    }

    /// Takes over the processes of a mainstay that was killed.
    fn inherit(&mut self, old: &Self, undertaker: Undertaker) {
        (self.now, self.has_cgroups, self.lie) = (old.now, old.has_cgroups, old.lie);
        self.begin_numbers_after(old);
        // Those that no thread had taken up yet have no process.
        let all = old.trees.iter().chain(&old.leftovers);
        let mut left: BTreeMap<RunId, Tree> =
            all.filter(|(_, tree)| !tree.members.is_empty()).map(|(run, tree)| (*run, tree.clone())).collect();
        for member in left.values_mut().flat_map(|tree| &mut tree.members) {
            if member.parent != Parent::Main {
                member.parent = Parent::Init;
            }
        }
        match undertaker {
            Undertaker::Nobody => self.leftovers = left,
            Undertaker::Systemd => {
                let members = left.values().flat_map(|tree| &tree.members);
                let pids: Vec<u32> = members.map(|member| member.id.pid).collect();
                self.trees = left;
                pids.into_iter().for_each(|pid| self.hit(pid, StopSignal::Kill));
            }
        }
    }
}

pub(super) fn ports(tree: &Tree) -> Vec<u16> {
    let port = |(used, _): &(Resource, Sharing)| if let Resource::Port(port) = used { Some(*port) } else { None };
    tree.uses.iter().filter_map(port).collect()
}
