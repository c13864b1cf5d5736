//! Programs that start others, and programs that fork away.

use mainstay_actors::action::process::{Exit, ProcessEvent, RunId, Scope, SignalOrder};
use mainstay_config::model::StopSignal;

use crate::harness::{World, alone, in_a_world, is_gone, until_stopped};

/// Forks twice and leaves the session, as daemons do; writes its process id into `escaped`.
const FORK_AWAY: &str =
    "(setsid sh -c 'echo $$ > escaped; exec sleep 1000' &) ; while ! [ -s escaped ]; do sleep 0.01; done";

fn within(world: &World, text: &str) -> String {
    format!("cd {}; {text}", world.folder.path().display())
}

/// A script that runs in the folder of this world as run 1.
async fn started(world: &World, text: &str) -> RunId {
    let run = world.shell(1, &within(world, text));
    world.started(run).await;
    run
}

/// The next thing said of a run is that its main process ended well, and left this process.
async fn left(world: &World, run: RunId, pid: u32) {
    assert_eq!(world.next(run).await, ProcessEvent::MainExited { exit: Exit::Code(0), remaining: vec![pid] });
}

/// Sweeping a run of which the main process has ended kills this process.
async fn swept(world: World, run: RunId, pid: u32) {
    world.processes.sweep(run);
    assert_eq!(world.next(run).await, ProcessEvent::TreeGone);
    assert!(is_gone(pid));
    world.end().await;
}

fn tree(run: RunId, signal: StopSignal) -> SignalOrder {
    SignalOrder { run, signal, scope: Scope::Tree }
}

#[test]
fn a_program_that_forked_away_is_named_and_killed() {
    alone(async || {
        let world = World::new();
        let run = started(&world, &format!("{FORK_AWAY}; exit 0")).await;
        let escaped = world.pid_in("escaped").await;
        left(&world, run, escaped).await;
        swept(world, run, escaped).await;
    });
}

#[test]
fn a_sweep_kills_grandchildren_and_those_that_left_the_session() {
    in_a_world(async |world| {
        let text = format!("{FORK_AWAY}; sh -c 'sh -c \"echo \\$\\$ > deep; exec sleep 1000\" & wait' & wait");
        let run = started(world, &text).await;
        let (escaped, deep) = (world.pid_in("escaped").await, world.pid_in("deep").await);
        world.processes.sweep(run);
        let events = world.to_the_end(run).await;
        assert!(matches!(events[0], ProcessEvent::MainExited { exit: Exit::Signal(9), .. }), "{events:?}");
        assert!(is_gone(escaped) && is_gone(deep));
    });
}

#[test]
fn the_end_of_the_last_process_is_noticed_without_being_asked_for() {
    in_a_world(async |world| {
        let text = "(setsid sh -c 'echo $$ > escaped; while ! [ -e go ]; do sleep 0.01; done' &); while ! [ -s escaped ]; do sleep 0.01; done";
        let run = started(world, text).await;
        let escaped = world.pid_in("escaped").await;
        let event = world.next(run).await;
        assert!(
            matches!(&event, ProcessEvent::MainExited { remaining, .. } if remaining.contains(&escaped)),
            "{event:?}"
        );
        std::fs::write(world.path("go"), "").unwrap();
        assert_eq!(world.next(run).await, ProcessEvent::TreeGone);
    });
}

/// Runs `./process` three times, in places of a tree that are told apart.
const ALL_THREE: &str = "setsid sh -c '. ./process' away & sh -c '. ./process' child & exec sh -c '. ./process' main";

#[test]
fn a_signal_to_the_tree_reaches_each_process_once() {
    in_a_world(async |world| {
        let process = "trap \"echo $0 >> heard\" TERM; echo $$ > pid-$0; while ! [ -e end ]; do sleep 0.01; done";
        std::fs::write(world.path("process"), process).unwrap();
        let run = started(world, ALL_THREE).await;
        for name in ["main", "child", "away"] {
            world.pid_in(&format!("pid-{name}")).await;
        }
        world.processes.signal(tree(run, StopSignal::Term));
        let all = |text: &str| ["main\n", "child\n", "away\n"].iter().all(|name| text.contains(name));
        world.file("heard", all).await;
        std::fs::write(world.path("end"), "").unwrap();
        world.to_the_end(run).await;
        assert_eq!(std::fs::read_to_string(world.path("heard")).unwrap().lines().count(), 3);
    });
}

#[test]
fn stopped_processes_hear_the_signal_that_ends_them() {
    in_a_world(async |world| {
        let process =
            "trap \"echo $0 >> heard; exit 0\" TERM; echo $$ > pid-$0; kill -STOP $$; while :; do sleep 0.01; done";
        std::fs::write(world.path("process"), process).unwrap();
        for (run, scope) in [(1, Scope::Tree), (2, Scope::Main)] {
            for name in ["heard", "pid-main", "pid-child", "pid-away"] {
                let _ = std::fs::remove_file(world.path(name));
            }
            let alone = "exec sh -c '. ./process' main";
            let (text, names) = match scope {
                Scope::Tree => (ALL_THREE, &["main", "child", "away"][..]),
                Scope::Main => (alone, &["main"][..]),
            };
            let run = world.shell(run, &within(world, text));
            world.started(run).await;
            for name in names {
                let pid = world.pid_in(&format!("pid-{name}")).await;
                until_stopped(pid).await;
            }
            world.processes.signal(SignalOrder { run, signal: StopSignal::Term, scope });
            world.to_the_end(run).await;
            assert_eq!(std::fs::read_to_string(world.path("heard")).unwrap().lines().count(), names.len());
        }
    });
}

#[test]
fn a_signal_to_the_main_process_spares_its_children() {
    in_a_world(async |world| {
        let run = started(world, "sleep 1000 & echo $! > child; wait").await;
        let child = world.pid_in("child").await;
        world.processes.signal(SignalOrder { run, signal: StopSignal::Term, scope: Scope::Main });
        assert_eq!(world.next(run).await, ProcessEvent::MainExited { exit: Exit::Signal(15), remaining: vec![child] });
        world.processes.signal(tree(run, StopSignal::Term));
        assert_eq!(world.next(run).await, ProcessEvent::TreeGone);
    });
}

#[test]
fn an_escaped_process_without_its_mark_is_known_when_it_was_seen_under_its_parent() {
    alone(async || {
        let world = World::new();
        let text = "setsid env -i sh -c 'trap \"\" TERM; echo $$ > escaped; while :; do sleep 0.01; done' & while :; do sleep 0.01; done";
        let run = started(&world, text).await;
        let escaped = world.pid_in("escaped").await;
        world.processes.signal(tree(run, StopSignal::Term));
        let event = world.next(run).await;
        assert!(
            matches!(&event, ProcessEvent::MainExited { remaining, .. } if remaining.contains(&escaped)),
            "{event:?}"
        );
        swept(world, run, escaped).await;
    });
}

#[test]
fn an_escaped_process_without_its_mark_that_nobody_saw_is_known_by_what_it_prints_into() {
    in_a_world(async |world| {
        let text = "env -i setsid sh -c 'echo $$ > escaped; exec sleep 1000' & exit 0";
        let run = started(world, text).await;
        let escaped = world.pid_in("escaped").await;
        assert!(!is_gone(escaped));
        world.processes.sweep(run);
        let events = world.to_the_end(run).await;
        assert_eq!(events.last(), Some(&ProcessEvent::TreeGone));
        assert!(is_gone(escaped));
    });
}

/// Starts a daemon that forks away so many times, one after the other, and then writes its process id into a file.
const FORK_AWAY_OFTEN: &str = "fork() { if [ $1 = 0 ]; then exec sh -c 'echo $$ > alive-'$2'; exec sleep 1000'; fi; (fork $(( $1 - 1 )) $2 &) ; }";

#[test]
fn a_daemon_that_forks_away_again_and_again_is_never_taken_for_gone() {
    in_a_world(async |world| {
        for round in 0..12u64 {
            let runs: Vec<_> = (0..8)
                .map(|n| round * 8 + n)
                .map(|n| world.shell(n, &within(world, &format!("{FORK_AWAY_OFTEN}; fork {} {n}", n % 9))))
                .collect();
            for run in runs {
                let daemon = world.pid_in(&format!("alive-{}", run.0)).await;
                // Everything that was seen before the daemon was there has been told by now.
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                let said = format!("{:?}", world.events.borrow().get(&run));
                assert!(!said.contains("TreeGone"), "run {}: {said}", run.0);
                world.processes.sweep(run);
                assert_eq!(world.to_the_end(run).await.last(), Some(&ProcessEvent::TreeGone));
                assert!(is_gone(daemon));
            }
        }
    });
}

#[test]
fn a_daemon_that_shows_nothing_of_where_it_comes_from_is_known_by_its_tag() {
    alone(async || {
        let world = World::new();
        let daemon = "echo $$ > escaped; exec sleep 1000";
        let text = format!("(exec env -i setsid sh -c '{daemon}' >/dev/null 2>&1 </dev/null &)");
        let run = started(&world, &text).await;
        let escaped = world.pid_in("escaped").await;
        left(&world, run, escaped).await;
        swept(world, run, escaped).await;
    });
}

/// Moves this shell out of the cgroup it is in, where there are any and it may; `su -l` does the same by way of pam_systemd.
const MOVE_AWAY: &str =
    "procs=$(awk '$3 == \"cgroup2\" {print $2; exit}' /proc/mounts)/cgroup.procs; [ ! -w $procs ] || echo $$ > $procs";

#[test]
fn a_program_that_moved_out_of_its_cgroup_is_stopped_with_its_children() {
    in_a_world(async |world| {
        let text = format!("{MOVE_AWAY}; setsid sleep 1000 & echo $! > child; exec sleep 1000");
        let run = world.shell(1, &within(world, &text));
        let main = world.started(run).await;
        let child = world.pid_in("child").await;
        world.processes.signal(tree(run, StopSignal::Term));
        let events = world.to_the_end(run).await;
        assert!(matches!(events[0], ProcessEvent::MainExited { exit: Exit::Signal(15), .. }), "{events:?}");
        assert!(is_gone(main) && is_gone(child));
    });
}

#[test]
fn whoever_leaves_the_group_just_while_the_tree_is_signalled_is_signalled_too() {
    in_a_world(async |world| {
        let text = "for i in $(seq 150); do sh -c 'sleep 0.05; exec setsid sleep 1000' & done; : > up; wait; wait";
        let run = world.shell(1, &within(world, text));
        world.started(run).await;
        while !world.path("up").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        world.processes.signal(tree(run, StopSignal::Term));
        // Nobody is killed: all have heard it.
        world.to_the_end(run).await;
    });
}

#[test]
fn a_child_that_moved_out_of_its_cgroup_is_named_and_killed() {
    alone(async || {
        let world = World::new();
        let away = format!("{MOVE_AWAY}; echo $$ > escaped; exec sleep 1000");
        std::fs::write(world.path("away"), away).unwrap();
        let text = "setsid sh ./away & while ! [ -s escaped ]; do sleep 0.01; done; exit 0";
        let run = started(&world, text).await;
        let escaped = world.pid_in("escaped").await;
        left(&world, run, escaped).await;
        swept(world, run, escaped).await;
    });
}

#[test]
fn one_run_is_swept_and_its_neighbours_live() {
    in_a_world(async |world| {
        let runs: Vec<_> = (0..20).map(|n| world.shell(n, "sleep 1000 & setsid sleep 1000 & wait")).collect();
        let mut pids = Vec::new();
        for run in &runs {
            pids.push(world.started(*run).await);
        }
        world.processes.sweep(runs[7]);
        world.to_the_end(runs[7]).await;
        for (n, pid) in pids.iter().enumerate() {
            assert_eq!(is_gone(*pid), n == 7);
        }
        runs.iter().for_each(|run| world.processes.sweep(*run));
        for (n, run) in runs.iter().enumerate().filter(|(n, _)| *n != 7) {
            assert_eq!(world.to_the_end(*run).await.last(), Some(&ProcessEvent::TreeGone), "{n}");
        }
    });
}
