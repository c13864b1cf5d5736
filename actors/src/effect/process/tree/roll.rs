//! The roll of our children: what proves that nobody is left of a run.
//!
//! A look at all processes proves nothing: whoever forks and ends again and again is never there when it is looked at. This does:
//!
//! 1. mainstay is a subreaper, so each living process of each run descends from mainstay, and so from some child of mainstay that
//!    lives itself: who ends hands its children on before anybody can see that it has ended (`exit_notify` in the kernel's
//!    kernel/exit.c), and they go to mainstay or to a living descendant of it.
//! 2. A child of mainstay stays in its list until mainstay waits for it, and new ones are only ever added, at the end. The thread
//!    that waits for children is the one that calls the roll, so during a call the lists only grow: whoever was a child when the
//!    call began is on the roll.
//! 3. So when each child on the roll is known to belong to somebody else than a run of which the main process has ended, no
//!    process of that run lived when the call began. And only its processes could have made another one.
//!
//! To whom a child belongs is found out in no hurry (`owners`): until that is known of each, no run is said to be over.

use crate::effect::proc::here;

/// The children of one moment, those that have ended and are not reaped yet among them.
#[derive(Debug, Default)]
pub(crate) struct Roll {
    /// Of threads that start programs. Somebody else can be among them only by `CLONE_PARENT` of clone(2).
    pub born: Vec<u32>,
    /// Of the main thread: the kernel gives orphans to it, so this list is short however many services there are.
    pub adopted: Vec<u32>,
}

/// Calls the roll. Only for the thread that waits for children. Of the threads that start programs, `spawners`, those that have ended
/// are taken off the list.
pub(crate) fn call(spawners: &mut Vec<u32>) -> Roll {
    let us = std::process::id();
    let mut born = Vec::new();
    // The children of a thread that ends go to the main thread, which is therefore asked last.
    spawners.retain(|thread| *thread != us && read(*thread, &mut born).is_some());
    let mut adopted = Vec::new();
    if read(us, &mut adopted).is_none() {
        // A kernel without CONFIG_PROC_CHILDREN. The proof is the same: a child that is not waited for does not leave `/proc`.
        born = here().processes().iter().filter(|process| process.parent == us).map(|process| process.id.pid).collect();
    }
    Roll { born, adopted }
}

fn read(thread: u32, children: &mut Vec<u32>) -> Option<()> {
    children.extend(here().children("self", thread)?);
    Some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_on_the_roll_until_it_is_waited_for_and_a_thread_that_is_gone_is_not_asked_again() {
        let this_thread = u32::try_from(rustix::thread::gettid().as_raw_nonzero().get()).unwrap();
        let mut spawners = vec![this_thread, u32::MAX];
        let mut child = std::process::Command::new("true").spawn().unwrap();
        assert!(call(&mut spawners).born.contains(&child.id()));
        child.wait().unwrap();
        assert!(!call(&mut spawners).born.contains(&child.id()));
        assert!(!spawners.contains(&u32::MAX));
    }
}
