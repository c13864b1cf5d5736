//! What the kernel announces of radios and their interfaces.
//!
//! Announcements are hints: each leads to reading the radios anew. Only the departure of a radio is taken at its word.

use std::io;

use std::future::ready;

use futures::StreamExt;
use futures::stream::{BoxStream, once, select};
use netlink_packet_core::{NetlinkPayload, NlasIterator};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{AsyncSocket, SocketAddr, TokioSocket};
use nl80211::{Nl80211Attr, Nl80211Command, Nl80211Message, Nl80211MulticastGroup};

/// `RTNLGRP_LINK` as a bit (include/uapi/linux/rtnetlink.h).
const GROUP_LINK: u32 = 1;
/// `IFLA_IFNAME` (include/uapi/linux/if_link.h).
const IFLA_IFNAME: u16 = 3;
/// `struct nlmsghdr`, before `struct ifinfomsg`.
const NETLINK_HEADER: usize = 16;
/// Of `ifi_index` within `struct ifinfomsg`.
const INDEX_OFFSET: usize = 4;
/// `struct ifinfomsg`, before the attributes.
const LINK_HEADER: usize = 16;

/// What nl80211 announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announcement {
    /// A radio or an interface came, changed or left.
    Changed,
    /// This radio left.
    Left(u32),
    /// The kernel dropped announcements: the socket was full.
    Lost,
}

/// Subscribes to nl80211's configuration events. Must be called within a tokio runtime, which also has to run for
/// anything to arrive.
///
/// # Errors
/// `NotFound` when the kernel has no nl80211 (yet).
pub(crate) fn subscribe() -> io::Result<BoxStream<'static, Announcement>> {
    let (connection, _, messages) = nl80211::new_multicast_connection(&[Nl80211MulticastGroup::Config])?;
    let announcements = messages.map(|(message, _)| match message.payload {
        NetlinkPayload::Overrun(_) => Announcement::Lost,
        NetlinkPayload::InnerMessage(raw) if raw.header.cmd == u8::from(Nl80211Command::DelWiphy) => {
            let message = raw.parse_into_genlmsg::<Nl80211Message>().ok();
            message.and_then(|m| wiphy(&m.payload.attributes)).map_or(Announcement::Changed, Announcement::Left)
        }
        _ => Announcement::Changed,
    });
    // What reads the socket is polled with the stream it belongs to: it ends, and panics, with whoever listens.
    let reading = once(connection).filter_map(|()| ready(None));
    Ok(select(announcements, reading).boxed())
}

fn wiphy(attributes: &[Nl80211Attr]) -> Option<u32> {
    attributes.iter().find_map(|attribute| match attribute {
        Nl80211Attr::Wiphy(wiphy) => Some(*wiphy),
        _ => None,
    })
}

/// A socket that hears of every network interface that comes, changes (also its name, also up and down) or leaves.
/// Must be called within a tokio runtime.
///
/// # Errors
/// When the kernel refuses it.
pub(crate) fn link_socket() -> io::Result<TokioSocket> {
    let mut socket = TokioSocket::new(NETLINK_ROUTE)?;
    socket.socket_mut().bind(&SocketAddr::new(0, GROUP_LINK))?;
    Ok(socket)
}

/// Index and name of the interface that a message of [`link_socket`] is about.
pub(crate) fn link_of(message: &[u8]) -> Option<(u32, Option<String>)> {
    let body = message.get(NETLINK_HEADER..)?;
    let index = body.get(INDEX_OFFSET..INDEX_OFFSET + 4)?.try_into().ok().map(u32::from_ne_bytes)?;
    let attributes = NlasIterator::new(body.get(LINK_HEADER..)?);
    let name = attributes.map_while(Result::ok).find(|attribute| attribute.kind() == IFLA_IFNAME);
    let text = name.map(|attribute| String::from_utf8_lossy(attribute.value()).trim_end_matches('\0').to_owned());
    Some((index, text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_link_message_names_its_interface() {
        let mut message = vec![0u8; NETLINK_HEADER + LINK_HEADER];
        message[20..24].copy_from_slice(&7u32.to_ne_bytes());
        message.extend(10u16.to_ne_bytes());
        message.extend(IFLA_IFNAME.to_ne_bytes());
        message.extend(b"wlan2\0\0\0");
        assert_eq!(link_of(&message), Some((7, Some("wlan2".to_owned()))));
        assert_eq!(link_of(&message[..32]), Some((7, None)));
        assert_eq!(link_of(&message[..22]), None);
    }

    proptest! {
        #[test]
        fn no_link_message_is_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = link_of(&bytes);
        }
    }
}
