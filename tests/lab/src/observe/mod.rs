//! What is true in `/proc`, `/sys` and `iw`, whatever mainstay says.

pub(crate) mod cgroup;
pub(crate) mod process;
pub(crate) mod uevent;
pub(crate) mod usb;
pub(crate) mod wireless;
