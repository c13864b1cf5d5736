//! The folder for what services print: whoever may operate mainstay may read it.
//!
//! The folder belongs to the group `mainstay` and hands its group on to what is made in it (the set-group-ID bit, inode(7)), so that the
//! log-keeper need not know of groups.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use crate::cli::Trusted;
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::trust::{Distrust, Trust};

/// For its owner, and its group to read.
const MODE: u32 = 0o2750;
/// Of what is on the way to it, where mainstay makes that.
const MODE_ON_THE_WAY: u32 = 0o755;

/// Makes the folder, and gives it and what is in it to the group. What cannot be done is told in the log: services are run all the same.
///
/// # Errors
/// When others than root could change what root writes there, or lead it elsewhere, and nobody has vouched for them.
pub(super) fn prepare(folder: &Path, group: Option<u32>, trusted: Trusted) -> Result<(), Told> {
    // Before it is made, so that nothing is put there; and afterwards, since others may have been quicker.
    check(folder, trusted)?;
    if let Err(error) = make(folder) {
        // Whether it can be written is found out, and told, when services are about to be run.
        tracing::debug!(%error, "the log folder could not be made");
        return Ok(());
    }
    check(folder, trusted)?;
    if let Some(group) = group {
        share(folder, group);
    }
    Ok(())
}

/// Root writes only where nobody else could put a link to another file.
fn check(folder: &Path, trusted: Trusted) -> Result<(), Told> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    match (Trust::of(0).check_folder(folder), trusted) {
        (Ok(()), _) => Ok(()),
        // Whether that keeps services from being run is found out, and told, later.
        (Err(Distrust::NotADirectory { .. }), _) => Ok(()),
        (Err(why), _) if why.is_missing() => Ok(()),
        (Err(why), Trusted::Anybodys) => {
            tracing::warn!(%why, "others than root could change what mainstay writes into {}", folder.display());
            Ok(())
        }
        (Err(why), Trusted::Roots) => {
            let state = folder.parent().unwrap_or(folder).display();
            let words = format!("the state directory {state} cannot be trusted: {why}");
            Err(Told::new(ExitStatus::Refused, words).help(format!(
                "{}, or name another directory as [runtime] state_dir;\n\
                 or, where whoever can change it may be root, say so beside the configuration that names it: \
                 `mainstay run --config FILE --trust-config`",
                why.cure("state directory")
            )))
        }
    }
}

fn share(folder: &Path, group: u32) {
    match give(folder, group) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !rustix::process::geteuid().is_root() => {
            tracing::debug!("only a member of the group `mainstay` can let it read the logs");
        }
        Err(error) => tracing::warn!(%error, "the group `mainstay` may not be able to read {}", folder.display()),
    }
}

fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let missing: Vec<&Path> = folder.ancestors().take_while(|path| !path.exists()).collect();
    for path in missing.into_iter().rev() {
        DirBuilder::new().mode(MODE_ON_THE_WAY).create(path)?;
        if rustix::process::geteuid().is_root() {
            // Whatever the umask: the group must get through.
            fs::set_permissions(path, Permissions::from_mode(MODE_ON_THE_WAY))?;
        }
    }
    Ok(())
}

fn give(folder: &Path, group: u32) -> io::Result<()> {
    let opened = File::open(folder)?;
    fchown(&opened, None, Some(group))?;
    opened.set_permissions(Permissions::from_mode(MODE))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // What an earlier mainstay has left. Of several names of one file, the others may be anywhere.
        let is_log = |found: &fs::Metadata| found.is_file() && found.nlink() == 1 && found.gid() != group;
        if entry.metadata().is_ok_and(|found| is_log(&found)) {
            let file =
                OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(entry.path())?;
            if file.metadata().is_ok_and(|found| is_log(&found)) {
                fchown(&file, None, Some(group))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_group_gets_what_is_there_and_what_comes() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let state = tempfile::tempdir().unwrap();
        let logs = state.path().join("state/logs");
        prepare(&logs, None, Trusted::Roots).unwrap();
        assert_eq!(fs::metadata(&logs).unwrap().mode() & 0o7777, 0o755);
        assert_eq!(fs::metadata(state.path().join("state")).unwrap().mode() & 0o7777, 0o755);
        fs::write(logs.join("old.log.1"), "").unwrap();
        fs::write(state.path().join("precious"), "").unwrap();
        std::os::unix::fs::symlink(state.path().join("precious"), logs.join("link.log")).unwrap();
        fs::hard_link(state.path().join("precious"), logs.join("hard.log")).unwrap();
        prepare(&logs, Some(4711), Trusted::Roots).unwrap();
        fs::write(logs.join("new.log"), "").unwrap();
        let group = |path: &str| fs::metadata(logs.join(path)).unwrap().gid();
        assert_eq!([group("."), group("old.log.1"), group("new.log"), group("../../precious")], [4711, 4711, 4711, 0]);
        assert_eq!(fs::metadata(&logs).unwrap().mode() & 0o7777, 0o2750);
        assert_eq!(fs::metadata(state.path().join("state")).unwrap().mode() & 0o777, 0o755);
    }
}
