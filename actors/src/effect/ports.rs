//! Who listens on a TCP port, as the kernel tells in `/proc` (proc(5), Documentation/networking/proc_net_tcp.rst).
//! All of this only reads, and blocks.

mod owner;
mod table;
#[cfg(test)]
mod tests;

use crate::action::ports::{Listener, Places};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use self::table::{Inode, socket_link};

pub(crate) use self::owner::{Tree, Whose, whose};

/// The kernel cuts a process's name to 15 bytes; a fixture or a strange file system might not.
const NAME_LIMIT: u64 = 64;

/// Who listens on these TCP ports of this machine (of mainstay's network namespace), where that is in the way of listening on the
/// address that is meant: the answer to each of several questions. Ports on which nobody does are not in it.
///
/// # Errors
/// When `/proc/net/tcp` cannot be read. That a process cannot be looked into is no error: its listener has no pid then.
pub fn listeners(asked: &[Places]) -> io::Result<Vec<BTreeMap<u16, Listener>>> {
    listeners_under(Path::new("/proc"), asked)
}

fn listeners_under(proc: &Path, asked: &[Places]) -> io::Result<Vec<BTreeMap<u16, Listener>>> {
    let mut by_port: BTreeMap<u16, Vec<(Inode, IpAddr)>> = BTreeMap::new();
    for (inode, listens) in sockets(proc, &asked.iter().flat_map(|places| places.keys().copied()).collect())? {
        by_port.entry(listens.port()).or_default().push((inode, listens.ip()));
    }
    let in_the_way = |(port, meant): (&u16, &Option<IpAddr>)| -> (u16, Vec<Inode>) {
        let listening = by_port.get(port).into_iter().flatten();
        (*port, listening.filter(|(_, address)| overlap(*meant, *address)).map(|(inode, _)| *inode).collect())
    };
    let found = asked.iter().map(|places| places.iter().map(in_the_way).filter(|(_, inodes)| !inodes.is_empty()));
    let found: Vec<BTreeMap<u16, Vec<Inode>>> = found.map(Iterator::collect).collect();
    let owners = owners(proc, found.iter().flat_map(BTreeMap::values).flatten().copied().collect());
    let listener = |inodes: Vec<Inode>| inodes.iter().find_map(|inode| owners.get(inode)).cloned().unwrap_or_default();
    let answer = |ports: BTreeMap<u16, Vec<Inode>>| ports.into_iter().map(|(port, inodes)| (port, listener(inodes)));
    Ok(found.into_iter().map(|ports| answer(ports).collect()).collect())
}

/// The sockets that listen on these ports, and where.
fn sockets(proc: &Path, ports: &BTreeSet<u16>) -> io::Result<BTreeMap<Inode, SocketAddr>> {
    let mut sockets = BTreeMap::new();
    if ports.is_empty() {
        return Ok(sockets);
    }
    table::read(File::open(proc.join("net/tcp"))?, ports, &mut sockets)?;
    match File::open(proc.join("net/tcp6")) {
        Ok(file) => table::read(file, ports, &mut sockets)?,
        // A kernel with IPv6 switched off.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(sockets)
}

/// Whether who listens on an address is in the way of who means another. All addresses overlap with every one: a socket on `::` may
/// or may not take IPv4 as well, which nobody shows.
fn overlap(meant: Option<IpAddr>, listens: IpAddr) -> bool {
    meant.is_none_or(|meant| meant.is_unspecified() || listens.is_unspecified() || meant.to_canonical() == listens)
}

/// Which process has each of the sockets, in one pass that ends when all are found. Processes that end meanwhile, and those
/// of other users, are passed over.
fn owners(proc: &Path, mut sought: BTreeSet<Inode>) -> BTreeMap<Inode, Listener> {
    let mut owners = BTreeMap::new();
    let Ok(entries) = fs::read_dir(proc) else { return owners };
    let mut pids: Vec<u32> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    for pid in pids {
        if sought.is_empty() {
            break;
        }
        let process = proc.join(pid.to_string());
        let Ok(descriptors) = fs::read_dir(process.join("fd")) else { continue };
        let links = descriptors.flatten().filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
        for inode in links.filter_map(|link| socket_link(link.to_str()?)) {
            if sought.remove(&inode) {
                owners.insert(inode, Listener { pid: Some(pid), command: command(&process) });
            }
        }
    }
    owners
}

fn command(process: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(process.join("comm")).ok()?.take(NAME_LIMIT).read_to_end(&mut bytes).ok()?;
    let name = String::from_utf8_lossy(&bytes);
    let plain: String = name.trim_end().chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    Some(plain).filter(|name| !name.is_empty())
}
