//! Which sockets listen, asked of the kernel directly (sock_diag(7)). It goes through those that listen and no others; for a table
//! of `/proc/net` it goes through every place in which it might keep a connection, and there are more of these the more memory there is.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};

use super::table::{Inode, Listens, Reach};

/// `SOCK_DIAG_BY_FAMILY` (include/uapi/linux/sock_diag.h).
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_DUMP` (include/uapi/linux/netlink.h).
const DUMP: u16 = 0x301;
/// `NLMSG_ERROR` and `NLMSG_DONE`.
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// `IPPROTO_TCP`, and the state `TCP_LISTEN` as one bit of many.
const TCP: u8 = 6;
const LISTEN: u32 = 1 << 10;
/// `struct nlmsghdr`, `struct inet_diag_req_v2`, and of `struct inet_diag_msg` where what is wanted ends.
const HEAD: usize = 16;
const REQUEST: usize = 56;
/// Where its attributes begin, and the one that says of a socket on `::` that it takes no IPv4 (`INET_DIAG_SKV6ONLY`).
const FIXED: usize = 72;
const V6_ONLY: u16 = 11;
/// The kernel answers with as much at once as there is room for, up to this.
const ROOM: usize = 32 * 1024;

/// The kernel was built without it. Each further question would have it look for the module anew.
static IS_REFUSED: AtomicBool = AtomicBool::new(false);

/// The sockets that listen on these ports, and where.
///
/// # Errors
/// The kernel does not tell.
pub(super) fn listening(ports: &BTreeSet<u16>) -> io::Result<BTreeMap<Inode, Listens>> {
    if IS_REFUSED.load(Ordering::Relaxed) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let mut sockets = BTreeMap::new();
    for family in [AddressFamily::INET, AddressFamily::INET6] {
        add(family, ports, &mut sockets).inspect_err(|error| {
            if error.kind() == io::ErrorKind::Unsupported {
                IS_REFUSED.store(true, Ordering::Relaxed);
            }
        })?;
    }
    Ok(sockets)
}

fn add(family: AddressFamily, ports: &BTreeSet<u16>, sockets: &mut BTreeMap<Inode, Listens>) -> io::Result<()> {
    let kernel = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, Some(netlink::SOCK_DIAG))?;
    send(&kernel, &request(family), SendFlags::empty())?;
    let mut room = vec![0; ROOM];
    loop {
        // Each part of the answer is there when it is asked for.
        let (_, length) = recv(&kernel, &mut room[..], RecvFlags::DONTWAIT | RecvFlags::TRUNC)?;
        let answer = room.get(..length).ok_or(io::ErrorKind::InvalidData)?;
        for message in messages(answer) {
            match message {
                Part::Socket(inode, listens) if ports.contains(&listens.at.port()) => {
                    sockets.insert(inode, listens);
                }
                Part::Socket(..) | Part::Other => {}
                Part::Refused => return Err(io::ErrorKind::Unsupported.into()),
                Part::End => return Ok(()),
            }
        }
    }
}

fn request(family: AddressFamily) -> Vec<u8> {
    let length = u32::try_from(HEAD + REQUEST).unwrap_or_default().to_ne_bytes();
    // The number of the request and of who asks are of no use here.
    let head = length.into_iter().chain(BY_FAMILY.to_ne_bytes()).chain(DUMP.to_ne_bytes()).chain([0; 8]);
    let what = [u8::try_from(family.as_raw()).unwrap_or_default(), TCP, 0, 0].into_iter().chain(LISTEN.to_ne_bytes());
    let mut request: Vec<u8> = head.chain(what).collect();
    request.resize(HEAD + REQUEST, 0);
    request
}

/// A part of an answer.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Socket(Inode, Listens),
    Other,
    Refused,
    End,
}

fn messages(mut answer: &[u8]) -> impl Iterator<Item = Part> {
    std::iter::from_fn(move || {
        let length = usize::try_from(u32::from_ne_bytes(bytes(answer, 0)?)).ok()?;
        let kind = u16::from_ne_bytes(bytes(answer, 4)?);
        let said = answer.get(HEAD..length)?;
        answer = answer.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(match kind {
            BY_FAMILY => socket(said).unwrap_or(Part::Other),
            ERROR => Part::Refused,
            DONE => Part::End,
            _ => Part::Other,
        })
    })
}

/// `struct inet_diag_msg` (include/uapi/linux/inet_diag.h).
fn socket(said: &[u8]) -> Option<Part> {
    let [family, ..] = *said else { return None };
    let address: IpAddr = match AddressFamily::from_raw(u16::from(family)) {
        AddressFamily::INET => Ipv4Addr::from(bytes::<4>(said, 8)?).into(),
        AddressFamily::INET6 => Ipv6Addr::from(bytes::<16>(said, 8)?).to_canonical(),
        _ => return None,
    };
    let port = u16::from_be_bytes(bytes(said, 4)?);
    let user = u32::from_ne_bytes(bytes(said, 64)?);
    let inode = u32::from_ne_bytes(bytes(said, 68)?);
    let mut listens = Listens::of(SocketAddr::new(address, port), user);
    if attributes(said.get(FIXED..).unwrap_or_default()).any(|(kind, value)| kind == V6_ONLY && value == [1]) {
        listens.reach = Reach::Own;
    }
    Some(Part::Socket(Inode(inode.into()), listens))
}

/// `struct nlattr`, one after the other (include/uapi/linux/netlink.h).
fn attributes(mut all: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16::from_ne_bytes(bytes(all, 0)?));
        let kind = u16::from_ne_bytes(bytes(all, 2)?);
        let value = all.get(4..length)?;
        all = all.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    })
}

fn bytes<const N: usize>(of: &[u8], at: usize) -> Option<[u8; N]> {
    of.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::TcpListener;
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::effect::proc::Proc;

    #[test]
    fn the_kernel_tells_of_the_same_listeners_as_its_tables_do() {
        let listeners = ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"].map(TcpListener::bind);
        let listeners: Vec<TcpListener> = listeners.into_iter().flatten().collect();
        let ports = listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        // A kernel without it is asked for its tables.
        let Ok(found) = listening(&ports) else { return };
        assert_eq!(found.len(), listeners.len());
        assert_eq!(found, Proc(Path::new("/proc")).listed(&ports).unwrap());
    }

    #[test]
    fn a_socket_on_all_addresses_of_ipv6_tells_whether_it_takes_ipv4_as_well() {
        use rustix::net::{bind, getsockname, listen, socket, sockopt};
        let on_all = std::net::SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, 0, 0, 0);
        for (v6_only, reach) in [(true, Reach::Own), (false, Reach::Both)] {
            // Some machines have no IPv6.
            let Ok(listener) = socket(AddressFamily::INET6, SocketType::STREAM, None) else { return };
            sockopt::set_ipv6_v6only(&listener, v6_only).unwrap();
            bind(&listener, &on_all).unwrap();
            listen(&listener, 1).unwrap();
            let at: std::net::SocketAddrV6 = getsockname(&listener).unwrap().try_into().unwrap();
            let Ok(found) = listening(&BTreeSet::from([at.port()])) else { return };
            let reaches: Vec<Reach> = found.values().map(|listens| listens.reach).collect();
            assert_eq!(reaches, [reach]);
        }
    }

    #[test]
    fn a_refusal_is_heard_and_what_is_no_socket_is_passed_over() {
        let message = |kind: u16, said: &[u8]| {
            let length = u32::try_from(HEAD + said.len()).unwrap();
            [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &[0; 10], said].concat()
        };
        let answer = [message(BY_FAMILY, &[2; 8]), message(7, &[]), message(ERROR, &[0; 4]), message(DONE, &[])];
        let parts: Vec<Part> = messages(&answer.concat()).collect();
        assert_eq!(parts, [Part::Other, Part::Other, Part::Refused, Part::End]);
    }

    proptest! {
        #[test]
        fn no_answer_can_crash_the_reader_or_keep_it_for_ever(answer in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(messages(&answer).count() <= answer.len());
        }
    }
}
