//! Going on from a cut, when nobody is left who was asked for anything.

use mainstay_config::names::ServiceName;

use super::births::BirthWatch;
use super::kernel::Kernel;
use super::{News, RoundState, Rules};
use crate::action::process::RunId;
use crate::effect::process::runs::Sweep;
use crate::effect::process::tree::Act;

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Surveyed {
    /// Its program is being started.
    Starting,
    /// This is its main process.
    Living(u32),
    /// This was, and has ended; others may be left.
    Left(u32),
}

impl<K> Rules<K> {
    /// All runs that are not over.
    pub(crate) fn survey(&self) -> Vec<(RunId, &ServiceName, Surveyed)> {
        let state = |run: &super::Run| match run.main() {
            None => Surveyed::Starting,
            Some(main) if run.has_lost_main() => Surveyed::Left(main.pid),
            Some(main) => Surveyed::Living(main.pid),
        };
        self.runs.iter().map(|(id, run)| (*id, run.service(), state(run))).collect()
    }
}

impl<K: Kernel> Rules<K> {
    /// Whatever threads and clocks were asked for and have not answered is asked for again.
    pub(crate) fn resume(&mut self) {
        self.round_state = RoundState::Idle;
        self.to_be_swept.clear();
        self.orphans.ask_again();
        // Others may have been left to us meanwhile.
        self.suspects.clear();
        let main = |(id, run): (&RunId, &super::Run)| run.main().map(|_| (*id, run.sweep));
        for (id, sweep) in self.runs.iter().filter_map(main).collect::<Vec<_>>() {
            self.want(id, if sweep == Sweep::UntilGone { Act::Kill } else { Act::Look });
        }
        self.birth_watch = BirthWatch::Off;
        self.watch_births();
        match self.keeper.pid() {
            Some(pid) => self.kernel.later(super::super::keeper::life::GOOD_LIFE, News::KeeperLasts(pid)),
            None if self.keeper.is_coming() => self.ask_for_keeper(),
            None => self.kernel.soon(News::StartKeeper),
        }
        self.prove();
        self.begin_round();
    }
}
