//! One file, one spelling; and what a file is, however it is spelled.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// Links that are followed in one path; the kernel follows as many (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// A path from the root without `.`, `..` and doubled slashes.
///
/// `..` after a link leads up from where the link leads to, so that link is followed. Other links stand as they are: what they lead to
/// may change while mainstay runs.
#[must_use]
pub fn normal(written: &Path) -> PathBuf {
    walk(written, |part| part == "..")
}

/// The same with all links followed, now. It blocks. What is not there, or may not be looked at, is taken as it is written.
fn resolved(written: &Path) -> PathBuf {
    walk(written, |_| true)
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileIdentity {
    /// Its one path, with all links resolved as far as it exists.
    pub path: PathBuf,
    /// Device and inode of it, or of the last folder on the way to it that exists: two hard links are one file, and so are two
    /// paths of which one leads through a bind mount.
    pub node: Option<(u64, u64)>,
    /// What does not exist of it yet: the way from that folder.
    pub rest: PathBuf,
}

impl FileIdentity {
    /// What it leads to now. It blocks.
    #[must_use]
    pub fn of(written: &Path) -> Self {
        let path = resolved(written);
        let node = |at: &Path| std::fs::metadata(at).ok().map(|found| (found.dev(), found.ino()));
        let known = path.ancestors().find_map(|at| Some((node(at)?, path.strip_prefix(at).ok()?)));
        let (node, rest) = known.map(|(node, rest)| (node, rest.to_owned())).unzip();
        Self { node, rest: rest.unwrap_or_default(), path }
    }

    /// Whether there is such a file.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.node.is_some() && self.rest.as_os_str().is_empty()
    }

    /// Whether both are one file.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.path == other.path || (self.node.is_some() && self.node == other.node && self.rest == other.rest)
    }
}

fn walk(written: &Path, follows_link: fn(&OsStr) -> bool) -> PathBuf {
    let mut at = PathBuf::from("/");
    // The next one last.
    let mut rest: Vec<OsString> = parts(written).collect();
    let mut followed = 0;
    while let Some(part) = rest.pop() {
        let is_up = part == "..";
        if !is_up {
            at.push(&part);
        }
        match at.read_link() {
            Ok(target) if followed < MOST_LINKS && follows_link(&part) => {
                followed += 1;
                at.pop();
                rest.extend(is_up.then_some(part));
                rest.extend(parts(&target));
            }
            _ if is_up => drop(at.pop()),
            _ => {}
        }
    }
    at
}

/// From the last to the first, which may be the root.
fn parts(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().rev().filter(|part| *part != Component::CurDir).map(|part| part.as_os_str().to_owned())
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
        assert_eq!(resolved(&root.join("link/db")), root.join("a/b/db"));
    }

    #[test]
    fn links_in_a_circle_end_however_often_each_leads_through_itself() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::os::unix::fs::symlink("db/../db/../db", root.join("db")).unwrap();
        assert!(resolved(&root.join("db/x")).starts_with(&root));
        assert!(normal(&root.join("db/../x")).starts_with(&root));
    }

    #[test]
    fn a_file_is_the_same_however_it_is_spelled_whether_it_is_there_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| PathBuf::from(format!("{}/{path}", dir.path().display()));
        let same = |one: &Path, other: &Path| FileIdentity::of(one).is_same(&FileIdentity::of(other));
        std::fs::create_dir(at("x")).unwrap();
        std::os::unix::fs::symlink("x", at("link")).unwrap();
        std::os::unix::fs::symlink("link/db", at("to-db")).unwrap();
        let spellings = ["/x/db", "x/./db", "x/../x/db", "link/db", "to-db", "x/none/../db"].map(at);
        for there in [false, true] {
            if there {
                std::fs::write(at("x/db"), "").unwrap();
            }
            for spelled in &spellings {
                assert!(same(&at("x/db"), spelled), "{} ({there})", spelled.display());
            }
            assert!(!same(&at("x/db"), &at("x/other")) && !same(&at("x/db"), &at("db")));
        }
        let through_a_mount = |there: &str| FileIdentity { path: "/mnt".into(), ..FileIdentity::of(&at(there)) };
        for there in ["x/db", "x/none/db"] {
            assert!(FileIdentity::of(&at(there)).is_same(&through_a_mount(there)));
        }
        assert!(!FileIdentity::of(&at("x/none/db")).is_same(&through_a_mount("x/none/other")));
        std::fs::hard_link(at("x/db"), at("other-name")).unwrap();
        assert!(same(&at("x/db"), &at("other-name")));
    }
}
