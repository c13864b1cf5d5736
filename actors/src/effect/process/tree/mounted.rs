//! Where the cgroup of version 2 that this process is in can be found as a folder.
//!
//! It is mounted at `/sys/fs/cgroup`, or, beside version 1, at `/sys/fs/cgroup/unified` as a rule; a container may see only a part.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// The cgroup of the line of version 2 in the text of `/proc/self/cgroup`, in every mount of version 2 in that of
/// `/proc/self/mountinfo` that shows it.
pub(super) fn own_cgroup(mountinfo: &str, cgroup: &str) -> Vec<PathBuf> {
    let own = cgroup.lines().find_map(|line| line.strip_prefix("0::"));
    let Some(own) = own.filter(|own| is_usable(own)) else { return Vec::new() };
    let folder = |mount: Mount| Some(mount.point.join(Path::new(own).strip_prefix(&mount.root).ok()?));
    mountinfo.lines().filter_map(Mount::read).filter_map(folder).collect()
}

/// A path with `..` leads out of our namespace, and a removed cgroup is marked: neither can be used.
fn is_usable(path: &str) -> bool {
    path.starts_with('/') && !path.split('/').any(|part| part == "..") && !path.ends_with(" (deleted)")
}

/// A mount of version 2.
struct Mount {
    /// What of it is mounted.
    root: PathBuf,
    /// Where.
    point: PathBuf,
}

impl Mount {
    /// Reads a line of proc(5): `id parent major:minor root point options … - type …`.
    fn read(line: &str) -> Option<Self> {
        let (mount, kind) = line.split_once(" - ")?;
        if kind.split(' ').next() != Some("cgroup2") {
            return None;
        }
        let mut fields = mount.split(' ').skip(3);
        Some(Self { root: unescaped(fields.next()?), point: unescaped(fields.next()?) })
    }
}

/// Spaces, tabs, newlines and backslashes are written as three octal digits: `\040`.
fn unescaped(field: &str) -> PathBuf {
    let mut parts = field.split('\\');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let escape = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.extend(escape.or(Some(b'\\')));
        let rest = if escape.is_some() { part.get(3..) } else { Some(part) };
        bytes.extend_from_slice(rest.unwrap_or_default().as_bytes());
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIFIED: &str = "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
    const HYBRID: &str = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
        32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    fn found(mountinfo: &str, cgroup: &str) -> Vec<String> {
        own_cgroup(mountinfo, cgroup).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn the_own_cgroup_is_the_line_of_version_2() {
        let text = "9:name=systemd:/x\n0::/system.slice/mainstay.service\n";
        assert_eq!(found(UNIFIED, text), ["/sys/fs/cgroup/system.slice/mainstay.service"]);
        for unusable in ["0::/../outside\n", "0::/a (deleted)\n", "1:cpu:/\n", ""] {
            assert_eq!(found(UNIFIED, unusable), [""; 0], "{unusable}");
        }
    }

    #[test]
    fn version_2_is_found_beside_version_1() {
        assert_eq!(found(HYBRID, "1:cpu:/\n0::/user.slice\n"), ["/sys/fs/cgroup/unified/user.slice"]);
        assert_eq!(found(HYBRID, "0::/\n"), ["/sys/fs/cgroup/unified/"]);
    }

    #[test]
    fn a_mount_of_a_part_shows_only_what_is_in_it() {
        let part = "35 24 0:30 /docker/7 /mnt/a\\040b rw - cgroup2 cgroup2 rw\n";
        assert_eq!(found(part, "0::/docker/7/x\n"), ["/mnt/a b/x"]);
        assert_eq!(found(part, "0::/docker/77\n"), [""; 0]);
        let both = format!("{part}{HYBRID}");
        assert_eq!(found(&both, "0::/docker/7/x\n"), ["/mnt/a b/x", "/sys/fs/cgroup/unified/docker/7/x"]);
    }
}
