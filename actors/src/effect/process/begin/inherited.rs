//! Limits and priorities of whoever started mainstay. It would be killed by some, services by others, and all would run as slowly as what
//! its starter thinks little of.

use std::fmt;

use rustix::process::{Resource, Rlimit, getpriority_process, getrlimit, setpriority_process, setrlimit};

use crate::effect::process::sys;

/// Limits that end a process, or let it fail at any moment; the kernel begins without them.
const LIFTED: [(Resource, &str); 4] = [
    (Resource::Fsize, "bytes in a file"),
    (Resource::Cpu, "seconds of processor time"),
    (Resource::As, "bytes of address space"),
    (Resource::Data, "bytes of data in memory"),
];
/// Bytes of stack that the kernel begins with. More is not made less: without a limit, memory is laid out in another way.
const STACK: u64 = 8 << 20;

/// What this process, and with it every service, cannot be rid of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inherited {
    /// A limit.
    Limit {
        /// How much is allowed.
        most: u64,
        /// Of what.
        of: &'static str,
    },
    /// A nice value (setpriority(2)) that is not 0.
    Nice(i32),
    /// A way to be scheduled (sched(7), ioprio_set(2)) that is not the usual one.
    Scheduling,
}

impl fmt::Display for Inherited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit { most, of } => write!(f, "at most {most} {of}"),
            Self::Nice(value) => write!(f, "a nice value of {value}"),
            Self::Scheduling => write!(f, "a scheduling class of its starter's"),
        }
    }
}

/// Gives it all back, as far as this user may: the answer is what is left.
pub(super) fn give_back() -> Vec<Inherited> {
    let limits = LIFTED.into_iter().filter_map(|(resource, of)| lift(resource, of));
    limits.chain(widen_stack()).chain(be_as_nice_as_others()).chain(be_scheduled_as_others()).collect()
}

/// Root may do without; others go as far as whoever set the limit lets them.
fn lift(resource: Resource, of: &'static str) -> Option<Inherited> {
    let Rlimit { maximum, .. } = getrlimit(resource);
    let none = Rlimit { current: None, maximum: None };
    // What comes of it is looked at below.
    let _ = setrlimit(resource, none).or_else(|_| setrlimit(resource, Rlimit { current: maximum, maximum }));
    getrlimit(resource).current.map(|most| Inherited::Limit { most, of })
}

fn widen_stack() -> Option<Inherited> {
    let is_narrow = |limit: Option<u64>| limit.is_some_and(|bytes| bytes < STACK);
    let limit = getrlimit(Resource::Stack);
    if is_narrow(limit.current) {
        let enough = |maximum| Rlimit { current: Some(STACK), maximum };
        let wanted = if is_narrow(limit.maximum) { enough(None) } else { enough(limit.maximum) };
        let most = Rlimit { current: limit.maximum, maximum: limit.maximum };
        // As above.
        let _ = setrlimit(Resource::Stack, wanted).or_else(|_| setrlimit(Resource::Stack, most));
    }
    let now = getrlimit(Resource::Stack).current;
    now.filter(|_| is_narrow(now)).map(|most| Inherited::Limit { most, of: "bytes of stack" })
}

fn be_as_nice_as_others() -> Option<Inherited> {
    // As above.
    let _ = setpriority_process(None, 0);
    getpriority_process(None).ok().filter(|value| *value != 0).map(Inherited::Nice)
}

fn be_scheduled_as_others() -> Option<Inherited> {
    sys::be_scheduled_as_others().err().map(|_| Inherited::Scheduling)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_said_with_its_number() {
        let all = [Inherited::Limit { most: 512, of: "bytes in a file" }, Inherited::Nice(5), Inherited::Scheduling];
        let words = all.map(|left| left.to_string()).join("; ");
        assert_eq!(words, "at most 512 bytes in a file; a nice value of 5; a scheduling class of its starter's");
    }
}
