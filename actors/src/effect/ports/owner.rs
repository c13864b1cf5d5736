//! Whether the process that listens where a readiness check was answered belongs to the run that is checked.
//! A stranger who has the port would be met otherwise, and taken for the service.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::proc::Proc;
use super::table::Inode;
use crate::action::ports::Listener;
use crate::effect::process::RUN;

/// Processes of one tree that are looked into before all others are.
const MOST_RELATIVES: usize = 256;
/// Looks at who listens, when that has changed while it was looked at.
const LOOKS: usize = 3;

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

impl Proc<'_> {
    fn whose(self, place: SocketAddr, tree: &Tree, us: u32) -> io::Result<Whose> {
        for _ in 0..LOOKS {
            if let Some(whose) = self.look(place, tree, us)? {
                return Ok(whose);
            }
        }
        Ok(Whose::Unknown)
    }

    /// `None`: it has changed meanwhile.
    fn look(self, place: SocketAddr, tree: &Tree, us: u32) -> io::Result<Option<Whose>> {
        let inodes = self.answering(place)?;
        if inodes.is_empty() {
            return Ok(Some(Whose::Unknown));
        }
        let has_it = |pid: &u32| self.has_one(*pid, &inodes);
        // Nearly always it is one of these, and nobody else need be looked into.
        if self.relatives(tree.main).iter().any(has_it) {
            return Ok(Some(Whose::Own));
        }
        let owners: Vec<u32> = self.all().into_iter().filter(has_it).collect();
        let verdicts: Vec<Option<bool>> = owners.iter().map(|pid| self.belongs(*pid, tree, us)).collect();
        Ok(match owners.first() {
            _ if verdicts.contains(&Some(true)) => Some(Whose::Own),
            Some(first) if !verdicts.contains(&None) => {
                let still: BTreeSet<Inode> = self.answering(place)?.intersection(&inodes).copied().collect();
                self.named(*first, &still).map(Whose::Foreign)
            }
            _ => Some(Whose::Unknown),
        })
    }

    /// The sockets to which the kernel gives a connection to this place.
    fn answering(self, place: SocketAddr) -> io::Result<BTreeSet<Inode>> {
        Ok(answering(&self.sockets(&BTreeSet::from([place.port()]))?, place.ip()))
    }

    /// Whether a process is of the tree; `None` when that cannot be told: some descendant of mainstay that has lost its mark.
    fn belongs(self, pid: u32, tree: &Tree, us: u32) -> Option<bool> {
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

    /// A process and its descendants, as far as the kernel lists children (`CONFIG_PROC_CHILDREN`).
    fn relatives(self, main: u32) -> Vec<u32> {
        let mut found = vec![main];
        let mut at = 0;
        while let Some(pid) = found.get(at).copied().filter(|_| found.len() < MOST_RELATIVES) {
            let children = self.text(&format!("{pid}/task/{pid}/children"));
            found.extend(children.split_ascii_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            at += 1;
        }
        found
    }

    fn mark(self, pid: u32) -> Option<String> {
        let environment = self.bytes(&format!("{pid}/environ"))?;
        let mut variables = environment.split(|byte| *byte == 0);
        let value = variables.find_map(|variable| variable.strip_prefix(RUN.as_bytes())?.strip_prefix(b"="))?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// Whether it is in the control group of this name, or in one below.
    fn is_in_group(self, pid: u32, name: &str) -> bool {
        let groups = self.text(&format!("{pid}/cgroup"));
        groups.lines().filter_map(|line| line.strip_prefix("0::")).any(|path| path.split('/').any(|part| part == name))
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
