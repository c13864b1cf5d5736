//! What a file is, however its path is spelled. All of this only reads, and blocks.

use crate::action::files::FileIdentity;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// Symbolic links that are followed to a file that is not there yet; the kernel follows as many (path_resolution(7)).
const MOST_LINKS: u32 = 40;

/// What each of these paths leads to.
#[must_use]
pub fn identities(paths: BTreeSet<PathBuf>) -> BTreeMap<PathBuf, FileIdentity> {
    let identity = |path: PathBuf| {
        let resolved = resolve(&path, MOST_LINKS);
        let node = fs::metadata(&resolved).ok().map(|found| (found.dev(), found.ino()));
        (path, FileIdentity { path: resolved, node })
    };
    paths.into_iter().map(identity).collect()
}

/// The path without links, doubled slashes and dots. What is not there, or may not be looked at, is taken as it is written.
fn resolve(path: &Path, links: u32) -> PathBuf {
    if let Ok(real) = fs::canonicalize(path) {
        return real;
    }
    let mut parts = path.components();
    let (last, parent) = (parts.next_back(), parts.as_path());
    match last {
        Some(Component::Normal(name)) => resolve_missing(&resolve(parent, links), name, links),
        Some(Component::ParentDir) => {
            let mut base = resolve(parent, links);
            base.pop();
            base
        }
        Some(Component::RootDir | Component::CurDir | Component::Prefix(_)) | None => path.to_owned(),
    }
}

/// A name in a folder that is resolved already. It may be a link to what is not there.
fn resolve_missing(folder: &Path, name: &OsStr, links: u32) -> PathBuf {
    let path = folder.join(name);
    match fs::read_link(&path) {
        Ok(target) if links > 0 => resolve(&folder.join(target), links - 1),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::symlink;

    use super::*;

    fn same(one: &Path, other: &Path) -> bool {
        let found = identities(BTreeSet::from([one.to_owned(), other.to_owned()]));
        found.get(one).unwrap().is_same(found.get(other).unwrap())
    }

    #[test]
    fn a_file_is_the_same_however_it_is_spelled_whether_it_is_there_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| PathBuf::from(format!("{}/{path}", dir.path().display()));
        fs::create_dir(at("x")).unwrap();
        symlink("x", at("link")).unwrap();
        symlink("link/db", at("to-db")).unwrap();
        let spellings = ["/x/db", "x/./db", "x/../x/db", "link/db", "to-db", "x/none/../db"].map(at);
        for there in [false, true] {
            if there {
                fs::write(at("x/db"), "").unwrap();
            }
            for spelled in &spellings {
                assert!(same(&at("x/db"), spelled), "{} ({there})", spelled.display());
            }
            assert!(!same(&at("x/db"), &at("x/other")) && !same(&at("x/db"), &at("db")));
        }
        fs::hard_link(at("x/db"), at("other-name")).unwrap();
        assert!(same(&at("x/db"), &at("other-name")));
    }

    #[test]
    fn links_in_a_circle_end() {
        let dir = tempfile::tempdir().unwrap();
        symlink("b", dir.path().join("a")).unwrap();
        symlink("a", dir.path().join("b")).unwrap();
        assert!(same(&dir.path().join("a"), &dir.path().join("a")));
    }
}
