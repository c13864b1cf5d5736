//! The processes that have sockets, as `/proc` shows them while they come, go, and hand on what they have.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;

use super::diag;
use super::table::{self, Inode, socket_link};
use crate::action::ports::Listener;

/// How far up a line of parents is followed.
const MOST_ANCESTORS: usize = 64;
/// Bytes of a file of `/proc` that are read at most; of an environment, the kernel keeps no mark beyond that of mainstay's own making.
const FILE_LIMIT: u64 = 512 * 1024;
/// The kernel cuts a process's name to 15 bytes; a fixture or a strange file system might not.
const NAME_LIMIT: u64 = 64;

/// A `/proc`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proc<'a>(pub(super) &'a Path);

impl Proc<'_> {
    /// The sockets that listen on these ports, and where.
    pub(super) fn sockets(self, ports: &BTreeSet<u16>) -> io::Result<BTreeMap<Inode, SocketAddr>> {
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
    pub(super) fn listed(self, ports: &BTreeSet<u16>) -> io::Result<BTreeMap<Inode, SocketAddr>> {
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

    /// All processes, by their numbers.
    pub(super) fn all(self) -> Vec<u32> {
        let entries = fs::read_dir(self.0).into_iter().flatten().flatten();
        let mut pids: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        pids.sort_unstable();
        pids
    }

    /// The sockets that a process has open; none when it has ended, or is another user's.
    pub(super) fn sockets_of(self, pid: u32) -> impl Iterator<Item = Inode> {
        let descriptors = fs::read_dir(self.0.join(format!("{pid}/fd"))).into_iter().flatten().flatten();
        let links = descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
        links.filter_map(|link| socket_link(link.to_str()?))
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
        let line = std::iter::successors(Some(pid), |pid| self.parent(*pid).filter(has_it));
        let eldest = line.take(MOST_ANCESTORS).last()?;
        let listener = Listener { pid: Some(eldest), command: self.command(eldest) };
        // Looked at last: the name is that of the program that has it.
        has_it(&eldest).then_some(listener)
    }

    fn command(self, pid: u32) -> Option<String> {
        let bytes = self.read(&format!("{pid}/comm"), NAME_LIMIT)?;
        let name = String::from_utf8_lossy(&bytes);
        let plain: String = name.trim_end().chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        Some(plain).filter(|name| !name.is_empty())
    }

    /// Whether a process descends from another, or is it.
    pub(super) fn descends_from(self, pid: u32, ancestor: u32) -> bool {
        let parents = std::iter::successors(Some(pid), |pid| self.parent(*pid));
        parents.take(MOST_ANCESTORS).any(|parent| parent == ancestor)
    }

    fn parent(self, pid: u32) -> Option<u32> {
        let status = self.text(&format!("{pid}/status"));
        status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
    }

    /// A file of text; nothing when it cannot be read.
    pub(super) fn text(self, file: &str) -> String {
        String::from_utf8_lossy(&self.bytes(file).unwrap_or_default()).into_owned()
    }

    /// A file.
    pub(super) fn bytes(self, file: &str) -> Option<Vec<u8>> {
        self.read(file, FILE_LIMIT)
    }

    fn read(self, file: &str, limit: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.0.join(file)).ok()?.take(limit).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}
