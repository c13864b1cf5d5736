//! Who calls, and whether they may. The socket's permissions keep others out already; this looks again, because a run
//! directory may be configured where permissions do not help.

use mainstay_actors::effect::process::groups::operators;
use tokio::net::UnixStream;

/// Bytes of `/proc/PID/status` that are read at most; the groups of a process stand in its first lines.
const LONGEST_STATUS: u64 = 1024 * 1024;

/// Who is at the other end, as the kernel says (`SO_PEERCRED`, unix(7)): the credentials at the time of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    /// The effective user.
    pub(crate) uid: u32,
    /// The effective group.
    pub(crate) gid: u32,
    /// The process, where it is in a PID namespace that can be seen from here.
    pub(crate) pid: Option<i32>,
}

impl Peer {
    /// The peer of a connection.
    pub(super) fn of(stream: &UnixStream) -> std::io::Result<Self> {
        let cred = stream.peer_cred()?;
        Ok(Self { uid: cred.uid(), gid: cred.gid(), pid: cred.pid() })
    }
}

/// Who may operate the daemon.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    /// The daemon's own user.
    own_uid: u32,
    /// The group `mainstay`, where there is one.
    operators: Option<u32>,
}

impl Gate {
    /// For this process on this system.
    pub(super) fn of_system() -> Self {
        Self { own_uid: rustix::process::geteuid().as_raw(), operators: operators() }
    }

    /// Those whom nobody may keep out: root and the daemon's own user.
    pub(super) fn first(self) -> [u32; 2] {
        [0, self.own_uid]
    }

    /// The group `mainstay`.
    pub(super) fn group(self) -> Option<u32> {
        self.operators
    }

    /// Root, the daemon's own user and members of the group may. `supplementary` is asked only when it decides.
    pub(super) fn admits(self, peer: Peer, supplementary: impl FnOnce(Peer) -> Vec<u32>) -> bool {
        if peer.uid == 0 || peer.uid == self.own_uid {
            return true;
        }
        self.operators.is_some_and(|group| peer.gid == group || supplementary(peer).contains(&group))
    }
}

/// The supplementary groups of the process, from `/proc/PID/status` (proc_pid_status(5)); none where it is gone,
/// hidden, or its number has passed to a process of another user.
pub(super) fn supplementary_groups(peer: Peer) -> Vec<u32> {
    use std::io::Read;
    let Some(pid) = peer.pid else { return Vec::new() };
    let mut text = String::new();
    let read = std::fs::File::open(format!("/proc/{pid}/status"))
        .and_then(|file| file.take(LONGEST_STATUS).read_to_string(&mut text));
    if read.is_err() { Vec::new() } else { groups_in_status(&text, peer.uid) }
}

/// The `Groups:` of a status file whose effective user (the second number of `Uid:`) is `uid`.
fn groups_in_status(text: &str, uid: u32) -> Vec<u32> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    let numbers = |name: &str| -> Vec<u32> {
        field(name).unwrap_or_default().split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    if numbers("Uid:").get(1) == Some(&uid) { numbers("Groups:") } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GATE: Gate = Gate { own_uid: 500, operators: Some(998) };

    fn peer(uid: u32, gid: u32) -> Peer {
        Peer { uid, gid, pid: Some(7) }
    }

    #[test]
    fn root_the_owner_and_members_of_the_group_may_operate_and_nobody_else() {
        let none = |_| Vec::new();
        assert!(GATE.admits(peer(0, 0), none));
        assert!(GATE.admits(peer(500, 500), none));
        assert!(GATE.admits(peer(1000, 998), none));
        assert!(GATE.admits(peer(1000, 1000), |_| vec![4, 998]));
        assert!(!GATE.admits(peer(1000, 1000), |_| vec![4, 24]));
        let no_group = Gate { operators: None, ..GATE };
        assert!(!no_group.admits(peer(1000, 998), |_| vec![998]));
    }

    #[test]
    fn the_groups_of_a_process_count_only_if_it_is_still_the_callers() {
        let status = "Name:\tbash\nUid:\t1000\t1001\t1000\t1000\nGid:\t1000\t1000\nGroups:\t4 24 998 \n";
        assert_eq!(groups_in_status(status, 1001), [4, 24, 998]);
        assert_eq!(groups_in_status(status, 1000), Vec::<u32>::new());
        assert_eq!(groups_in_status("nonsense", 1000), Vec::<u32>::new());
    }

    #[test]
    fn the_groups_of_this_process_can_be_read() {
        let pid = std::process::id().try_into().ok();
        let uid = rustix::process::geteuid().as_raw();
        let mut own: Vec<u32> =
            rustix::process::getgroups().unwrap_or_default().iter().map(|gid| gid.as_raw()).collect();
        let mut read = supplementary_groups(Peer { uid, gid: 0, pid });
        own.sort_unstable();
        read.sort_unstable();
        assert_eq!(read, own);
    }
}
