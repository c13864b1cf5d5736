//! Commands of readiness checks at the end of mainstay: no service is left that they could say anything of.

use super::Rules;
use super::kernel::Kernel;
use crate::action::process::RunId;
use crate::effect::check_commands::is_command;

impl<K: Kernel> Rules<K> {
    fn checks(&self) -> impl Iterator<Item = RunId> + '_ {
        self.runs.keys().copied().filter(|run| is_command(*run))
    }

    /// Kills all of them.
    pub(crate) fn sweep_checks(&mut self) {
        for run in self.checks().collect::<Vec<_>>() {
            self.sweep(run);
        }
    }

    /// Whether something of one is left.
    pub(crate) fn has_checks(&self) -> bool {
        self.checks().next().is_some()
    }

    /// The processes that they were started as. One whose turn to be started has not come has none, and gets none.
    pub(crate) fn pids_of_checks(&self) -> Vec<u32> {
        let pid = |run| match self.runs.get(&run).and_then(|run| run.main()) {
            Some(main) => Some(main.pid),
            None => self.kernel.newborn(run),
        };
        self.checks().filter_map(pid).collect()
    }
}
