//! Whether the process that listens where a readiness check was answered belongs to the run that is checked.
//! A stranger who has the port would be met otherwise, and taken for the service.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};

use super::table::{Inode, Listens};
use crate::action::ports::Listener;
use crate::effect::proc::{Proc, here};
use crate::effect::process::{Root, is_of};

/// Processes of one tree that are looked into before all others are.
const MOST_RELATIVES: usize = 256;
/// Looks at who listens, when that has changed while it was looked at.
const LOOKS: usize = 3;

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
pub(crate) fn whose(place: SocketAddr, run: &Root) -> io::Result<Whose> {
    here().whose(place, run, std::process::id())
}

impl Proc<'_> {
    fn whose(self, place: SocketAddr, run: &Root, us: u32) -> io::Result<Whose> {
        for _ in 0..LOOKS {
            if let Some(whose) = self.look(place, run, us)? {
                return Ok(whose);
            }
        }
        Ok(Whose::Unknown)
    }

    /// `None`: it has changed meanwhile.
    fn look(self, place: SocketAddr, run: &Root, us: u32) -> io::Result<Option<Whose>> {
        let inodes = self.answering(place)?;
        if inodes.is_empty() {
            return Ok(Some(Whose::Unknown));
        }
        let has_it = |pid: &u32| self.has_one(*pid, &inodes);
        // Nearly always it is one of these, and nobody else need be looked into.
        if self.relatives(run.main).iter().any(has_it) {
            return Ok(Some(Whose::Own));
        }
        let owners: Vec<u32> = self.all().into_iter().filter(has_it).collect();
        let verdicts: Vec<Option<bool>> = owners.iter().map(|pid| is_of(self, *pid, run, us)).collect();
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

    /// A process and its descendants, as far as the kernel lists children.
    fn relatives(self, main: u32) -> Vec<u32> {
        let mut found = vec![main];
        let mut at = 0;
        while let Some(pid) = found.get(at).copied().filter(|_| found.len() < MOST_RELATIVES) {
            found.extend(self.children(pid, pid).unwrap_or_default());
            at += 1;
        }
        found
    }
}

/// Of the sockets on one port those that the kernel gives a connection to this address: those on exactly this address before those on all.
fn answering(found: &BTreeMap<Inode, Listens>, address: IpAddr) -> BTreeSet<Inode> {
    let address = address.to_canonical();
    let with = |fits: &dyn Fn(Listens) -> bool| -> BTreeSet<Inode> {
        found.iter().filter(|(_, listens)| fits(**listens)).map(|(inode, _)| *inode).collect()
    };
    let exact = with(&|listens| listens.at.ip() == address);
    if exact.is_empty() { with(&|listens| listens.is_on_all(address)) } else { exact }
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
