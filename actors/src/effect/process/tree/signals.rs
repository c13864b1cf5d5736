//! Signals to single processes, each only if its number still stands for the same process.

use mainstay_config::model::StopSignal;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::Whom;
use crate::effect::proc::{ProcessId, here};

/// Signals a process, if its number still stands for it.
pub(in crate::effect::process) fn signal_process(process: ProcessId, signal: StopSignal) {
    signal_one(process, signal, Whom::All);
}

/// After a group was signalled, signals who was left to it by [`Seen::left_to_group`](super::Seen::left_to_group) and has gone out of it meanwhile.
pub(in crate::effect::process) fn signal_whoever_left(group: u32, was_in_it: &[ProcessId], signal: StopSignal) {
    for process in was_in_it {
        signal_one(*process, signal, Whom::OutsideOf(group));
    }
}

/// What became of a signal to one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signalled {
    /// It was sent, or there is no such process any more.
    Done,
    /// It is not for this one.
    NotMeant,
}

/// Signals a process only if its number still stands for the same process.
pub(super) fn signal_one(member: ProcessId, signal: StopSignal, whom: Whom) -> Signalled {
    let Some(pid) = i32::try_from(member.pid).ok().and_then(Pid::from_raw) else { return Signalled::Done };
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return Signalled::Done };
    // Looked at after opening: the descriptor is of this process or of an earlier one, never of a later.
    let Some(now) = here().process(member.pid).filter(|now| now.id == member) else { return Signalled::Done };
    if !whom.includes(now.group) {
        return Signalled::NotMeant;
    }
    for signal in with_continue(signal) {
        if let Err(error) = pidfd_send_signal(&process, signal)
            && error != rustix::io::Errno::SRCH
        {
            tracing::warn!(pid = member.pid, %error, "a process could not be signalled");
        }
    }
    Signalled::Done
}

/// A signal, and what lets a stopped process hear it: one that waits in `SIGSTOP` or at a Ctrl-Z would sleep through its whole grace.
/// `SIGKILL` needs no help.
pub(in crate::effect::process) fn with_continue(signal: StopSignal) -> impl Iterator<Item = Signal> {
    [Some(number_of(signal)), (signal != StopSignal::Kill).then_some(Signal::CONT)].into_iter().flatten()
}

fn number_of(signal: StopSignal) -> Signal {
    match signal {
        StopSignal::Term => Signal::TERM,
        StopSignal::Int => Signal::INT,
        StopSignal::Hup => Signal::HUP,
        StopSignal::Quit => Signal::QUIT,
        StopSignal::Usr1 => Signal::USR1,
        StopSignal::Usr2 => Signal::USR2,
        StopSignal::Kill => Signal::KILL,
    }
}
