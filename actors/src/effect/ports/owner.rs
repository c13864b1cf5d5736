//! Whether the process that listens where a readiness check was answered belongs to the run that is checked.
//! A stranger who has the port would be met otherwise, and taken for the service.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::table::{Inode, socket_link};
use super::{command, sockets};
use crate::action::ports::Listener;
use crate::effect::process::RUN;

/// Processes of one tree that are looked into before all others are.
const MOST_RELATIVES: usize = 256;
/// How far up a line of parents is followed.
const MOST_ANCESTORS: usize = 64;
/// Bytes of a file of `/proc` that are read at most; of an environment, the kernel keeps no mark beyond that of mainstay's own making.
const FILE_LIMIT: u64 = 512 * 1024;

/// The run that should be the one that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    /// Its main process.
    pub(crate) main: u32,
    /// Its value of `MAINSTAY_RUN`, which is the name of its control group too.
    pub(crate) mark: String,
}

/// Who listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The run itself.
    Own,
    /// Somebody else.
    Foreign(Listener),
    /// It cannot be seen: the process is another user's, or the answer comes from elsewhere.
    Unknown,
}

/// Whose the socket is that takes connections to this place.
///
/// # Errors
/// When `/proc/net/tcp` cannot be read.
pub(crate) fn whose(place: SocketAddr, tree: &Tree) -> io::Result<Whose> {
    Proc(Path::new("/proc")).whose(place, tree, std::process::id())
}

/// A `/proc`.
struct Proc<'a>(&'a Path);

impl Proc<'_> {
    fn whose(&self, place: SocketAddr, tree: &Tree, us: u32) -> io::Result<Whose> {
        let found = sockets(self.0, &BTreeSet::from([place.port()]))?;
        let inodes = answering(&found, place.ip());
        if inodes.is_empty() {
            return Ok(Whose::Unknown);
        }
        let has_it = |pid: &u32| self.has_one(*pid, &inodes);
        // Nearly always it is one of these, and nobody else need be looked into.
        if self.relatives(tree.main).iter().any(has_it) {
            return Ok(Whose::Own);
        }
        let owners: Vec<u32> = self.all().into_iter().filter(has_it).collect();
        let verdicts: Vec<Option<bool>> = owners.iter().map(|pid| self.belongs(*pid, tree, us)).collect();
        Ok(match owners.first() {
            _ if verdicts.contains(&Some(true)) => Whose::Own,
            Some(first) if !verdicts.contains(&None) => {
                Whose::Foreign(Listener { pid: Some(*first), command: command(&self.0.join(first.to_string())) })
            }
            _ => Whose::Unknown,
        })
    }

    /// Whether a process is of the tree; `None` when that cannot be told: some descendant of mainstay that has lost its mark.
    fn belongs(&self, pid: u32, tree: &Tree, us: u32) -> Option<bool> {
        if self.is_in_group(pid, &tree.mark) {
            return Some(true);
        }
        match self.mark(pid) {
            // Anybody can write a mark into his environment, but not descend from us.
            Some(mark) => Some(mark == tree.mark && self.descends_from(pid, us)),
            None if self.descends_from(pid, us) => None,
            None => Some(false),
        }
    }

    fn has_one(&self, pid: u32, inodes: &BTreeSet<Inode>) -> bool {
        let Ok(descriptors) = fs::read_dir(self.0.join(format!("{pid}/fd"))) else { return false };
        let links = descriptors.flatten().filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
        links.filter_map(|link| socket_link(link.to_str()?)).any(|inode| inodes.contains(&inode))
    }

    /// A process and its descendants, as far as the kernel lists children (`CONFIG_PROC_CHILDREN`).
    fn relatives(&self, main: u32) -> Vec<u32> {
        let mut found = vec![main];
        let mut at = 0;
        while let Some(pid) = found.get(at).copied().filter(|_| found.len() < MOST_RELATIVES) {
            let children = self.read(&format!("{pid}/task/{pid}/children")).unwrap_or_default();
            let children = String::from_utf8_lossy(&children).into_owned();
            found.extend(children.split_ascii_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            at += 1;
        }
        found
    }

    fn all(&self) -> Vec<u32> {
        let entries = fs::read_dir(self.0).into_iter().flatten().flatten();
        let mut pids: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        pids.sort_unstable();
        pids
    }

    fn mark(&self, pid: u32) -> Option<String> {
        let environment = self.read(&format!("{pid}/environ"))?;
        let mut variables = environment.split(|byte| *byte == 0);
        let value = variables.find_map(|variable| variable.strip_prefix(RUN.as_bytes())?.strip_prefix(b"="))?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// Whether it is in the control group of this name, or in one below.
    fn is_in_group(&self, pid: u32, name: &str) -> bool {
        let groups = self.read(&format!("{pid}/cgroup")).unwrap_or_default();
        let groups = String::from_utf8_lossy(&groups).into_owned();
        groups.lines().filter_map(|line| line.strip_prefix("0::")).any(|path| path.split('/').any(|part| part == name))
    }

    fn descends_from(&self, pid: u32, ancestor: u32) -> bool {
        let parents = std::iter::successors(Some(pid), |pid| self.parent(*pid));
        parents.take(MOST_ANCESTORS).any(|parent| parent == ancestor)
    }

    fn parent(&self, pid: u32) -> Option<u32> {
        let status = self.read(&format!("{pid}/status"))?;
        let status = String::from_utf8_lossy(&status).into_owned();
        status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
    }

    fn read(&self, file: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.0.join(file)).ok()?.take(FILE_LIMIT).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

/// Of the sockets on one port those that the kernel gives a connection to this address: those on exactly this address before those on all.
fn answering(found: &BTreeMap<Inode, SocketAddr>, address: IpAddr) -> BTreeSet<Inode> {
    let address = address.to_canonical();
    let with = |fits: &dyn Fn(IpAddr) -> bool| -> BTreeSet<Inode> {
        found.iter().filter(|(_, place)| fits(place.ip())).map(|(inode, _)| *inode).collect()
    };
    let exact = with(&|listens| listens == address);
    if exact.is_empty() { with(&|listens| listens.is_unspecified()) } else { exact }
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
