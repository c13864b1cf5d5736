//! How programs end, and that nothing of them is left.

use std::path::Path;
use std::time::Duration;

use mainstay_actors::action::process::{Exit, NotifySocket, ProcessEvent, RunId};
use mainstay_actors::effect::watched;

use crate::harness::{World, alone, children, in_a_world, is_gone, keepers, order, outputs_thread};

fn ended(exit: Exit) -> [ProcessEvent; 2] {
    [ProcessEvent::MainExited { exit, remaining: vec![] }, ProcessEvent::TreeGone]
}

#[test]
fn exit_codes_and_signals_are_told_apart() {
    in_a_world(async |world| {
        for (run, text, exit) in
            [(1, "exit 0", Exit::Code(0)), (2, "exit 7", Exit::Code(7)), (3, "kill -SEGV $$", Exit::Signal(11))]
        {
            let run = world.shell(run, text);
            assert_eq!(world.to_the_end(run).await[1..], ended(exit));
        }
    });
}

#[test]
fn five_hundred_programs_that_end_at_once_lose_no_event() {
    in_a_world(async |world| {
        let runs: Vec<RunId> = (0..500).map(|run| world.spawn(order(run, &["true"]))).collect();
        for run in runs {
            let events = world.to_the_end(run).await;
            assert!(matches!(events[0], ProcessEvent::Spawned { .. }), "{events:?}");
            assert_eq!(events[1..], ended(Exit::Code(0)));
        }
        assert!(world.events.borrow().values().all(|left| left.is_empty()), "nothing is said after the end");
    });
}

#[test]
fn of_a_program_that_forks_away_twice_the_one_is_named_in_the_end_that_is_left() {
    in_a_world(async |world| {
        let left = |pid: u32| ProcessEvent::MainExited { exit: Exit::Code(0), remaining: vec![pid] };
        let dir = world.path("");
        let first = "echo $$ > first; until [ -e go ]; do sleep 0.05; done; sleep 987 & echo $! > last";
        let run = world.shell(1, &format!("cd {}; (sh -c '{first}' & )", dir.display()));
        world.started(run).await;
        let first = world.pid_in("first").await;
        // The sleep of the moment may be listed behind it.
        let ProcessEvent::MainExited { remaining, .. } = world.next(run).await else { panic!() };
        assert_eq!(remaining.first(), Some(&first));
        std::fs::write(world.path("go"), "").unwrap();
        let last = world.pid_in("last").await;
        assert_eq!(world.next(run).await, left(last));
        world.processes.sweep(run);
        assert_eq!(world.next(run).await, ProcessEvent::TreeGone);
    });
}

/// What this process holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Held {
    descriptors: usize,
    /// Of the thread that holds the pipes: it has a table of its own.
    pipes: usize,
    threads: usize,
}

fn count(folder: impl AsRef<Path>) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

impl Held {
    fn now() -> Self {
        let pipes = outputs_thread().map_or(0, |thread| count(thread.join("fd")));
        Self { descriptors: count("/proc/self/fd"), pipes, threads: count("/proc/self/task") }
    }

    /// When it has been the same for a while.
    async fn at_rest() -> Self {
        let (mut held, mut times) = (Self::now(), 0);
        while times < 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let now = Self::now();
            times = if now == held { times + 1 } else { 0 };
            held = now;
        }
        held
    }

    fn is_more_than(self, other: Self) -> bool {
        self.descriptors > other.descriptors || self.pipes > other.pipes || self.threads > other.threads
    }
}

#[test]
fn two_hundred_runs_leave_no_descriptor_no_thread_and_no_zombie() {
    alone(async || {
        let before = Held::now();
        let world = World::new();
        let first = world.spawn(order(0, &["true"]));
        world.to_the_end(first).await;
        // It is started beside the first program; what that needs for a moment is let go of.
        while keepers().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let running = Held::at_rest().await;
        for round in 0..10u64 {
            let runs: Vec<RunId> = (1..=20).map(|n| world.spawn(with_socket(round * 20 + n))).collect();
            for run in runs {
                world.to_the_end(run).await;
            }
        }
        // A pipe is kept until the log-keeper has emptied it.
        while Held::now().is_more_than(running) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(count(world.path("run/notify")), 0, "no socket is left");
        world.end().await;
        // The signal handling of tokio keeps a pair of sockets for the rest of the process's life.
        let after = Held::now();
        let are_few = after.descriptors <= before.descriptors + 4;
        assert!(are_few && after.threads == before.threads, "{before:?} became {after:?}");
    });
}

fn with_socket(run: u64) -> mainstay_actors::action::process::SpawnOrder {
    let mut order = order(run, &["sh", "-c", "sleep 0.01 & exit 3"]);
    order.notify = NotifySocket::Provide;
    order
}

#[test]
fn a_program_that_is_swept_before_it_has_started_is_killed_when_it_has() {
    in_a_world(async |world| {
        let run = world.spawn(order(1, &["sleep", "1000"]));
        world.processes.sweep(run);
        assert_eq!(world.to_the_end(run).await[1..], ended(Exit::Signal(9)));
    });
}

/// Lets a part of an executor panic, and waits until that is told.
async fn is_told_of(part: &str) {
    let world = World::new();
    let run = world.shell(1, "sleep 1000 & wait");
    world.started(run).await;
    watched::poison(part);
    world.processes.sweep(run);
    // Each of them has something to do, sooner or later: which of the two spawners starts a program is chance.
    let mut runs = (2..).map(|run| world.spawn(order(run, &["true"])));
    let lost = loop {
        let run = runs.next().unwrap();
        tokio::select! {
            biased;
            lost = world.lost() => break lost,
            _ = world.to_the_end(run) => {}
        }
    };
    assert_eq!(lost.map(|lost| lost.part).as_deref(), Some(part));
    drop(world);
    // Whom it leaves becomes our child, perhaps while we look: two looks in a row must find nobody.
    let mut looks = 0;
    while looks < 2 {
        let left: Vec<u32> = children().into_iter().filter(|pid| !is_gone(*pid)).collect();
        looks = if left.is_empty() { looks + 1 } else { 0 };
        for pid in left {
            let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Each in a process of its own: the threads and timers of an executor that was dropped go on for a moment, and one of them would take
/// the word to panic that is meant for the next executor's.
macro_rules! is_told_of {
    ($($test:ident: $part:literal),+ $(,)?) => {$(
        #[test]
        fn $test() {
            alone(async || is_told_of($part).await);
        }
    )+};
}

is_told_of! {
    that_the_task_behind_the_executor_panicked_is_told: "drive",
    that_the_task_that_tells_what_became_of_programs_panicked_is_told: "deliver",
    that_a_timer_of_the_executor_panicked_is_told: "timer",
    that_the_thread_that_looks_at_trees_panicked_is_told: "trees",
    that_a_thread_that_starts_programs_panicked_is_told: "spawner-1",
    that_the_thread_that_holds_what_programs_print_panicked_is_told: "outputs",
}

#[test]
fn a_log_keeper_that_cannot_be_executed_is_no_zombie_after_the_end() {
    alone(async || {
        for _ in 0..100 {
            let world = World::with(|settings| settings.keeper_program = "/nowhere/keeper".into());
            // It sees that no child is left.
            world.end().await;
        }
    });
}

#[test]
fn shutting_down_leaves_programs_alone() {
    alone(async || {
        let world = World::new();
        let run = world.spawn(order(1, &["sleep", "1000"]));
        let pid = world.started(run).await;
        world.processes.shutdown().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!is_gone(pid));
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    });
}

#[test]
fn commands_of_readiness_checks_are_ended_with_the_executor() {
    alone(async || {
        let world = World::new();
        let text = format!("setsid sleep 1000 & echo $! > {}; exec sleep 1000", world.path("other").display());
        // Runs from here on are commands of checks.
        let check = world.shell(1 << 63, &text);
        let all = [world.started(check).await, world.pid_in("other").await];
        world.processes.shutdown().await;
        assert!(all.iter().all(|pid| is_gone(*pid)), "{all:?}");
    });
}
