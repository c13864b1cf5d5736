//! Threads and tasks of mainstay panic that begin anew by themselves, and nobody but their owner hears of it: the watch on hardware, the
//! look at whether a service is ready, and whoever listens to what a service says of itself.

use super::super::World;
use super::super::environment::Consequences;

impl World {
    pub(super) fn a_part_panics(&mut self) {
        let mut so = Consequences::default();
        match self.random.below(3) {
            0 => self.environment.watch_panics(&mut so),
            1 => self.environment.probe_panics(&mut so),
            _ => self.environment.listener_panics(),
        }
        self.follow(so);
    }
}
