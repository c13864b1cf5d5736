//! Simulated starts: a thread takes a program up, the kernel executes it, and the executor hears of it, in the end.

use std::time::Duration;

use mainstay_config::model::{Sharing, Station};
use mainstay_config::names::ServiceName;

use super::Happening;
use super::astray::Mark;
use super::files::resource;
use super::table::{Birth, Course, Job, Life, MILLISECOND, Member, Parent, SECOND, Table, Thread, Tree};
use crate::action::process::{Exit, Needed, Notification, NotifySocket, RunId, SpawnFailure, SpawnOrder, Status};
use crate::cause::Resource;
use crate::effect::check_commands::is_command;

/// How often one that forks away again and again does so.
const FORKS: u8 = 20;

impl Table {
    pub(super) fn order(&mut self, order: &SpawnOrder) {
        let (weather, random) = (&self.weather, &mut self.random);
        let backgrounds = random.happens(weather.backgrounds);
        let has_others = backgrounds || random.happens(250);
        let mut tree = Tree {
            service: order.service.clone(),
            uses: uses(&self.station, &order.service, ports(order)),
            life: Life::Pending,
            pid: 0,
            orphaned: false,
            readies: (!random.happens(weather.never_ready)).then(|| random.between(MILLISECOND * 20, SECOND * 3)),
            ready_at: None,
            obeys: (!random.happens(weather.stubborn)).then(|| random.between(MILLISECOND, SECOND)),
            // What outlives SIGKILL is named with the service that it is of: a command is of none.
            outlives_kill: (random.happens(weather.unkillable) && !is_command(order.run))
                .then(|| random.between(SECOND * 5, SECOND * 40)),
            backgrounds,
            others_follow: !backgrounds && random.happens(500),
            others: if has_others { 1 + u32::from(random.happens(300)) } else { 0 },
            born: None,
            swept: None,
            notify: order.notify,
            members: Vec::new(),
        };
        let hangs = random.happens(weather.loads_hang);
        if hangs && is_command(order.run) && random.happens(weather.unkillable) {
            // Its disk does not answer.
            tree.outlives_kill = Some(random.between(SECOND * 5, SECOND * 40));
        }
        let longest = if hangs { SECOND * 20 } else { MILLISECOND * 60 };
        let fails = random.happens(weather.spawn_fails);
        let birth = Birth {
            pid: None,
            thread: Thread::Awaited,
            loads: random.between(MILLISECOND, longest),
            fails: fails.then(|| no_pipe(rustix::io::Errno::NOMEM)),
        };
        self.trees.insert(order.run, tree);
        self.births.insert(order.run, birth);
        if !is_command(order.run) {
            self.so.happened.push(Happening::Ordered(order.run));
        }
        self.jobs.push_back(Job::Program(order.run));
        self.take_jobs();
    }

    pub(super) fn take_jobs(&mut self) {
        while self.idle > 0
            && let Some(job) = self.jobs.pop_front()
        {
            self.idle -= 1;
            match job {
                Job::Keeper => self.within(MILLISECOND, MILLISECOND * 40, Course::KeeperStarts),
                Job::Program(run) => {
                    if let Some(birth) = self.births.get_mut(&run) {
                        birth.thread = Thread::AtIt;
                    }
                    self.within(Duration::ZERO, MILLISECOND, Course::Forks(run));
                }
            }
        }
    }

    pub(super) fn forks(&mut self, run: RunId) {
        let id = self.next_pid();
        let (Some(tree), Some(birth)) = (self.trees.get_mut(&run), self.births.get_mut(&run)) else { return };
        birth.pid = Some(id.pid);
        if !self.has_outputs {
            birth.fails = Some(no_pipe(rustix::io::Errno::PIPE));
        }
        tree.pid = id.pid;
        let (parent, obeys) = (Parent::Spawner, tree.obeys);
        let is_outside = self.random.happens(self.weather.astray / 4);
        tree.members.push(Member {
            id,
            parent,
            strays: false,
            is_outside,
            mark: Mark::Own,
            is_known: false,
            obeys,
            is_being_killed: false,
            forks: 0,
        });
        let loads = birth.loads;
        self.within(loads, loads, Course::Executes(run));
    }

    pub(super) fn executes(&mut self, run: RunId) {
        let Some(birth) = self.births.get(&run).filter(|birth| birth.thread != Thread::Back) else { return };
        let (Some(pid), fails) = (birth.pid, birth.fails.is_some()) else { return };
        if fails {
            return self.ends(run, pid, Exit::Code(127));
        }
        let Some(tree) = self.trees.get_mut(&run) else { return };
        (tree.life, tree.born) = (Life::Alive, Some(self.now));
        tree.ready_at = tree.readies.map(|wait| self.now + wait);
        self.so.happened.push(Happening::Born(run));
        self.thread_comes_back(run);
        self.begin_life(run);
    }

    /// The thread that was starting it goes on with something else, or ends.
    pub(super) fn thread_comes_back(&mut self, run: RunId) {
        let Some(birth) = self.births.get_mut(&run) else { return };
        let was_replaced = birth.thread == Thread::Replaced;
        birth.thread = Thread::Back;
        let late = self.random.happens(self.weather.births_late);
        self.within(Duration::ZERO, if late { SECOND * 2 } else { MILLISECOND * 20 }, Course::IsHeard(run));
        if was_replaced {
            // Its children go to the main thread.
            let members = self.trees.get_mut(&run).into_iter().flat_map(|tree| &mut tree.members);
            members.filter(|member| member.parent == Parent::Spawner).for_each(|member| member.parent = Parent::Us);
            self.hung -= 1;
        } else {
            self.idle += 1;
            self.take_jobs();
        }
    }

    fn begin_life(&mut self, run: RunId) {
        self.checks(run);
        let Some(tree) = self.trees.get(&run) else { return };
        let (others, backgrounds, readies, notify) = (tree.others, tree.backgrounds, tree.readies, tree.notify);
        for _ in 0..others {
            let id = self.next_pid();
            let obeys = (!self.random.happens(self.weather.stubborn)).then(|| self.random.between(MILLISECOND, SECOND));
            let mark = self.some_mark(run);
            let is_outside = self.random.happens(self.weather.astray) || mark != Mark::Own;
            // Who hides where it comes from begins a session of its own.
            let strays = mark != Mark::Own || self.random.happens(300);
            let forks = if self.random.happens(self.weather.forks_away) { FORKS } else { 0 };
            let parent = Parent::Main;
            let member =
                Member { id, parent, strays, is_outside, mark, is_known: false, obeys, is_being_killed: false, forks };
            if let Some(tree) = self.trees.get_mut(&run) {
                tree.members.push(member);
            }
            if forks > 0 {
                self.within(MILLISECOND, MILLISECOND * 30, Course::ForksAway(run, id.pid));
            }
        }
        if backgrounds {
            self.goes_into_the_background(run, notify);
        }
        if let (NotifySocket::Provide, Some(wait)) = (notify, readies) {
            let ready = Notification { ready: true, ..Notification::default() };
            self.within(wait, wait, Course::Speaks(run, ready));
        }
        if self.random.happens(self.weather.talks) && notify == NotifySocket::Provide {
            for number in 0..30 {
                let status = Status::from(format!("{number} of 30").as_str());
                let at = MILLISECOND * 200 * number;
                self.within(at, at, Course::Speaks(run, Notification { status, ..Notification::default() }));
            }
        }
        if self.random.happens(self.weather.ends_early) {
            // Perhaps before it is heard that it has started.
            self.within(Duration::ZERO, MILLISECOND * 10, Course::Crashes(run));
        }
        if let Some(mean) = self.weather.crash {
            let wait = self.random.wait(mean);
            self.within(wait, wait, Course::Crashes(run));
        }
    }

    /// Some say which of their processes is the main one then.
    fn goes_into_the_background(&mut self, run: RunId, notify: NotifySocket) {
        let Some(tree) = self.trees.get(&run) else { return };
        let (main, other) = (tree.pid, tree.members.get(1).map(|member| member.id.pid));
        if notify == NotifySocket::Provide && self.random.happens(500) {
            let said = Notification { main_pid: other, ..Notification::default() };
            self.within(MILLISECOND, MILLISECOND * 5, Course::Speaks(run, said));
        }
        self.within(MILLISECOND * 5, MILLISECOND * 5, Course::Ends(run, main, Exit::Code(0)));
    }

    /// What came of a start.
    pub(super) fn outcome(&mut self, run: RunId) -> Option<Result<u32, SpawnFailure>> {
        let birth = self.births.get_mut(&run)?;
        birth.fails.take().map_or_else(|| birth.pid.map(Ok), |failure| Some(Err(failure)))
    }

    pub(super) fn keeper_starts(&mut self) -> u32 {
        let pid = self.next_pid().pid;
        self.keeper = Some(pid);
        self.idle += 1;
        self.take_jobs();
        if !self.has_outputs {
            self.within(Duration::ZERO, MILLISECOND, Course::KeeperEnds(pid));
        }
        if let Some(mean) = self.weather.keeper_dies {
            let wait = self.random.wait(mean);
            self.within(wait, wait, Course::KeeperFails(pid));
        }
        pid
    }
}

fn no_pipe(error: rustix::io::Errno) -> SpawnFailure {
    SpawnFailure::Refused { what: Needed::OutputPipe, error: error.into() }
}

/// The ports of a program, by its arguments (`port=8000`).
fn ports(order: &SpawnOrder) -> impl Iterator<Item = u16> {
    order.program.argv.iter().filter_map(|word| word.strip_prefix("port=")?.parse().ok())
}

/// What a program uses: its devices and named resources by configuration, and these ports.
pub(super) fn uses(
    station: &Station,
    service: &ServiceName,
    ports: impl IntoIterator<Item = u16>,
) -> Vec<(Resource, Sharing)> {
    let Some(spec) = station.services.get(service) else { return Vec::new() };
    let devices = spec.devices.iter().map(|(name, need)| (Resource::Device(name.clone()), need.sharing));
    let named = spec.resources.iter().map(|name| (resource(name), Sharing::Exclusive));
    let conflicts = spec.conflicts.iter().map(|other| (Resource::conflict(other, &spec.name), Sharing::Exclusive));
    let ports = ports.into_iter().map(|port| (Resource::Port(port), Sharing::Exclusive));
    devices.chain(named).chain(conflicts).chain(ports).collect()
}
