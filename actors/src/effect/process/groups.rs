//! The groups of the system, from `/etc/group` (group(5)), and how such tables are read. Groups that live only in a directory service are
//! not seen: the group `mainstay` is made by the package or by `groupadd --system`, both of which write this file.
//!
//! Not with getgrnam(3): it loads name-service modules, which may talk to the network while mainstay waits.

use std::fs::File;
use std::io::{self, Read};

use crate::action::process::AccountKind;

/// The members of this group may operate a daemon.
const OPERATORS: &str = "mainstay";

/// No more of a table is read. A station has a few hundred bytes per user and few users.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// The number of the group whose members may operate a daemon, where there is one.
#[must_use]
pub fn operators() -> Option<u32> {
    Groups::of_system().ok()?.gid(OPERATORS)
}

/// All groups, as the file has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups(String);

impl Groups {
    /// Those of this system.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_system() -> io::Result<Self> {
        read(AccountKind::Group).map(Self)
    }

    /// The number of the group with this name.
    #[must_use]
    pub fn gid(&self, name: &str) -> Option<u32> {
        self.all().find(|(known, ..)| *known == name).map(|(_, gid, _)| gid)
    }

    /// The name of the group with this number.
    #[must_use]
    pub fn name(&self, gid: u32) -> Option<&str> {
        self.all().find(|(_, known, _)| *known == gid).map(|(name, ..)| name)
    }

    /// The numbers of all groups that list this user.
    pub(super) fn listing(&self, user: &str) -> impl Iterator<Item = u32> {
        let lists = move |members: &str| members.split(',').any(|member| member == user);
        self.all().filter(move |(.., members)| lists(members)).map(|(_, gid, _)| gid)
    }

    /// `name:password:gid:member,member`; other lines are passed over.
    fn all(&self) -> impl Iterator<Item = (&str, u32, &str)> {
        self.0.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| !name.is_empty())?;
            Some((name, id(fields.nth(1)?)?, fields.next().unwrap_or_default()))
        })
    }
}

/// The table of users or of groups.
pub(super) fn read(kind: AccountKind) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(kind.file())?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The number of a user or a group. `-1` means "leave as it is" to the kernel and is never one.
pub(super) fn id(text: &str) -> Option<u32> {
    text.parse().ok().filter(|id| *id != u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_that_are_no_groups_are_passed_over() {
        let text = "root:x:0:\n\n# a comment\nbad:x:many:\n::7:\nnobody:x:4294967295:\nmainstay:x:998:pi,anna\n";
        let groups = Groups(text.to_owned());
        assert_eq!((groups.gid(OPERATORS), groups.name(0)), (Some(998), Some("root")));
        assert_eq!((groups.gid("bad"), groups.name(7), groups.gid("nobody")), (None, None, None));
    }

    #[test]
    fn a_user_is_in_all_groups_that_list_it() {
        let text = "root:x:0:\ndialout:x:20:pi,gpsd\npi:x:1001:\nplugdev:x:46:other,pi\nodd:x:47:pixie\n";
        assert_eq!(Groups(text.to_owned()).listing("pi").collect::<Vec<_>>(), [20, 46]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".*", name in ".*", gid in any::<u32>()) {
            let groups = Groups(text);
            let _ = (groups.gid(&name), groups.name(gid), groups.listing(&name).count());
        }
    }
}
