//! A station of its own for each test: temporary folders, free ports, and nothing left behind.

mod answered;
mod free_port;
pub(crate) mod helper;
mod left_over;
#[cfg(debug_assertions)]
mod recovery;
mod station;
mod stuck;
mod view;

pub(crate) use free_port::{free_port, free_ports};
pub(crate) use left_over::{alive, descendants, log_keepers, processes_with};
pub(crate) use station::{MARK, Station, program};
pub(crate) use stuck::Stuck;
pub(crate) use view::{Message, Service, Status, Trace};

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::time::{Duration, Instant};

/// Waits for a turn among all runs of the tests on this machine. It lasts until what is given is dropped.
#[track_caller]
pub(crate) fn turn(name: &str) -> UnixListener {
    let address = SocketAddr::from_abstract_name(format!("mainstay-tests/{name}")).unwrap();
    until(&format!("it is our turn for {name}"), || UnixListener::bind_addr(&address).ok())
}

/// Bound on anything that is waited for: far more than it takes, for machines that do much else meanwhile.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is so; gives what was found.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "it never came about: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
