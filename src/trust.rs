//! Whether somebody else could change what stands at a path.
//!
//! Whoever can write a folder on the way can put something else there, so every folder is looked at, from the root on, links
//! followed as the kernel follows them (path_resolution(7)). What has been looked at, nobody untrusted can change afterwards: there is no
//! race with them.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

/// Links that are followed at most, as many as the kernel does (path_resolution(7)).
pub(crate) const MOST_LINKS: usize = 40;
/// In such a folder only the owner of a thing, and that of the folder, may move it away or remove it (inode(7)).
const STICKY: u32 = 0o1000;
/// Write permission of the group and of everybody.
const OTHERS_WRITE: u32 = 0o022;
/// Of everybody.
const ALL_WRITE: u32 = 0o002;
/// `/dev/null`: it holds nothing, whoever writes into it.
const NULL: (u32, u32) = (1, 3);

/// Why something cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Distrust {
    /// It belongs to somebody else.
    #[error("{path} belongs to user {uid}", path = path.display())]
    BelongsTo {
        /// What.
        path: PathBuf,
        /// To whom.
        uid: u32,
    },
    /// Others may write it.
    #[error("{path} may be written by others than its owner (mode {mode:04o})", path = path.display())]
    Writable {
        /// What.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is no folder.
    #[error("{path} is not a directory", path = path.display())]
    NotADirectory {
        /// What.
        path: PathBuf,
    },
    /// Links lead in a circle.
    #[error("{path} leads through too many links", path = path.display())]
    TooManyLinks {
        /// What.
        path: PathBuf,
    },
    /// It cannot be looked at.
    #[error("{path} cannot be looked at: {source}", path = path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

impl Distrust {
    /// Whether there is simply nothing.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// What helps, where it is a directory of mainstay's own that is not trusted.
    pub(crate) fn cure(&self, which: &str) -> String {
        match self {
            Self::Writable { path, .. } => format!("take the right away with `chmod go-w {}`", path.display()),
            _ => {
                format!("the {which} must belong to the user that runs mainstay, and all above it to root or that user")
            }
        }
    }
}

/// Whom something is trusted from: root, and this user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trust {
    uid: u32,
}

impl Trust {
    /// From the point of view of this user.
    pub(crate) fn of(uid: u32) -> Self {
        Self { uid }
    }

    /// Whether only they could change the file at `path`, or put another one there.
    ///
    /// # Errors
    /// Who else could; or that it cannot be told.
    pub(crate) fn check_file(self, path: &Path) -> Result<(), Distrust> {
        let (at, found) = self.walk(path)?;
        let rdev = found.rdev();
        let is_null = found.file_type().is_char_device() && (rustix::fs::major(rdev), rustix::fs::minor(rdev)) == NULL;
        if is_null { Ok(()) } else { self.check(&at, &found, OTHERS_WRITE) }
    }

    /// Whether only they could put something into the folder at `path`, or another folder in its place.
    ///
    /// # Errors
    /// Who else could; or that it is not there or no folder.
    pub(crate) fn check_folder(self, path: &Path) -> Result<(), Distrust> {
        let (at, found) = self.walk(path)?;
        if !found.is_dir() {
            return Err(Distrust::NotADirectory { path: at });
        }
        self.check(&at, &found, OTHERS_WRITE)
    }

    /// Whether a folder is this user's own and nobody's else. Where it lies is not looked at: that is for those whom everybody trusts.
    ///
    /// # Errors
    /// Whose it is, or who may write it.
    pub(crate) fn check_own(self, dir: &Path) -> Result<(), Distrust> {
        let found = self.own(dir, std::fs::metadata(dir))?;
        // A group of one's own is usual for users (umask 0002), and none of root's.
        self.check(dir, &found, if self.uid == 0 { OTHERS_WRITE } else { ALL_WRITE })
    }

    /// Whether a folder in a place that anybody can write is really this user's own. A link to one is not.
    ///
    /// # Errors
    /// Whose it is; or that it is not there or no folder.
    pub(crate) fn check_private(self, dir: &Path) -> Result<(), Distrust> {
        self.own(dir, std::fs::symlink_metadata(dir)).map(drop)
    }

    fn own(self, dir: &Path, found: io::Result<Metadata>) -> Result<Metadata, Distrust> {
        let path = dir.to_owned();
        match found {
            Err(source) => Err(Distrust::Io { path, source }),
            Ok(found) if !found.is_dir() => Err(Distrust::NotADirectory { path }),
            Ok(found) if found.uid() != self.uid => Err(Distrust::BelongsTo { path, uid: found.uid() }),
            Ok(found) => Ok(found),
        }
    }

    fn trusts(self, uid: u32) -> bool {
        uid == 0 || uid == self.uid
    }

    fn check(self, path: &Path, found: &Metadata, writable: u32) -> Result<(), Distrust> {
        if !self.trusts(found.uid()) {
            return Err(Distrust::BelongsTo { path: path.to_owned(), uid: found.uid() });
        }
        let mode = found.mode() & 0o7777;
        if mode & writable == 0 { Ok(()) } else { Err(Distrust::Writable { path: path.to_owned(), mode }) }
    }

    /// Follows a path to what it leads to, looking at every folder on the way. What stands at the end is not judged.
    fn walk(self, path: &Path) -> Result<(PathBuf, Metadata), Distrust> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| Distrust::Io { path, source }
        };
        let absolute = std::path::absolute(path).map_err(io(path))?;
        let mut at = PathBuf::from("/");
        let mut found = std::fs::symlink_metadata(&at).map_err(io(&at))?;
        let mut rest = parts(&absolute);
        let mut links = 0;
        while let Some(part) = rest.pop_front() {
            let folder = self.check_on_the_way(&at, &found)?;
            let entry = match part {
                Part::Up => at.parent().unwrap_or(&at).to_owned(),
                Part::Down(name) => at.join(name),
            };
            found = std::fs::symlink_metadata(&entry).map_err(io(&entry))?;
            if folder == Folder::Sticky && !self.trusts(found.uid()) {
                return Err(Distrust::BelongsTo { path: entry, uid: found.uid() });
            }
            if !found.is_symlink() {
                at = entry;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(Distrust::TooManyLinks { path: path.to_owned() });
            }
            let target = std::fs::read_link(&entry).map_err(io(&entry))?;
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            found = std::fs::symlink_metadata(&at).map_err(io(&at))?;
            let mut before = parts(&target);
            before.append(&mut rest);
            rest = before;
        }
        Ok((at, found))
    }

    /// A folder that somebody else may write is still good where nobody may touch what is not his own.
    fn check_on_the_way(self, path: &Path, found: &Metadata) -> Result<Folder, Distrust> {
        if !found.is_dir() {
            return Err(Distrust::NotADirectory { path: path.to_owned() });
        }
        match self.check(path, found, OTHERS_WRITE) {
            Ok(()) => Ok(Folder::Closed),
            Err(Distrust::Writable { .. }) if found.mode() & STICKY != 0 => Ok(Folder::Sticky),
            Err(why) => Err(why),
        }
    }
}

/// What others may do in a folder on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Folder {
    /// Nothing.
    Closed,
    /// Put things of their own there.
    Sticky,
}

enum Part {
    Up,
    Down(OsString),
}

fn parts(path: &Path) -> VecDeque<Part> {
    let part = |component| match component {
        Component::Normal(name) => Some(Part::Down(name.to_owned())),
        Component::ParentDir => Some(Part::Up),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn me() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn put(path: &Path, mode: u32) {
        fs::write(path, "").unwrap();
        set_mode(path, mode);
    }

    #[test]
    fn a_file_is_trusted_when_nobody_else_may_write_it_or_a_folder_above_it() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, file) = (dir.path().join("a"), dir.path().join("a/file"));
        fs::create_dir(&folder).unwrap();
        put(&file, 0o644);
        let trust = Trust::of(me());
        trust.check_file(&file).unwrap();
        trust.check_file(&dir.path().join("a/../a/./file")).unwrap();
        put(&file, 0o664);
        assert!(matches!(trust.check_file(&file), Err(Distrust::Writable { path, .. }) if path.ends_with("a/file")));
        put(&file, 0o600);
        set_mode(&folder, 0o777);
        assert!(matches!(trust.check_file(&file), Err(Distrust::Writable { path, mode: 0o777 }) if path == folder));
        set_mode(&folder, 0o1777);
        trust.check_file(&file).unwrap();
        set_mode(&folder, 0o755);
        set_mode(dir.path(), 0o775);
        assert!(matches!(trust.check_file(&file), Err(Distrust::Writable { path, .. }) if path == dir.path()));
    }

    #[test]
    fn a_file_of_somebody_else_is_not_trusted_nor_one_that_a_link_of_theirs_leads_to() {
        let dir = tempfile::tempdir().unwrap();
        let (shared, file, link) = (dir.path().join("s"), dir.path().join("file"), dir.path().join("s/link"));
        fs::create_dir(&shared).unwrap();
        put(&file, 0o644);
        symlink("../file", &link).unwrap();
        Trust::of(me()).check_file(&link).unwrap();
        if me() != 0 {
            return;
        }
        set_mode(&shared, 0o1777);
        Trust::of(0).check_file(&link).unwrap();
        std::os::unix::fs::lchown(&link, Some(4711), Some(4711)).unwrap();
        assert!(matches!(Trust::of(0).check_file(&link), Err(Distrust::BelongsTo { uid: 4711, .. })));
        // Where only root may write, the link is nobody's but root's to change.
        set_mode(&shared, 0o755);
        Trust::of(0).check_file(&link).unwrap();
        std::os::unix::fs::chown(&file, Some(4711), None).unwrap();
        assert!(matches!(Trust::of(0).check_file(&file), Err(Distrust::BelongsTo { uid: 4711, .. })));
        std::os::unix::fs::chown(&shared, Some(4711), None).unwrap();
        assert!(matches!(Trust::of(0).check_file(&link), Err(Distrust::BelongsTo { path, .. }) if path == shared));
    }

    #[test]
    fn a_circle_of_links_ends_and_a_missing_file_is_told_as_missing() {
        let dir = tempfile::tempdir().unwrap();
        symlink("b", dir.path().join("a")).unwrap();
        symlink("a", dir.path().join("b")).unwrap();
        let trust = Trust::of(me());
        assert!(matches!(trust.check_file(&dir.path().join("a")), Err(Distrust::TooManyLinks { .. })));
        assert!(trust.check_file(&dir.path().join("none")).is_err_and(|why| why.is_missing()));
    }

    #[test]
    fn nothing_can_be_put_into_the_null_device() {
        Trust::of(me()).check_file(Path::new("/dev/null")).unwrap();
    }

    #[test]
    fn a_folder_in_which_others_may_put_things_is_on_the_way_to_nothing_of_ones_own() {
        let dir = tempfile::tempdir().unwrap();
        set_mode(dir.path(), 0o1777);
        let trust = Trust::of(me());
        assert!(matches!(trust.check_folder(dir.path()), Err(Distrust::Writable { .. })));
        assert!(matches!(trust.check_own(dir.path()), Err(Distrust::Writable { .. })));
        set_mode(dir.path(), 0o700);
        trust.check_folder(dir.path()).unwrap();
        trust.check_own(dir.path()).unwrap();
        assert!(matches!(Trust::of(me() + 1).check_own(dir.path()), Err(Distrust::BelongsTo { .. })));
    }

    #[test]
    fn a_link_in_the_place_of_a_private_directory_is_not_trusted() {
        let dir = tempfile::tempdir().unwrap();
        Trust::of(me()).check_private(dir.path()).unwrap();
        let others = Trust::of(me() + 1).check_private(dir.path());
        assert!(matches!(others, Err(Distrust::BelongsTo { uid, .. }) if uid == me()));
        let link = dir.path().join("link");
        symlink(dir.path(), &link).unwrap();
        assert!(matches!(Trust::of(me()).check_private(&link), Err(Distrust::NotADirectory { .. })));
    }
}
