//! The table `/proc/net/tcp` and the links of `/proc/PID/fd`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Most bytes of one table: 100,000 sockets at 150 bytes. The kernel lists listening sockets first.
const TABLE_LIMIT: u64 = 16 * 1024 * 1024;
/// The state `TCP_LISTEN` (include/net/tcp_states.h).
const LISTEN: &str = "0A";

/// The number that names a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Inode(pub(super) u64);

/// Where a socket listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listens {
    /// Its address and port.
    pub(super) at: SocketAddr,
    /// The user who made it.
    pub(super) user: u32,
    /// What it takes on all addresses.
    pub(super) reach: Reach,
}

/// Which addresses a socket on all addresses takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Those of its own family.
    Own,
    /// Of IPv6 and IPv4; or it is not known.
    Both,
}

impl Listens {
    /// As a table has it, where a socket on `::` may or may not take IPv4 as well.
    pub(super) fn of(at: SocketAddr, user: u32) -> Self {
        let reach = if at.is_ipv6() && at.ip().is_unspecified() { Reach::Both } else { Reach::Own };
        Self { at, user, reach }
    }

    /// Whether it is on all addresses of this family.
    pub(super) fn is_on_all(self, of: IpAddr) -> bool {
        self.at.ip().is_unspecified() && (self.reach == Reach::Both || self.at.is_ipv4() == of.is_ipv4())
    }
}

/// Adds the listening sockets of a table that are on one of the wanted ports.
pub(super) fn read(table: impl Read, wanted: &BTreeSet<u16>, sockets: &mut BTreeMap<Inode, Listens>) -> io::Result<()> {
    for line in BufReader::new(table.take(TABLE_LIMIT)).split(b'\n') {
        if let Some((inode, listens)) = std::str::from_utf8(&line?).ok().and_then(listening)
            && wanted.contains(&listens.at.port())
        {
            sockets.insert(inode, listens);
        }
    }
    Ok(())
}

/// The socket of a line, and where it listens, when it does:
/// `0: 0100007F:0B83 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 12345 1 …`.
fn listening(line: &str) -> Option<(Inode, Listens)> {
    let mut fields = line.split_ascii_whitespace();
    let (address, port) = fields.nth(1)?.rsplit_once(':')?;
    let state = fields.nth(1)?;
    let user = fields.nth(3)?.parse().ok()?;
    let inode = fields.nth(1)?;
    if state != LISTEN || port.starts_with('+') {
        return None;
    }
    let place = SocketAddr::new(address_of(address)?, u16::from_str_radix(port, 16).ok()?);
    Some((Inode(inode.parse().ok()?), Listens::of(place, user)))
}

/// An address as the kernel writes it: words of 32 bits in its own order of bytes, each in hexadecimal digits.
fn address_of(text: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(text.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes());
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (at, part) in bytes.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(at)?);
            }
            Some(IpAddr::from(Ipv6Addr::from(bytes)).to_canonical())
        }
        _ => None,
    }
}

/// `socket:[12345]` → 12345.
pub(super) fn socket_link(link: &str) -> Option<Inode> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok().map(Inode)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";

    fn line(port: u16, state: &str, inode: u64) -> String {
        format!(
            "   0: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  \
             1000        0 {inode} 1 0000000000000000 100 0 0 10 0"
        )
    }

    #[test]
    fn who_listens_on_all_addresses_of_one_family_takes_nothing_of_the_other_unless_it_takes_both() {
        let [v4, v6]: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let all_v4 = Listens::of((Ipv4Addr::UNSPECIFIED, 80).into(), 0);
        let both = Listens::of((Ipv6Addr::UNSPECIFIED, 80).into(), 0);
        let all_v6 = Listens { reach: Reach::Own, ..both };
        let one = Listens::of((Ipv4Addr::LOCALHOST, 80).into(), 0);
        let takes = [all_v4, all_v6, both, one].map(|listens| [v4, v6].map(|of| listens.is_on_all(of)));
        assert_eq!(takes, [[true, false], [false, true], [true, true], [false, false]]);
    }

    #[test]
    fn only_listening_sockets_count() {
        let place = (Ipv4Addr::LOCALHOST, 2947).into();
        assert_eq!(listening(&line(2947, "0A", 77)), Some((Inode(77), Listens::of(place, 1000))));
        assert_eq!(listening(&line(2947, "01", 77)), None);
        assert_eq!(listening(HEAD), None);
    }

    #[test]
    fn ipv6_lines_have_the_same_form() {
        let line = "0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A \
                    00000000:00000000 00:00000000 00000000 0 0 4711 1 0000000000000000 100 0 0 10 0";
        assert_eq!(listening(line), Some((Inode(4711), Listens::of((Ipv6Addr::LOCALHOST, 80).into(), 0))));
    }

    proptest! {
        #[test]
        fn no_table_can_crash_the_reader(
            table in prop::collection::vec(any::<u8>(), 0..300),
            line in "[0-9A-F: \n]{0,200}",
        ) {
            let mut sockets = BTreeMap::new();
            read(&table[..], &BTreeSet::from([80]), &mut sockets).unwrap();
            let _ = listening(&line);
            let _ = socket_link(&line);
        }

        #[test]
        fn every_wanted_listener_is_found(
            ports in prop::collection::btree_set(any::<u16>(), 0..20),
            wanted in any::<u16>(),
        ) {
            let lines = ports.iter().zip(1..).map(|(port, inode)| line(*port, "0A", inode));
            let table: Vec<_> = std::iter::once(HEAD.to_owned()).chain(lines).collect();
            let wanted = ports.iter().copied().take(5).chain([wanted]).collect();
            let mut sockets = BTreeMap::new();
            read(table.join("\n").as_bytes(), &wanted, &mut sockets).unwrap();
            let expected: BTreeSet<_> = ports.intersection(&wanted).copied().collect();
            prop_assert_eq!(sockets.into_values().map(|listens| listens.at.port()).collect::<BTreeSet<_>>(), expected);
        }
    }
}
