//! Programs whose disk does not answer: the kernel executes them for as long as somebody else has a lease (fcntl(2), F_SETLEASE) on
//! the file.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::time::Duration;

use mainstay_actors::action::process::{Exit, ProcessEvent, RunId};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::harness::{World, children, in_a_world, keepers, order};

/// A program that cannot be opened until this is dropped.
struct Stuck {
    path: PathBuf,
    file: File,
    /// The kernel says by a signal that somebody waits, which would end a process that does not expect it.
    _asked: Signal,
}

impl Stuck {
    async fn new(world: &World, name: &str) -> Self {
        let path = world.path(name);
        std::fs::copy("/bin/sleep", &path).unwrap();
        let file = File::open(&path).unwrap();
        let asked = signal(SignalKind::io()).unwrap();
        // A child that is just being started may have a copy of a descriptor.
        while fcntl(&file, libc::F_SETLEASE, libc::F_WRLCK) != 0 {
            assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EAGAIN));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Self { path, file, _asked: asked }
    }

    fn start(&self, world: &World, run: u64) -> RunId {
        world.spawn(order(run, &[self.path.to_str().unwrap(), "1000"]))
    }

    /// Until the kernel is at it.
    async fn is_waited_for(&self) {
        while fcntl(&self.file, libc::F_GETLEASE, 0) == libc::F_WRLCK {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        // Those that wait have copies of the descriptor.
        assert_eq!(fcntl(&self.file, libc::F_SETLEASE, libc::F_UNLCK), 0);
    }
}

#[allow(unsafe_code, reason = "no safe form of leases is in any library here")]
fn fcntl(file: &File, command: libc::c_int, argument: libc::c_int) -> libc::c_int {
    // SAFETY: both commands take a number and touch no memory.
    unsafe { libc::fcntl(file.as_raw_fd(), command, argument) }
}

/// A log-keeper that is just being started is not known for one yet.
async fn only_child_but_keepers() -> u32 {
    loop {
        let (keepers, children) = (keepers(), children());
        match children.iter().filter(|pid| !keepers.contains(pid)).collect::<Vec<_>>()[..] {
            [only] if !keepers.is_empty() => return *only,
            _ => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

/// Until the executor says that a program hangs; the time that it waits is passed over.
async fn is_said_to_hang(world: &World, runs: &[RunId]) {
    tokio::time::pause();
    for run in runs {
        assert_eq!(world.next(*run).await, ProcessEvent::LoadsSlowly);
    }
    tokio::time::resume();
}

#[test]
fn a_program_that_hangs_while_it_is_loaded_is_killed_there() {
    in_a_world(async |world| {
        let stuck = Stuck::new(world, "stuck").await;
        let run = stuck.start(world, 1);
        stuck.is_waited_for().await;
        world.processes.sweep(run);
        let events = world.to_the_end(run).await;
        let killed = ProcessEvent::MainExited { exit: Exit::Signal(9), remaining: Vec::new() };
        assert_eq!(events[1..], [killed, ProcessEvent::TreeGone], "{events:?}");
    });
}

#[test]
fn a_program_that_hangs_while_it_is_loaded_has_nothing_of_mainstays() {
    in_a_world(async |world| {
        let stuck = Stuck::new(world, "stuck").await;
        let run = stuck.start(world, 1);
        stuck.is_waited_for().await;
        let newborn = only_child_but_keepers().await;
        let open = std::fs::read_dir(format!("/proc/{newborn}/fd")).unwrap();
        let mut open: Vec<u32> = open.map(|fd| fd.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect();
        open.sort_unstable();
        // The last one tells of a failure.
        assert_eq!(open, [0, 1, 2, 3]);
        drop(stuck);
        world.started(run).await;
        world.processes.sweep(run);
        assert_eq!(world.to_the_end(run).await.last(), Some(&ProcessEvent::TreeGone));
    });
}

#[test]
fn programs_that_hang_while_they_are_loaded_are_told_of_and_keep_no_other_from_starting() {
    in_a_world(async |world| {
        let [a, b, c] = ["a", "b", "c"].map(|name| Stuck::new(world, name));
        let stuck = [a.await, b.await, c.await];
        // Two threads start programs at first.
        let mut runs = vec![stuck[0].start(world, 1), stuck[1].start(world, 2)];
        stuck[0].is_waited_for().await;
        stuck[1].is_waited_for().await;
        is_said_to_hang(world, &runs).await;
        runs.push(stuck[2].start(world, 3));
        stuck[2].is_waited_for().await;
        let other = world.shell(9, "exit 0");
        assert!(matches!(world.to_the_end(other).await[0], ProcessEvent::Spawned { .. }));
        drop(stuck);
        for run in runs {
            world.started(run).await;
            world.processes.sweep(run);
            assert_eq!(world.to_the_end(run).await.last(), Some(&ProcessEvent::TreeGone));
        }
        let other = world.shell(10, "exit 0");
        assert!(matches!(world.to_the_end(other).await[0], ProcessEvent::Spawned { .. }));
    });
}
