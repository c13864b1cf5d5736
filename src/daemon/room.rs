//! Whether there is room for the threads that mainstay begins with. Without some of them it would look well and do nothing, so it is
//! seen before anything else is begun.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use mainstay_actors::effect::watched;
use rustix::process::{Resource, getrlimit};

use crate::error::Told;
use crate::exit::ExitStatus;

/// How many threads mainstay has beside its first one, when it has begun.
const THREADS: usize = 13;

/// What helps where there is too little.
pub(super) const MORE: &str = "allow more: `ulimit -u 4096` before it is started, or `LimitNPROC=` and `TasksMax=` in its unit; its services \
     need room as well. A container may have a limit of its own, the `pids.max` of its control group";

/// Begins as many threads as are needed, and lets them end again.
///
/// # Errors
/// When there is no room for them all.
pub(super) fn for_threads() -> Result<(), Told> {
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
    let mut begun = Vec::new();
    let mut refused = None;
    while begun.len() < THREADS && refused.is_none() {
        let gate = Arc::clone(&gate);
        match watched::thread("room", move || drop(gate.lock()), drop) {
            Ok(thread) => begun.push(thread),
            Err(error) => refused = Some(cannot_begin(begun.len(), &error)),
        }
    }
    drop(closed);
    for thread in begun {
        // It does nothing that could fail.
        let _ = thread.join();
    }
    refused.map_or(Ok(()), Err)
}

/// Limits on memory, which threads need for their stacks.
const OF_MEMORY: [(Resource, &str, &str); 2] = [
    (Resource::Data, "RLIMIT_DATA", "`ulimit -d unlimited` before it is started, or `LimitDATA=` in its unit"),
    (Resource::As, "RLIMIT_AS", "`ulimit -v unlimited` before it is started, or `LimitAS=` in its unit"),
];

fn cannot_begin(begun: usize, error: &io::Error) -> Told {
    let is_limited = |(resource, name, cure): (Resource, &'static str, &'static str)| {
        Some((getrlimit(resource).current?, name, cure))
    };
    let (allowed, help) = match OF_MEMORY.into_iter().find_map(is_limited) {
        Some((bytes, name, cure)) => {
            (format!(": its memory is limited to {bytes} bytes ({name})"), format!("allow more: {cure}"))
        }
        None => {
            let limit = getrlimit(Resource::Nproc).current;
            let words = |limit| format!(": this user may have {limit} in all (RLIMIT_NPROC)");
            (limit.map_or_else(String::new, words), MORE.to_owned())
        }
    };
    let words = format!("mainstay cannot begin: it needs {THREADS} threads and is given {begun}{allowed}: {error}");
    Told::new(ExitStatus::Failed, words).help(help)
}
