//! Whether the process that listens where a readiness check was answered belongs to the run that is checked.
//! A stranger who has the port would be met otherwise, and taken for the service.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use super::sockets::unseen;
use super::table::{Inode, Listens};
use crate::action::ports::Listener;
use crate::effect::proc::{Life, Proc, here};
use crate::effect::process::{Root, is_of};

/// Processes of one tree that are looked into before all others are.
const MOST_RELATIVES: usize = 256;

/// Who listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The run itself.
    Own,
    /// Somebody else: nobody who may be of the run has it.
    Foreign(Listener),
    /// Nobody's (any more): who took the connection does not listen.
    Nobody,
    /// It cannot be seen: somebody who may be of the run does not show what he has, or the answer comes from elsewhere.
    Unknown,
}

/// Whose the socket is that takes connections to this place.
///
/// # Errors
/// When the kernel does not tell who listens, and `/proc/net/tcp` cannot be read.
pub(crate) fn whose(place: SocketAddr, run: &Root) -> io::Result<Whose> {
    here().whose(place, run, std::process::id())
}

impl Proc<'_> {
    fn whose(self, place: SocketAddr, run: &Root, us: u32) -> io::Result<Whose> {
        let whose = self.look(place, run, us)?;
        // He may have gone on while he was looked at, or have been forked by one of the run who has ended meanwhile.
        let is_unseen = matches!(whose, Whose::Foreign(Listener { pid: None, .. }));
        if is_unseen { self.look(place, run, us) } else { Ok(whose) }
    }

    fn look(self, place: SocketAddr, run: &Root, us: u32) -> io::Result<Whose> {
        if !is_here(place) {
            return Ok(Whose::Unknown);
        }
        let sockets = self.answering(place)?;
        if sockets.is_empty() {
            return Ok(Whose::Nobody);
        }
        let inodes: BTreeSet<Inode> = sockets.keys().copied().collect();
        let has_it = |pid: &u32| self.has_one(*pid, &inodes);
        // Nearly always it is one of these, and nobody else need be looked into.
        if self.relatives(run.main).iter().any(has_it) {
            return Ok(Whose::Own);
        }
        let owners: Vec<u32> = self.all().into_iter().filter(has_it).collect();
        let verdicts: Vec<Option<bool>> = owners.iter().map(|pid| is_of(self, *pid, run, us)).collect();
        Ok(match owners.first() {
            _ if verdicts.contains(&Some(true)) => Whose::Own,
            Some(first) if !verdicts.contains(&None) => {
                let still: BTreeSet<Inode> = self.answering(place)?.into_keys().collect();
                let named = self.named(*first, &still.intersection(&inodes).copied().collect());
                Whose::Foreign(named.unwrap_or_else(|| unseen(sockets.values())))
            }
            None if !self.may_hide_it(run, us) => Whose::Foreign(unseen(sockets.values())),
            _ => Whose::Unknown,
        })
    }

    /// Whether somebody runs who is of the run, or may be, and does not show what he has: another user's, one that may not be looked
    /// into, or one whose main thread has ended.
    fn may_hide_it(self, run: &Root, us: u32) -> bool {
        let hides = |pid: &u32| {
            self.descriptors(*pid).next().is_none()
                && self.process(*pid).is_some_and(|process| process.life == Life::Runs)
        };
        // Where `/proc` does not even list whom this user may not look into (`hidepid`), it does not list the first of all.
        let lists_all = self.process(1).is_some();
        !lists_all || self.all().into_iter().filter(hides).any(|pid| is_of(self, pid, run, us) != Some(false))
    }

    /// The sockets to which the kernel gives a connection to this place.
    fn answering(self, place: SocketAddr) -> io::Result<BTreeMap<Inode, Listens>> {
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

/// Whether an address is one of this machine: on any other, nobody can listen.
fn is_here(mut place: SocketAddr) -> bool {
    place.set_port(0);
    UdpSocket::bind(place).is_ok()
}

/// Of the sockets on one port those that the kernel gives a connection to this address: those on exactly this address before those on all.
fn answering(found: &BTreeMap<Inode, Listens>, address: IpAddr) -> BTreeMap<Inode, Listens> {
    let address = address.to_canonical();
    let with = |fits: &dyn Fn(Listens) -> bool| -> BTreeMap<Inode, Listens> {
        found.iter().filter(|(_, listens)| fits(**listens)).map(|(inode, listens)| (*inode, *listens)).collect()
    };
    let exact = with(&|listens| listens.at.ip() == address);
    if exact.is_empty() { with(&|listens| listens.is_on_all(address)) } else { exact }
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
