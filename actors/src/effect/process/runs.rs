//! The life of a run, and the order of what is said of it. Pure.
//!
//! ```text
//!            spawned              main_ended             seen
//! Starting ───────────▶ Living ───────────────▶ Ending ───────▶ Left
//!     │                                            │              │
//!     │ failed                   nobody_is_left    │              │ nobody_is_left
//!     ▼                                            ▼              ▼
//!   (over)                                       (over)         (over)
//! ```
//! From Ending back to Living it goes by `follow`, when the main process has named another one in its place.
//! What is said: `Spawned` or `SpawnFailed` on leaving Starting, `MainExited` on leaving Ending and again whenever another one is the first of
//! those that are left, `TreeGone` when over.

use std::sync::Arc;

use mainstay_config::model::StopSignal;
use mainstay_config::names::ServiceName;

use super::notify::{Message, Sender};
use super::rules::kernel::Upbringing;
use super::tree::{MainState, PipeId, Place, ProcessId, Root};
use crate::action::process::{Exit, ProcessEvent, RunId, Scope, SignalOrder};
use crate::effect::process::keeper::LogEnd;

/// How many processes are named when a main process leaves some behind.
const MAX_LISTED: usize = 16;
/// Orders that may come before a run has started; the operator has no more signals than this.
const MAX_EARLY: usize = 8;
/// Messages from processes whose run is being looked up.
const MAX_UNCHECKED: usize = 8;

/// One run.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Run {
    service: ServiceName,
    run: RunId,
    mark: Arc<str>,
    phase: Phase,
    /// Whether everything of it is to be killed.
    pub(super) sweep: Sweep,
    unchecked: Vec<Message>,
    /// Another process that was named as its main one.
    pub(super) declared: Option<ProcessId>,
    /// The last signal that the group of its main process was sent before anybody looked who else there is.
    pub(super) group_signal: Option<StopSignal>,
    /// How many notifications were passed over.
    passed_over: u64,
}

/// `named`: the first of them that was said to be left, as long as nobody heard that it has ended.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
enum Phase {
    Starting { early: Vec<SignalOrder>, loading: Loading },
    Living { main: Main },
    Ending { main: Main, exit: Exit, valid: RoundNumber },
    Left { main: Main, exit: Exit, named: Option<u32> },
}

/// How far the kernel is with a program, from look to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Loading {
    /// No thread had taken it up by the last look.
    Queued,
    /// One had.
    Seen,
    /// It was still at it a look later.
    Hangs,
}

/// The main process and how its tree is followed.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Main {
    /// Its number; it belongs to it only while the run is living.
    pub pid: u32,
    /// The number of the process group and the session that the first main process led.
    pub leader: u32,
    /// Its user.
    pub uid: u32,
    /// How its tree is followed.
    pub place: Place,
    /// The pipe it prints into.
    pub output: PipeId,
    /// Where its log ended before it printed anything.
    pub log_end: LogEnd,
}

/// Counts the looks at trees. An answer from before the main process ended says nothing about what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct RoundNumber(u64);

impl RoundNumber {
    /// The round after this one.
    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Whether everything of a run is to be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Sweep {
    /// No.
    No,
    /// Until nobody is left.
    UntilGone,
}

/// Where a signal goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// To the main process, which is there.
    Main(u32),
    /// To the main process, and to the one that was named as such beside it.
    Both {
        /// The one that was started.
        first: u32,
        /// The one that was named.
        named: ProcessId,
    },
    /// To a tree whose main process is there.
    Tree(u32),
    /// To a tree whose main process is gone.
    Rest,
    /// To nobody, or later.
    Nobody,
}

impl Run {
    /// A run that is being started.
    pub(super) fn starting(service: ServiceName, run: RunId, mark: String) -> Self {
        let phase = Phase::Starting { early: Vec::new(), loading: Loading::Queued };
        Self {
            service,
            run,
            mark: mark.into(),
            phase,
            sweep: Sweep::No,
            unchecked: Vec::new(),
            declared: None,
            group_signal: None,
            passed_over: 0,
        }
    }

    /// Starting → Living. Answers the signals that came too early; a run that is not starting has none.
    pub(super) fn spawned(&mut self, main: Main) -> Vec<SignalOrder> {
        match std::mem::replace(&mut self.phase, Phase::Living { main }) {
            Phase::Starting { early, .. } => early,
            other => {
                self.phase = other;
                Vec::new()
            }
        }
    }

    /// A look at how far it is: how far that was found to be, when it is further than at the last one.
    pub(super) fn look_at_loading(&mut self, upbringing: impl FnOnce() -> Upbringing) -> Option<Loading> {
        let Phase::Starting { loading, .. } = &mut self.phase else { return None };
        *loading = match loading {
            Loading::Queued if upbringing() != Upbringing::Queued => Loading::Seen,
            Loading::Seen => Loading::Hangs,
            Loading::Queued | Loading::Hangs => return None,
        };
        Some(*loading)
    }

    /// Whether it was found to hang in that.
    pub(super) fn hangs_in_loading(&self) -> bool {
        matches!(self.phase, Phase::Starting { loading: Loading::Hangs, .. })
    }

    /// Living → Ending. Only looks from round `valid` on say what is left.
    pub(super) fn main_ended(&mut self, exit: Exit, valid: RoundNumber) {
        if let Phase::Living { main } = &self.phase {
            self.phase = Phase::Ending { main: main.clone(), exit, valid };
        }
    }

    /// Ending → Left: who is left. What is to be said, which is said again when the one has ended that was named first.
    pub(super) fn seen(&mut self, round: RoundNumber, members: &[ProcessId]) -> Option<ProcessEvent> {
        let (main, exit) = match &self.phase {
            Phase::Ending { main, exit, valid } if round >= *valid => (main.clone(), *exit),
            Phase::Left { main, exit, named: None } => (main.clone(), *exit),
            Phase::Starting { .. } | Phase::Living { .. } | Phase::Ending { .. } | Phase::Left { .. } => return None,
        };
        let first = members.first()?;
        let remaining = members.iter().take(MAX_LISTED).map(|member| member.pid).collect();
        self.phase = Phase::Left { main, exit, named: Some(first.pid) };
        Some(ProcessEvent::MainExited { exit, remaining })
    }

    /// A child has ended. A program may fork away twice: who was named first ends soon then, and another one is to be named. Not of those
    /// that are killed one after the other.
    pub(super) fn has_ended(&mut self, pid: u32) {
        if let (Phase::Left { named, .. }, Sweep::No) = (&mut self.phase, self.sweep) {
            named.take_if(|named| *named == pid);
        }
    }

    /// Ending or Left → over: it is proved that nobody is left. What is to be said.
    pub(super) fn nobody_is_left(&self) -> Vec<ProcessEvent> {
        let exited = match &self.phase {
            Phase::Starting { .. } | Phase::Living { .. } => return Vec::new(),
            Phase::Ending { exit, .. } => Some(ProcessEvent::MainExited { exit: *exit, remaining: Vec::new() }),
            Phase::Left { .. } => None,
        };
        exited.into_iter().chain([ProcessEvent::TreeGone]).collect()
    }

    /// Whether a look of this round says something about who is left.
    pub(super) fn is_judged_by(&self, round: RoundNumber) -> bool {
        match &self.phase {
            Phase::Starting { .. } | Phase::Living { .. } => false,
            Phase::Ending { valid, .. } => round >= *valid,
            Phase::Left { .. } => true,
        }
    }

    /// Whether it is still to be said that its main process has ended, and who is left.
    pub(super) fn is_to_be_looked_at(&self) -> bool {
        matches!(self.phase, Phase::Ending { .. })
    }

    /// The same, or who is left now that the one has ended that was named first.
    pub(super) fn lacks_a_name(&self) -> bool {
        self.is_to_be_looked_at() || matches!(self.phase, Phase::Left { named: None, .. })
    }

    /// Where a signal goes now. One that comes before the run has started is kept for it.
    pub(super) fn target(&mut self, order: SignalOrder) -> Target {
        match (&mut self.phase, order.scope) {
            (Phase::Starting { early, .. }, _) => {
                early.truncate(MAX_EARLY - 1);
                early.push(order);
                Target::Nobody
            }
            (Phase::Living { main }, Scope::Main) => match self.declared.filter(|declared| declared.pid != main.pid) {
                // The first may outlive the one that it named, and nobody would signal it before the grace is over.
                Some(named) => Target::Both { first: main.pid, named },
                None => Target::Main(main.pid),
            },
            (Phase::Living { main }, Scope::Tree) if main.pid != main.leader => Target::Rest,
            (Phase::Living { main }, Scope::Tree) => Target::Tree(main.pid),
            (Phase::Ending { .. } | Phase::Left { .. }, Scope::Main) => Target::Nobody,
            (Phase::Ending { .. } | Phase::Left { .. }, Scope::Tree) => Target::Rest,
        }
    }

    /// Whether its cgroup tells who belongs to it, also when its main process is gone.
    pub(super) fn is_known_by_its_cgroup(&self) -> bool {
        self.main().is_some_and(|main| main.place != Place::Group)
    }

    /// Some of it are found outside of its cgroup: what they have not been sent yet, and the group that was.
    pub(super) fn not_sent_to_strays(&self) -> Option<(StopSignal, u32)> {
        self.group_signal.zip(self.main().map(|main| main.leader))
    }

    /// Living or Ending → Living, with another main process.
    pub(super) fn follow(&mut self, pid: u32) {
        if let Phase::Living { main } | Phase::Ending { main, .. } = &self.phase {
            self.phase = Phase::Living { main: Main { pid, ..main.clone() } };
        }
    }

    /// Keeps a message until its sender has been looked up.
    pub(super) fn keep_unchecked(&mut self, message: Message) {
        self.unchecked.truncate(MAX_UNCHECKED - 1);
        self.unchecked.push(message);
    }

    /// Whether a message of this sender is kept.
    pub(super) fn has_unchecked_from(&self, sender: Sender) -> bool {
        self.unchecked.iter().any(|message| message.sender == sender)
    }

    /// The kept messages.
    pub(super) fn take_unchecked(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.unchecked)
    }

    /// Its main process, unless it is still being started.
    pub(super) fn main(&self) -> Option<&Main> {
        match &self.phase {
            Phase::Starting { .. } => None,
            Phase::Living { main } | Phase::Ending { main, .. } | Phase::Left { main, .. } => Some(main),
        }
    }

    /// Whether its main process has ended while others may be there.
    pub(super) fn has_lost_main(&self) -> bool {
        matches!(self.phase, Phase::Ending { .. } | Phase::Left { .. })
    }

    /// A notification is passed over. How many there were so far, when that is worth a word: of the first, and of twice as many as last time.
    pub(super) fn pass_over(&mut self) -> Option<u64> {
        self.passed_over = self.passed_over.saturating_add(1);
        self.passed_over.is_power_of_two().then_some(self.passed_over)
    }

    /// Whose it is.
    pub(super) fn service(&self) -> &ServiceName {
        &self.service
    }

    /// What a look at all processes needs to know of it; `None` while it is being started.
    pub(super) fn root(&self) -> Option<Root> {
        let main = self.main()?;
        let main_state = if self.has_lost_main() { MainState::Reaped } else { MainState::There };
        Some(Root {
            run: self.run,
            mark: Arc::clone(&self.mark),
            output: Some(main.output),
            main: main.pid,
            leader: main.leader,
            main_state,
            user: Some(main.uid),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
