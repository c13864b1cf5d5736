//! The kernel's own announcements of USB devices that come and go (lib/kobject_uevent.c in its sources).

use std::time::Instant;

use anyhow::{Context as _, Result};
use netlink_sys::protocols::NETLINK_KOBJECT_UEVENT;
use netlink_sys::{Socket, SocketAddr};

use crate::wait;

/// The group the kernel speaks to; udev speaks to another.
const KERNEL: u32 = 1;

/// What is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It has been enumerated.
    Add,
    /// It has been taken away.
    Remove,
}

/// A socket that hears what is announced from now on.
pub(crate) struct Announcements(Socket);

impl Announcements {
    /// Begins to listen.
    pub(crate) fn listen() -> Result<Self> {
        let mut socket = Socket::new(NETLINK_KOBJECT_UEVENT)?;
        socket.bind(&SocketAddr::new(0, KERNEL)).context("uevents cannot be heard")?;
        Ok(Self(socket))
    }

    /// Waits until a USB device (not one of its interfaces) comes or goes, and returns when it was heard.
    pub(crate) fn until_usb_device(&self, action: Action) -> Result<Instant> {
        loop {
            let heard = wait::until_readable(&self.0).with_context(|| format!("the kernel announced no {action:?}"))?;
            let (message, _) = self.0.recv_from_full()?;
            if announces(&message, action) {
                return Ok(heard);
            }
        }
    }
}

/// Whether a message is of this action and about a USB device as a whole.
fn announces(message: &[u8], action: Action) -> bool {
    let wanted: &[u8] = match action {
        Action::Add => b"ACTION=add",
        Action::Remove => b"ACTION=remove",
    };
    let has = |field: &[u8]| message.split(|byte| *byte == 0).any(|part| part == field);
    has(wanted) && has(b"DEVTYPE=usb_device")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_no_usb_device() {
        let message = |kind: &str| format!("add@/devices/x\0ACTION=add\0SUBSYSTEM=usb\0DEVTYPE={kind}\0").into_bytes();
        assert!(announces(&message("usb_device"), Action::Add));
        assert!(!announces(&message("usb_device"), Action::Remove));
        assert!(!announces(&message("usb_interface"), Action::Add));
    }
}
