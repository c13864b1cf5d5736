//! Simulated programs under the executor's real rules, and what is told of them by its real rules as well.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::table::{Course, Table};
use super::{Cause, Consequences, Environment, Event, Happening, Saying};
use crate::action::process::{RunId, SignalOrder, SpawnOrder};
use crate::effect::check_commands::is_command;
use crate::effect::process::driven::{Child, News, Outcome, PipeId, Place, Rules};
use crate::effect::process::keeper::LogEnd;
use crate::effect::telling::{Step, Told};
use crate::message::{Action, ActorId, Message, Outside};

impl Environment {
    pub(super) fn table(&self) -> &Table {
        self.executor.kernel()
    }

    /// Has the executor do something, and takes in what follows from it.
    pub(super) fn execute(&mut self, so: &mut Consequences, what: impl FnOnce(&mut Rules<Table>)) {
        what(&mut self.executor);
        self.executor.kernel_mut().take_consequences(so);
    }

    /// Carries out what a machine wants done, and panics when so much of it is done. Whether it did.
    pub(in crate::world) fn act_by_half(
        &mut self,
        (actor, action, cause): (&ActorId, Action, Cause),
        acts: usize,
        so: &mut Consequences,
    ) -> bool {
        self.executor.kernel_mut().panics_after = Some(acts);
        let done = catch_unwind(AssertUnwindSafe(|| self.act(actor, action, cause, so)));
        let table = self.executor.kernel_mut();
        table.take_consequences(so);
        match (table.panics_after.take(), done) {
            (Some(0), Err(_)) => true,
            (_, Err(panic)) => resume_unwind(panic),
            (_, Ok(())) => false,
        }
    }

    /// From now on the kernel lies.
    pub(in crate::world) fn plant(&mut self, lie: super::Lie) {
        self.executor.kernel_mut().lie = Some(lie);
    }

    /// mainstay is killed when its executor has done so many more things: between any two, also of those that one piece of news leads to.
    pub(in crate::world) fn kill_executor_after(&mut self, acts: usize) {
        self.executor.kernel_mut().killed_after = Some(acts);
    }

    /// Whether it is killed before it does the next thing.
    pub(in crate::world) fn is_killed_now(&mut self) -> bool {
        self.executor.kernel_mut().is_killed()
    }

    /// Whether it was killed so.
    pub(in crate::world) fn was_killed(&self) -> bool {
        self.table().was_killed
    }

    /// The task panics that listens to what some run says of itself.
    pub(in crate::world) fn listener_panics(&mut self) {
        self.executor.kernel_mut().listener_panics();
    }

    pub(in crate::world) fn start_keeper(&mut self, so: &mut Consequences) {
        self.execute(so, Rules::start_keeper);
    }

    pub(super) fn spawn(&mut self, order: SpawnOrder, cause: Cause, so: &mut Consequences) {
        self.telling.expect(order.run, &order.service, cause);
        self.execute(so, |executor| executor.spawn(order));
    }

    pub(super) fn signal(&mut self, order: SignalOrder, cause: Cause, so: &mut Consequences) {
        so.happened.push(Happening::Signalled(order.run));
        self.telling.ordered(order.run, cause);
        self.execute(so, |executor| executor.signal(order));
    }

    pub(super) fn sweep(&mut self, run: RunId, cause: Cause, so: &mut Consequences) {
        so.happened.push(Happening::Signalled(run));
        self.executor.kernel_mut().is_to_be_killed(run);
        if let Some(time) = self.table().outlives_kill(run) {
            // Whoever waits for it counts from here.
            so.happened.push(Happening::Unkillable(run, time));
        }
        self.telling.ordered(run, cause);
        self.execute(so, |executor| executor.sweep(run));
    }

    pub(super) fn tell_again(&self, run: RunId, cause: Option<Cause>, so: &mut Consequences) {
        let again = self.telling.again(run).into_iter();
        so.told.extend(again.map(|(service, message)| (Outside::Processes, Message::Service(service, message), cause)));
    }

    /// What becomes of something that is said of a run: what is told of it, and when more is.
    pub(in crate::world) fn tell(&mut self, saying: Saying, so: &mut Consequences) -> (Outside, Vec<Told>) {
        let (from, run, step) = match saying {
            Saying::Process(run, event) if is_command(run) => {
                self.check_heard(run, event, so);
                return (Outside::Processes, Vec::new());
            }
            Saying::Process(run, event) => (Outside::Processes, run, self.telling.process(run, event)),
            Saying::Rested(run, rest) => (Outside::Processes, run, self.telling.rested(run, rest)),
            Saying::Probe(run, event) => {
                (Outside::Probes, run, Step { told: self.telling.probe(run, event).into_iter().collect(), rest: None })
            }
        };
        if let Some(rest) = step.rest {
            so.later.push((self.now + rest.lasts, Event::Rested(run, rest.number), None));
        }
        (from, step.told)
    }

    /// What was told of a run is the cause of what is told of it next.
    pub(in crate::world) fn led_to(&mut self, run: RunId, cause: Cause) {
        self.telling.led_to(run, cause);
    }

    pub(super) fn take_course(&mut self, course: Course, so: &mut Consequences) {
        let table = self.executor.kernel_mut();
        match course {
            Course::Forks(run) => table.forks(run),
            Course::Executes(run) => table.executes(run),
            Course::KeeperEnds(pid) => table.keeper_ends(pid),
            Course::KeeperFails(_) if table.weather.keeper_dies.is_none() => {}
            Course::KeeperFails(pid) if table.random.happens(500) => table.keeper_ends(pid),
            Course::KeeperFails(pid) => self.executor.hear(News::KeeperIsSilent(pid)),
            // It may have gone over to another run since it was told to end.
            Course::Ends(run, pid, exit) => table.ends(table.owner(pid).map_or(run, |(owner, _)| owner), pid, exit),
            Course::Crashes(run) => table.crashes(run),
            Course::ForksAway(run, pid) => table.forks_away(run, pid),
            Course::Speaks(run, said) => table.speaks(run, said),
            Course::Looks(round) => table.see(&round),
            Course::KeeperStarts => {
                let pid = table.keeper_starts();
                self.executor.hear(News::Spawner(Outcome::Keeper(Ok((pid, None)))));
            }
            Course::LeftoverEnds(run) => self.leftover_ends(run),
            Course::NobodyEnds(pid) => table.nobody_ends(pid),
            Course::IsHeard(run) => self.birth_is_heard(run),
            Course::Hears(run) if table.is_listened_to(run) => self.executor.hear(News::Notified(run)),
            Course::Hears(_) => {}
            Course::Reaped => self.executor.children_ended(),
            Course::Seen(looked) => self.executor.hear(News::Trees(*looked)),
            Course::News(news) => self.executor.hear(*news),
            Course::LookAtBirths(watch) if watch == table.watch => self.executor.hear(News::LookAtBirths),
            Course::LookAtBirths(_) => {}
        }
        self.executor.kernel_mut().take_consequences(so);
    }

    fn birth_is_heard(&mut self, run: RunId) {
        let table = self.executor.kernel_mut();
        let Some(outcome) = table.outcome(run) else { return };
        let place = if table.has_cgroups { Place::Cgroup(format!("/{}", run.0).into()) } else { Place::Group };
        let child =
            |pid| Child { pid, uid: 0, place: place.clone(), output: PipeId(run.0), log_end: LogEnd::default() };
        self.executor.hear(News::Spawner(Outcome::Program(run, outcome.map(child))));
    }
}
