//! The processes that have sockets, as `/proc` shows them while they come, go, and hand on what they have.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::Path;

use super::diag;
use super::table::{self, Inode, Listens, socket_link};
use crate::action::ports::Listener;
use crate::effect::proc::Proc;

/// Somebody who has one of these sockets, and is not seen.
pub(super) fn unseen<'a>(sockets: impl IntoIterator<Item = &'a Listens>) -> Listener {
    Listener { user: sockets.into_iter().next().map(|listens| listens.user), ..Listener::default() }
}

/// How far up a line of parents is followed.
const MOST_ANCESTORS: usize = 64;

impl Proc<'_> {
    /// The sockets that listen on these ports, and where.
    pub(super) fn sockets(self, ports: &BTreeSet<u16>) -> io::Result<BTreeMap<Inode, Listens>> {
        if ports.is_empty() {
            return Ok(BTreeMap::new());
        }
        if self.0 == Path::new("/proc")
            && let Ok(sockets) = diag::listening(ports)
        {
            return Ok(sockets);
        }
        self.listed(ports)
    }

    /// The same, as the tables tell.
    pub(super) fn listed(self, ports: &BTreeSet<u16>) -> io::Result<BTreeMap<Inode, Listens>> {
        let mut sockets = BTreeMap::new();
        table::read(File::open(self.0.join("net/tcp"))?, ports, &mut sockets)?;
        match File::open(self.0.join("net/tcp6")) {
            Ok(file) => table::read(file, ports, &mut sockets)?,
            // A kernel with IPv6 switched off.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(sockets)
    }

    /// The sockets that a process has open; none when it has ended, or is another user's.
    pub(super) fn sockets_of(self, pid: u32) -> impl Iterator<Item = Inode> {
        self.descriptors(pid).filter_map(|link| socket_link(link.to_str()?))
    }

    /// Whether it has one of these.
    pub(super) fn has_one(self, pid: u32, sockets: &BTreeSet<Inode>) -> bool {
        self.sockets_of(pid).any(|inode| sockets.contains(&inode))
    }

    /// Whom to name for these sockets, one of which this process was seen to have.
    ///
    /// A process that has just been forked has all that its parent has until it executes its program, which closes it: it listens to
    /// nobody, is called otherwise a moment later, and its number may be the smaller one. Who has handed a socket on is named,
    /// as long as he has it himself. `None`: it was such a child, and has gone on meanwhile.
    pub(super) fn named(self, pid: u32, sockets: &BTreeSet<Inode>) -> Option<Listener> {
        let has_it = |pid: &u32| self.has_one(*pid, sockets);
        let line =
            std::iter::successors(Some(pid), |pid| self.process(*pid).map(|process| process.parent).filter(has_it));
        let eldest = line.take(MOST_ANCESTORS).last()?;
        let listener = Listener { pid: Some(eldest), command: self.command(eldest), user: None };
        // Looked at last: the name is that of the program that has it.
        has_it(&eldest).then_some(listener)
    }
}
