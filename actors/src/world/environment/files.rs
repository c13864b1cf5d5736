//! Files have more than one name: in the world, `/link` is a link to `/data`.

use std::path::{Path, PathBuf};

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

/// Whether what is wanted is this.
pub(in crate::world) fn is_wanted(want: &Want, resource: &Resource) -> bool {
    match want {
        Want::File(path) => is_one(&Resource::File(path.clone()), resource),
        want => want.to_string() == resource.to_string(),
    }
}

/// What the configuration means by a name: `file/PATH`, or `custom/NAME`.
pub(in crate::world) fn resource(name: &str) -> Resource {
    match name.strip_prefix("file/") {
        Some(path) => Resource::File(path.into()),
        None => Resource::Named(name.to_owned()),
    }
}
