//! Who listens where.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// Ports, each with the address that is meant. `None`: any.
pub type Places = BTreeMap<u16, Option<IpAddr>>;

/// Somebody who listens.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Listener {
    /// The process that has the socket, where this user may see it. Of several, the first in the order of `/proc`: the
    /// lowest process id, so a server rather than its workers.
    pub pid: Option<u32>,
    /// The name of that process (`/proc/PID/comm`).
    pub command: Option<String>,
    /// The user who made the socket, where the process is not seen.
    pub user: Option<u32>,
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, &self.command) {
            (Some(pid), Some(command)) => write!(f, "pid {pid} {command}"),
            (Some(pid), None) => write!(f, "pid {pid}"),
            (None, _) => {
                f.write_str("another process")?;
                self.user.map_or(Ok(()), |user| write!(f, " of user {user}"))?;
                f.write_str(" (not visible to this user)")
            }
        }
    }
}
