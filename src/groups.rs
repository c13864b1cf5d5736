//! The groups of the system, from `/etc/group` (group(5)). Groups that live only in a directory service are not seen:
//! the group `mainstay` is made by the package or by `groupadd --system`, both of which write this file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The members of this group may operate a daemon.
pub(crate) const OPERATORS: &str = "mainstay";

/// Bytes of the file that are read at most.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The names and numbers of all groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Groups {
    known: Vec<(String, u32)>,
}

impl Groups {
    /// Those of this system; none where the file cannot be read.
    pub(crate) fn of_system() -> Self {
        let mut text = Vec::new();
        let read = File::open(Path::new("/etc/group")).and_then(|file| file.take(LONGEST).read_to_end(&mut text));
        if read.is_err() {
            return Self::default();
        }
        Self::parse(&String::from_utf8_lossy(&text))
    }

    /// Reads `name:password:gid:members` lines; others are passed over.
    fn parse(text: &str) -> Self {
        let known = text.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| !name.is_empty())?;
            let gid = fields.nth(1)?.parse().ok()?;
            Some((name.to_owned(), gid))
        });
        Self { known: known.collect() }
    }

    /// The number of the group with this name.
    pub(crate) fn gid(&self, name: &str) -> Option<u32> {
        self.known.iter().find(|(known, _)| known == name).map(|(_, gid)| *gid)
    }

    /// The name of the group with this number.
    pub(crate) fn name(&self, gid: u32) -> Option<&str> {
        self.known.iter().find(|(_, known)| *known == gid).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_groups_are_passed_over() {
        let groups = Groups::parse("root:x:0:\n\n# a comment\nbad:x:many:\n::7:\nmainstay:x:998:pi,anna\n");
        assert_eq!(groups.gid(OPERATORS), Some(998));
        assert_eq!(groups.name(0), Some("root"));
        assert_eq!(groups.gid("bad"), None);
        assert_eq!(groups.name(7), None);
    }
}
