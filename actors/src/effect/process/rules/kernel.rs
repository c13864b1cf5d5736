//! What the executor's rules ask of the kernel, of threads and of clocks. `hands.rs` has it done; the world simulates it.

use std::os::fd::OwnedFd;
use std::time::Duration;

use mainstay_config::model::StopSignal;
use mainstay_config::names::ServiceName;

use super::News;
use crate::action::process::{ProcessEvent, RunId, SpawnFailure, SpawnOrder};
use crate::effect::process::keeper::report::KeeperTrouble;
use crate::effect::process::notify::Message;
use crate::effect::process::spawn::Busy;
use crate::effect::process::sys::Ended;
use crate::effect::process::tree::roll::Roll;
use crate::effect::process::tree::{ProcessId, Round};

/// How a program that is being started is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upbringing {
    /// No thread has taken it up yet.
    Queued,
    /// A thread is at it, and held up by it.
    Attended,
    /// A thread is or was at it that holds up nothing any more.
    Settled,
}

/// Whatever is not a decision. Nothing here waits.
pub(crate) trait Kernel {
    // ---- starting

    /// Has a program started, with the notification socket that it wants. What comes of it is [`News::Spawner`].
    fn start(&mut self, order: SpawnOrder) -> Result<(), SpawnFailure>;
    /// The same for the log-keeper.
    fn start_keeper(&mut self) -> Result<(), Busy>;
    /// How one that is being started is doing.
    fn upbringing(&self, run: RunId) -> Upbringing;
    /// The process id of one that is being started, once it has one.
    fn newborn(&self, run: RunId) -> Option<u32>;
    /// Whether this is the process id of any that is being started.
    fn is_newborn(&self, pid: u32) -> bool;
    /// The thread that starts this hangs: another takes its place.
    fn replace(&mut self, run: RunId);
    /// What came of a start was heard.
    fn is_born(&mut self, run: RunId);

    // ---- signals

    /// Signals a child of ours that was not waited for.
    fn signal(&mut self, pid: u32, signal: StopSignal);
    /// Signals the process group of a child of ours that was not waited for, and whoever was left to it at the last look and has gone
    /// out of it meanwhile.
    fn signal_group(&mut self, leader: u32, left_to_it: &[ProcessId], signal: StopSignal);
    /// Signals a process, if its number still stands for it.
    fn signal_process(&mut self, process: ProcessId, signal: StopSignal);

    // ---- looks

    /// Begins a round of looks. What is seen is [`News::Trees`].
    fn look(&mut self, round: Round);
    /// Waits for the next child that has ended, if there is one.
    fn next_ended(&mut self) -> Option<Ended>;
    /// All children of ours. Only for whoever waits for them.
    fn call_the_roll(&mut self) -> Roll;
    /// The child of ours that a process descends from, or is.
    fn child_above(&self, pid: u32) -> Option<u32>;
    /// The process that has this number now.
    fn process(&self, pid: u32) -> Option<ProcessId>;
    /// Whether we are the parent of a process, and so the one who hears of its end.
    fn is_our_child(&self, process: ProcessId) -> bool;

    // ---- hearing and saying

    /// What was said on the notification socket of a run and not heard yet.
    fn unheard(&mut self, run: RunId) -> Vec<Message>;
    /// What the log-keeper reports is read from here; in the world it reports nothing.
    fn listen_to_keeper(&mut self, reports: Option<OwnedFd>);
    /// Whoever asks how things are is told this of the keeper, or nothing any more.
    fn show_keeper(&mut self, trouble: Option<KeeperTrouble>);
    /// A keeper is gone.
    fn keeper_is_gone(&mut self);
    /// What programs print goes to the keeper that is there, and to no other any more.
    fn close_outputs(&mut self);
    /// Nothing is left of a run.
    fn is_over(&mut self, run: RunId);
    /// Says something of a run to whoever listens.
    fn say(&mut self, service: &ServiceName, run: RunId, event: ProcessEvent);

    // ---- time

    /// The news comes a turn later.
    fn soon(&mut self, news: News);
    /// The news comes after this time.
    fn later(&mut self, wait: Duration, news: News);
    /// [`News::LookAtBirths`] comes after this time, or never.
    fn watch_births(&mut self, within: Option<Duration>);
}
