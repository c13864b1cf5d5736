//! Files have more than one name: in the world, `/link` is a link to `/data`.

use std::path::{Path, PathBuf};

use mainstay_config::model::{PortNeed, Sharing};

use crate::cause::Resource;
use crate::message::lease::Want;

/// What a path leads to.
pub(super) fn real_path(path: &Path) -> PathBuf {
    path.strip_prefix("/link").map_or_else(|_| path.to_owned(), |rest| Path::new("/data").join(rest))
}

/// Whether two resources are one, however they are called.
pub(in crate::world) fn is_one(a: &Resource, b: &Resource) -> bool {
    match (a, b) {
        (Resource::File(a), Resource::File(b)) => real_path(a) == real_path(b),
        (a, b) => a == b,
    }
}

/// With which sharing something is wanted by this, if it is: of a range, every port.
pub(in crate::world) fn wanted(want: &Want, resource: &Resource) -> Option<Sharing> {
    let (is_it, sharing) = match (want, resource) {
        (Want::Device { device, sharing, .. }, Resource::Device(other)) => (device == other, *sharing),
        (Want::Port { need: PortNeed::Fixed(port), .. }, Resource::Port(other)) => {
            (port.get() == *other, Sharing::Exclusive)
        }
        (Want::Port { need: PortNeed::Range { prefer, first, last }, .. }, Resource::Port(other)) => {
            (prefer.get() == *other || (first.get()..=last.get()).contains(other), Sharing::Exclusive)
        }
        (Want::Other(wanted), resource) => (is_one(wanted, resource), Sharing::Exclusive),
        (Want::Device { .. } | Want::Port { .. }, _) => return None,
    };
    is_it.then_some(sharing)
}

/// What the configuration means by a name: `file/PATH`, or `custom/NAME`.
pub(in crate::world) fn resource(name: &str) -> Resource {
    match name.strip_prefix("file/") {
        Some(path) => Resource::File(path.into()),
        None => Resource::Named(name.to_owned()),
    }
}
