//! As much of generic netlink as it takes to tell `mac80211_hwsim` what to do (linux/genetlink.h, linux/netlink.h).

use anyhow::{Context as _, Result, bail};
use netlink_sys::protocols::NETLINK_GENERIC;
use netlink_sys::{Socket, SocketAddr};

const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// Length of `struct nlmsghdr` and of `struct genlmsghdr`.
const HEADER: usize = 16;
const GENERIC_HEADER: usize = 4;

/// A list of attributes in the making.
#[derive(Debug, Default)]
pub(crate) struct Attributes(Vec<u8>);

impl Attributes {
    /// Adds an attribute, padded to four bytes.
    pub(crate) fn with(mut self, kind: u16, value: &[u8]) -> Result<Self> {
        let length = u16::try_from(4 + value.len()).context("a netlink attribute is at most 64 KiB")?;
        self.0.extend_from_slice(&length.to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        Ok(self)
    }
}

/// A family of generic netlink and a socket to talk to it.
#[derive(Debug)]
pub(crate) struct Family {
    socket: Socket,
    id: u16,
}

impl Family {
    /// Looks a family up by its name.
    pub(crate) fn open(name: &str) -> Result<Self> {
        let mut socket = Socket::new(NETLINK_GENERIC)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        let mut terminated = name.as_bytes().to_vec();
        terminated.push(0);
        let attributes = Attributes::default().with(CTRL_ATTR_FAMILY_NAME, &terminated)?;
        send(&socket, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_REQUEST, &attributes)?;
        let (kind, body) = receive(&socket)?;
        if kind == NLMSG_ERROR {
            bail!("the kernel has no netlink family {name}: {}", acknowledged(&body)?);
        }
        let attributes = body.get(GENERIC_HEADER..).unwrap_or_default();
        let id = find(attributes, CTRL_ATTR_FAMILY_ID).and_then(|value| value.first_chunk().copied());
        Ok(Self { socket, id: u16::from_ne_bytes(id.with_context(|| format!("{name} has no family id"))?) })
    }

    /// Sends a command and waits for the answer's number: an error below zero, else whatever the command returns.
    pub(crate) fn command(&self, command: u8, attributes: &Attributes) -> Result<i32> {
        send(&self.socket, self.id, command, NLM_F_REQUEST | NLM_F_ACK, attributes)?;
        let (kind, body) = receive(&self.socket)?;
        if kind != NLMSG_ERROR {
            bail!("the kernel answered command {command} with message type {kind}");
        }
        acknowledged(&body)
    }
}

fn send(socket: &Socket, family: u16, command: u8, flags: u16, attributes: &Attributes) -> Result<()> {
    let length = u32::try_from(HEADER + GENERIC_HEADER + attributes.0.len())?;
    let mut message = length.to_ne_bytes().to_vec();
    message.extend_from_slice(&family.to_ne_bytes());
    message.extend_from_slice(&flags.to_ne_bytes());
    // Sequence number and port, both the kernel's to fill in or ignore; then version 1 and two unused bytes.
    message.extend_from_slice(&[0; 8]);
    message.extend_from_slice(&[command, 1, 0, 0]);
    message.extend_from_slice(&attributes.0);
    socket.send(&message, 0)?;
    Ok(())
}

/// Type and body of the next message.
fn receive(socket: &Socket) -> Result<(u16, Vec<u8>)> {
    let (datagram, _) = socket.recv_from_full()?;
    let kind = datagram
        .get(4..6)
        .and_then(|bytes| bytes.first_chunk().copied())
        .context("a netlink message without header")?;
    Ok((u16::from_ne_bytes(kind), datagram.get(HEADER..).unwrap_or_default().to_vec()))
}

/// The number in an acknowledgement.
fn acknowledged(body: &[u8]) -> Result<i32> {
    let number = i32::from_ne_bytes(body.first_chunk().copied().context("an acknowledgement without a number")?);
    if number < 0 {
        return Err(std::io::Error::from_raw_os_error(-number).into());
    }
    Ok(number)
}

/// The value of the first attribute of a kind.
fn find(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(*attributes.first_chunk()?));
        let kind = u16::from_ne_bytes(*attributes.get(2..)?.first_chunk()?);
        if kind == wanted {
            return attributes.get(4..length);
        }
        attributes = attributes.get(length.max(4).next_multiple_of(4)..)?;
    }
}
