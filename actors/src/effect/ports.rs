//! Who listens on a TCP port, as the kernel tells when it is asked (sock_diag(7)), or in `/proc` (proc(5),
//! Documentation/networking/proc_net_tcp.rst).
//! All of this only reads, and blocks.

mod diag;
mod owner;
mod sockets;
mod table;
#[cfg(test)]
mod tests;

use crate::action::ports::{Listener, Places};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;

use self::sockets::unseen;
use self::table::{Inode, Listens};
use super::proc::{Proc, here};

pub(crate) use self::owner::{Whose, whose};

/// Who listens on these TCP ports of this machine (of mainstay's network namespace), where that is in the way of listening on the
/// address that is meant: the answer to each of several questions. Ports on which nobody does are not in it.
///
/// # Errors
/// When the kernel does not tell, and `/proc/net/tcp` cannot be read. That a process cannot be looked into is no error: its listener has no pid then.
pub fn listeners(asked: &[Places]) -> io::Result<Vec<BTreeMap<u16, Listener>>> {
    listeners_under(here(), asked)
}

fn listeners_under(proc: Proc<'_>, asked: &[Places]) -> io::Result<Vec<BTreeMap<u16, Listener>>> {
    let mut by_port: BTreeMap<u16, Vec<(Inode, Listens)>> = BTreeMap::new();
    for (inode, listens) in proc.sockets(&asked.iter().flat_map(|places| places.keys().copied()).collect())? {
        by_port.entry(listens.at.port()).or_default().push((inode, listens));
    }
    let in_the_way = |(port, meant): (&u16, &Option<IpAddr>)| -> (u16, BTreeMap<Inode, Listens>) {
        let listening = by_port.get(port).into_iter().flatten();
        (*port, listening.filter(|(_, listens)| overlap(*meant, *listens)).copied().collect())
    };
    let found = asked.iter().map(|places| places.iter().map(in_the_way).filter(|(_, sockets)| !sockets.is_empty()));
    let found: Vec<BTreeMap<u16, BTreeMap<Inode, Listens>>> = found.map(Iterator::collect).collect();
    let owners = owners(proc, found.iter().flat_map(BTreeMap::values).flat_map(BTreeMap::keys).copied().collect());
    let listener = |sockets: &BTreeMap<Inode, Listens>| {
        let seen = sockets.keys().find_map(|inode| owners.get(inode)).cloned();
        seen.unwrap_or_else(|| unseen(sockets.values()))
    };
    let answer = |ports: BTreeMap<u16, BTreeMap<Inode, Listens>>| {
        ports.into_iter().map(|(port, sockets)| (port, listener(&sockets)))
    };
    Ok(found.into_iter().map(|ports| answer(ports).collect()).collect())
}

/// Whether who listens somewhere is in the way of who means an address. Who means all addresses may mean those of both families.
fn overlap(meant: Option<IpAddr>, listens: Listens) -> bool {
    meant.is_none_or(|meant| {
        let meant = meant.to_canonical();
        meant.is_unspecified() || listens.is_on_all(meant) || meant == listens.at.ip()
    })
}

/// Which process has each of the sockets, in one pass that ends when all are found. Processes that end meanwhile, and those
/// of other users, are passed over.
fn owners(proc: Proc<'_>, mut sought: BTreeSet<Inode>) -> BTreeMap<Inode, Listener> {
    let mut owners = BTreeMap::new();
    for pid in proc.all() {
        if sought.is_empty() {
            break;
        }
        for inode in proc.sockets_of(pid).filter(|inode| sought.contains(inode)).collect::<BTreeSet<_>>() {
            if let Some(listener) = proc.named(pid, &BTreeSet::from([inode])) {
                sought.remove(&inode);
                owners.insert(inode, listener);
            }
        }
    }
    owners
}
