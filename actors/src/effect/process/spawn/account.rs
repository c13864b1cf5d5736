//! Users, read from `/etc/passwd`, and whom a program runs as.

use std::io;

use rustix::process::{Gid, Uid, getegid, geteuid};

use crate::action::process::{AccountKind, NotAs, SpawnFailure};
use crate::effect::process::groups::{self, Groups, id};
use crate::effect::process::sys::newborn::Identity;

/// The shell of an account that names none (passwd(5)).
const DEFAULT_SHELL: &str = "/bin/sh";

/// A user as `/etc/passwd` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    /// Login name.
    pub name: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
}

impl Account {
    /// Of the user that mainstay runs as. One whom the file does not know (of a directory service, or a container's) is what mainstay was
    /// told of him.
    pub(super) fn own(told: impl Fn(&str) -> Option<String>) -> Self {
        let me = geteuid();
        let known =
            groups::read(AccountKind::User).ok().and_then(|passwd| find_user(&passwd, &me.as_raw().to_string()));
        let unknown = || {
            let nameless = User::nameless(me, getegid());
            let name = told("USER").or_else(|| told("LOGNAME")).unwrap_or(nameless.name);
            let home = told("HOME").unwrap_or(nameless.home);
            Self { name, home, shell: told("SHELL").unwrap_or(nameless.shell) }
        };
        known.map_or_else(unknown, Self::from)
    }
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self { name: user.name, home: user.home, shell: user.shell }
    }
}

/// Whom a program runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunAs {
    /// What has to change; `None` when it is what mainstay is already.
    pub identity: Option<Identity>,
    /// For `HOME`, `USER`, `LOGNAME` and `SHELL`; `None` when no user was asked for.
    pub account: Option<Account>,
}

/// Finds out whom to run as.
pub(super) fn run_as(user: Option<&str>, group: Option<&str>) -> Result<RunAs, SpawnFailure> {
    if user.is_none() && group.is_none() {
        return Ok(RunAs { identity: None, account: None });
    }
    let unreadable = |kind| move |error: io::Error| SpawnFailure::NotAs(NotAs::Unreadable(kind, error.into()));
    let passwd = groups::read(AccountKind::User).map_err(unreadable(AccountKind::User))?;
    let groups = Groups::of_system().map_err(unreadable(AccountKind::Group))?;
    let (me, mine) = (geteuid(), getegid());
    let unknown = |kind, name: &str| SpawnFailure::NotAs(NotAs::Unknown(kind, name.to_owned()));
    let person = match user {
        Some(name) => find_user(&passwd, name).ok_or_else(|| unknown(AccountKind::User, name))?,
        None => find_user(&passwd, &me.as_raw().to_string()).unwrap_or_else(|| User::nameless(me, mine)),
    };
    let gid = match group {
        Some(name) => find_group(&groups, name).ok_or_else(|| unknown(AccountKind::Group, name))?,
        None => person.gid,
    };
    let account = user.map(|_| Account::from(person.clone()));
    if me.is_root() {
        let groups = supplementary(&groups, &person.name, gid);
        return Ok(RunAs { identity: Some(Identity { uid: person.uid, gid, groups }), account });
    }
    if person.uid == me && gid == mine {
        return Ok(RunAs { identity: None, account });
    }
    let wish = user.or(group).unwrap_or_default().to_owned();
    let kind = if person.uid == me { AccountKind::Group } else { AccountKind::User };
    Err(SpawnFailure::NotAs(NotAs::NotRoot(kind, wish)))
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct User {
    name: String,
    uid: Uid,
    gid: Gid,
    home: String,
    shell: String,
}

impl User {
    fn nameless(uid: Uid, gid: Gid) -> Self {
        Self { name: uid.as_raw().to_string(), uid, gid, home: "/".to_owned(), shell: DEFAULT_SHELL.to_owned() }
    }
}

/// passwd(5): `name:password:uid:gid:comment:home:shell`. A number is taken as a user id when nobody is called so.
fn find_user(passwd: &str, wanted: &str) -> Option<User> {
    let users = || passwd.lines().filter_map(parse_user);
    let number = wanted.parse::<u32>().ok();
    users().find(|u| u.name == wanted).or_else(|| users().find(|u| Some(u.uid.as_raw()) == number))
}

fn parse_user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let uid = id(fields.nth(1)?)?;
    let gid = id(fields.next()?)?;
    let filled = |text: &str, default: &str| if text.is_empty() { default } else { text }.to_owned();
    let home = filled(fields.nth(1)?, "/");
    let shell = filled(fields.next().unwrap_or_default(), DEFAULT_SHELL);
    Some(User { name, uid: Uid::from_raw(uid), gid: Gid::from_raw(gid), home, shell })
}

/// A number is taken as a group id when no group is called so.
fn find_group(groups: &Groups, wanted: &str) -> Option<Gid> {
    groups.gid(wanted).or_else(|| id(wanted)).map(Gid::from_raw)
}

/// As initgroups(3): the group itself, then every group that lists the user.
fn supplementary(groups: &Groups, user: &str, gid: Gid) -> Vec<Gid> {
    let others = groups.listing(user).map(Gid::from_raw).filter(|other| *other != gid);
    std::iter::once(gid).chain(others).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nbroken line\npi:x:1000:1001:,,,:/home/pi:/bin/bash\nnobody:x:65534:65534:n::/x\n";

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        let pi = find_user(PASSWD, "pi").unwrap();
        assert_eq!((pi.uid.as_raw(), pi.gid.as_raw(), pi.home.as_str()), (1000, 1001, "/home/pi"));
        assert_eq!(pi.shell, "/bin/bash");
        assert_eq!(find_user(PASSWD, "1000"), Some(pi));
        let nobody = find_user(PASSWD, "nobody").unwrap();
        assert_eq!((nobody.home.as_str(), nobody.shell.as_str()), ("/", "/x"));
        assert_eq!(find_user("a:x:7:7:::", "a").unwrap().shell, "/bin/sh");
        assert_eq!(find_user(PASSWD, "broken line"), None);
    }

    #[test]
    fn a_missing_user_is_named_with_the_cure() {
        let failure = run_as(Some("no-such-user-here"), None).unwrap_err();
        assert!(failure.to_string().contains("no user `no-such-user-here`"), "{failure}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".*", name in ".*") {
            let _ = find_user(&text, &name);
        }
    }
}
