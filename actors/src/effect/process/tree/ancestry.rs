//! How a process descends from us. Pure: from looks at single processes.

use crate::effect::proc::Process;

/// Longer chains are not followed; nobody starts programs by so many others.
const MAX_DEPTH: usize = 64;
/// How often the way up is begun anew because somebody on it ended meanwhile.
const TRIES: usize = 4;

/// The child of `us` that a process descends from, or is. `None`: it is not below us, or it has gone.
pub(super) fn child_above(pid: u32, us: u32, look: impl Fn(u32) -> Option<Process>) -> Option<u32> {
    Some(line(pid, us, look)?.first()?.id.pid)
}

/// The processes from a child of `us` down to this one. `None`: it is not below us, or it has gone.
///
/// A number can be given out again between two looks, so each step is looked at from both ends: who still has the parent that it had
/// before that one was looked at, had it all the time, for an orphan never gets a parent that is younger than itself.
pub(super) fn line(pid: u32, us: u32, look: impl Fn(u32) -> Option<Process>) -> Option<Vec<Process>> {
    for _ in 0..TRIES {
        match climb(pid, us, &look) {
            Way::Up(line) => return Some(line),
            Way::Nowhere => return None,
            Way::Broken => {}
        }
    }
    None
}

/// Where the way up leads.
enum Way {
    /// To us: the line, eldest first.
    Up(Vec<Process>),
    /// Past us.
    Nowhere,
    /// Somebody on it has ended.
    Broken,
}

fn climb(pid: u32, us: u32, look: &impl Fn(u32) -> Option<Process>) -> Way {
    let Some(mut child) = look(pid) else { return Way::Nowhere };
    let mut line = vec![child];
    for _ in 0..MAX_DEPTH {
        if child.parent == us {
            line.reverse();
            return Way::Up(line);
        }
        if child.parent <= 1 {
            return Way::Nowhere;
        }
        let parent = look(child.parent);
        match (parent, look(child.id.pid)) {
            (Some(parent), Some(still)) if still.id == child.id && still.parent == child.parent => child = parent,
            _ => return Way::Broken,
        }
        line.push(child);
    }
    Way::Nowhere
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::effect::proc::{Life, ProcessId};

    const US: u32 = 100;

    fn process(pid: u32, parent: u32) -> Process {
        let id = ProcessId { started: u64::from(pid), pid };
        Process { id, parent, group: pid, session: pid, life: Life::Runs }
    }

    #[test]
    fn a_process_is_followed_up_to_the_child_of_ours_whatever_group_it_is_in() {
        let look = |pid| {
            [process(10, US), process(11, 10), process(12, 11), process(50, 1)].into_iter().find(|p| p.id.pid == pid)
        };
        assert_eq!(child_above(12, US, look), Some(10));
        assert_eq!(child_above(10, US, look), Some(10));
        assert_eq!(child_above(50, US, look), None, "it is not below us");
        assert_eq!(child_above(99, US, look), None, "it has gone");
    }

    #[test]
    fn a_parent_that_ends_while_it_is_looked_at_is_no_proof() {
        let looks = Cell::new(0);
        // 11 ends after it was looked at, and 12 becomes a child of ours.
        let look = |pid| {
            looks.set(looks.get() + 1);
            match (pid, looks.get()) {
                (12, 1) => Some(process(12, 11)),
                (11, _) => Some(process(11, 10)),
                (12, _) => Some(process(12, US)),
                _ => None,
            }
        };
        assert_eq!(child_above(12, US, look), Some(12));
    }

    #[test]
    fn a_circle_in_a_torn_look_ends() {
        assert_eq!(child_above(12, US, |pid| Some(process(pid, if pid == 12 { 11 } else { 12 }))), None);
    }
}
