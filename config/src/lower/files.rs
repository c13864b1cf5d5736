//! `files`: one file, one spelling.

use std::path::{Component, Path, PathBuf};

/// A path from the root without `.`, `..` and doubled slashes.
///
/// `..` after a link leads up from where the link leads to, so that link is followed. Other links stand as they are: what they lead to
/// may change while mainstay runs.
pub(super) fn normal(written: &Path) -> PathBuf {
    let mut normal = PathBuf::from("/");
    for component in written.components() {
        match component {
            Component::Normal(name) => normal.push(name),
            Component::ParentDir => {
                if normal.is_symlink()
                    && let Ok(followed) = normal.canonicalize()
                {
                    normal = followed;
                }
                normal.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_spelling_of_a_path_is_the_same_one() {
        for written in ["/a/b", "//a//b", "/a/./b/.", "/a/c/../b", "/../a/b", "/a/../../a/./b/"] {
            assert_eq!(normal(Path::new(written)), Path::new("/a/b"), "{written}");
        }
    }

    #[test]
    fn the_way_up_from_a_link_begins_where_it_leads_to() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::os::unix::fs::symlink("a/b", root.join("link")).unwrap();
        assert_eq!(normal(&root.join("link/../db")), root.join("a/db"));
        assert_eq!(normal(&root.join("link/db")), root.join("link/db"));
    }
}
