//! Interfaces that somebody lives on: taking one of them may cut the operator off.

use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mainstay_config::model::WifiMode;

use super::facts::Interface;
use super::netlink::Netlink;
use crate::error::{Error, Tenancy};

/// The table of connections of a busy machine is some hundred KiB.
const TABLE_BYTES: u64 = 4 * 1024 * 1024;
/// sshd.
const LOGIN_PORT: u16 = 22;
/// `TCP_ESTABLISHED` (include/net/tcp_states.h).
const ESTABLISHED: &str = "01";
/// `RTF_UP` and `RTF_REJECT` (include/uapi/linux/route.h, ipv6_route.h).
const RTF_UP: u32 = 0x1;
const RTF_REJECT: u32 = 0x200;

/// Refuses a radio with an interface that somebody lives on.
///
/// # Errors
/// `Refused`, and says which interface and why; what the kernel says when it cannot be asked.
pub(crate) async fn check(netlink: &Netlink, interfaces: &[&Interface]) -> Result<(), Error> {
    match lived_on(netlink, interfaces).await? {
        Some(tenancy) => Err(Error::LivedOn(tenancy)),
        None => Ok(()),
    }
}

/// Which interface somebody lives on, and how.
///
/// # Errors
/// What the kernel says when it cannot be asked.
pub(crate) async fn lived_on(netlink: &Netlink, interfaces: &[&Interface]) -> Result<Option<Tenancy>, Error> {
    let routed: Vec<String> =
        default_routes_v4(&table("route")).into_iter().chain(default_routes_v6(&table("ipv6_route"))).collect();
    let logins: Vec<IpAddr> = logins(&table("tcp")).into_iter().chain(logins(&table("tcp6"))).collect();
    for interface in interfaces {
        let name = &interface.name;
        if interface.mode == WifiMode::Ap {
            return Ok(Some(Tenancy::AccessPoint(name.clone())));
        }
        if routed.contains(name) {
            return Ok(Some(Tenancy::DefaultRoute(name.clone())));
        }
        if !logins.is_empty() {
            let addresses = netlink.addresses(interface.ifindex).await?;
            if let Some(address) = addresses.iter().find(|address| logins.contains(address)) {
                return Ok(Some(Tenancy::Login(name.clone(), *address)));
            }
        }
    }
    Ok(None)
}

/// A table of /proc/net; empty where the kernel has none (no IPv6).
fn table(name: &str) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(format!("/proc/net/{name}")) {
        // What could be read before an error is judged all the same.
        let _ = file.take(TABLE_BYTES).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Interfaces with a default route in /proc/net/route: `Iface Destination Gateway Flags RefCnt Use Metric Mask …`.
fn default_routes_v4(table: &str) -> Vec<String> {
    let default = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [interface, "00000000", _, flags, _, _, _, "00000000", ..] = fields.as_slice() else { return None };
        let up = u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & RTF_UP != 0 && flags & RTF_REJECT == 0);
        up.then(|| (*interface).to_owned())
    };
    table.lines().filter_map(default).collect()
}

/// Interfaces with a default route in /proc/net/ipv6_route:
/// destination, its prefix, source, its prefix, next hop, metric, references, use, flags, interface.
fn default_routes_v6(table: &str) -> Vec<String> {
    let default = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [destination, "00", _, _, _, _, _, _, flags, interface] = fields.as_slice() else { return None };
        let flags = u32::from_str_radix(flags, 16).ok()?;
        let real = flags & RTF_UP != 0 && flags & RTF_REJECT == 0 && *interface != "lo";
        (real && destination.bytes().all(|b| b == b'0')).then(|| (*interface).to_owned())
    };
    table.lines().filter_map(default).collect()
}

/// Own addresses that an established login goes to, from /proc/net/tcp or tcp6: `sl local remote state …`.
fn logins(table: &str) -> Vec<IpAddr> {
    let login = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let (address, port) = fields.next()?.split_once(':')?;
        let state = fields.nth(1)?;
        let is_login = u16::from_str_radix(port, 16).ok()? == LOGIN_PORT && state == ESTABLISHED;
        is_login.then(|| address_of(address)).flatten()
    };
    table.lines().filter_map(login).collect()
}

/// The kernel prints an address as 32-bit words in its own byte order.
fn address_of(hex: &str) -> Option<IpAddr> {
    let word = |range: std::ops::Range<usize>| u32::from_str_radix(hex.get(range)?, 16).ok().map(u32::to_ne_bytes);
    match hex.len() {
        8 => Some(IpAddr::V4(Ipv4Addr::from(word(0..8)?))),
        32 => {
            let mut bytes = [0u8; 16];
            for (place, start) in bytes.chunks_exact_mut(4).zip([0, 8, 16, 24]) {
                place.copy_from_slice(&word(start..start + 8)?);
            }
            // A login over IPv4 to a socket for both families.
            Some(IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
