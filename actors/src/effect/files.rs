//! What a file is, however its path is spelled. All of this only reads, and blocks.

use crate::action::files::FileIdentity;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use mainstay_config::paths::resolved;

/// What each of these paths leads to.
#[must_use]
pub fn identities(paths: BTreeSet<PathBuf>) -> BTreeMap<PathBuf, FileIdentity> {
    let identity = |path: PathBuf| {
        let resolved = resolved(&path);
        let node = fs::metadata(&resolved).ok().map(|found| (found.dev(), found.ino()));
        (path, FileIdentity { path: resolved, node })
    };
    paths.into_iter().map(identity).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::symlink;
    use std::path::Path;

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
}
