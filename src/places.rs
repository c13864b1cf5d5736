//! Where a daemon keeps its run directory, and where the command line looks for it: one subject, so that the two agree.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// The socket's name in the run directory.
pub(crate) const SOCKET_NAME: &str = "mainstay.sock";
/// The name of the folder of notification sockets in the run directory.
pub(crate) const NOTIFY: &str = "notify";

/// The run directory of the station's own daemon.
const SYSTEM: &str = "/run/mainstay";

/// What decides where things are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// The effective user.
    pub(crate) uid: u32,
    /// `$XDG_RUNTIME_DIR`, if it is set, absolute and this user's own (a relative one is to be ignored, and the user must own it:
    /// XDG Base Directory Specification 0.8). After `su`, root has that of the user before.
    pub(crate) runtime_dir: Option<PathBuf>,
}

/// What the daemon is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A real station.
    Station,
    /// The demo: it never takes the station's place, even as root.
    Demo,
}

/// Who may look into a run directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody (0755); the socket has its own permissions.
    Everybody,
    /// Its owner only (0700): it lies where anybody could have put something.
    Owner,
}

/// A run directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunDir {
    /// Where.
    pub(crate) path: PathBuf,
    /// With which permissions.
    pub(crate) access: Access,
}

impl RunDir {
    /// One that the configuration names (`[runtime] run_dir`).
    pub(crate) fn configured(path: PathBuf) -> Self {
        Self { path, access: Access::Everybody }
    }
}

impl Surroundings {
    /// Those of this process.
    pub(crate) fn of_this_process() -> Self {
        let uid = rustix::process::geteuid().as_raw();
        let is_own = |path: &PathBuf| std::fs::metadata(path).map_or(true, |found| found.uid() == uid);
        let named = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        Self { uid, runtime_dir: named.filter(|path| path.is_absolute() && is_own(path)) }
    }

    /// Where a daemon keeps its run directory when the configuration does not say.
    pub(crate) fn default_run_dir(&self, purpose: Purpose) -> RunDir {
        match (&self.runtime_dir, purpose, self.uid) {
            (_, Purpose::Station, 0) => RunDir::configured(SYSTEM.into()),
            (Some(dir), ..) => RunDir::configured(dir.join("mainstay")),
            (None, ..) => self.fallback(),
        }
    }

    fn fallback(&self) -> RunDir {
        RunDir { path: format!("/tmp/mainstay-{}", self.uid).into(), access: Access::Owner }
    }

    /// Where the command line looks for a daemon, the first that answers wins: the station's own, then this user's. It
    /// covers a daemon that was started with `XDG_RUNTIME_DIR` and a command line without it, and the other way round.
    pub(crate) fn places(&self) -> Vec<RunDir> {
        let mut places = vec![RunDir::configured(SYSTEM.into())];
        let session = PathBuf::from(format!("/run/user/{}", self.uid));
        for dir in self.runtime_dir.iter().chain([&session]) {
            let place = RunDir::configured(dir.join("mainstay"));
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places.push(self.fallback());
        places
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;

    use super::*;

    fn surroundings(uid: u32, runtime_dir: Option<&str>) -> Surroundings {
        Surroundings { uid, runtime_dir: runtime_dir.map(PathBuf::from) }
    }

    #[test]
    fn only_the_stations_own_daemon_takes_the_systems_place() {
        let dir = |uid, xdg, purpose| surroundings(uid, xdg).default_run_dir(purpose).path;
        assert_eq!(dir(0, None, Purpose::Station), Path::new("/run/mainstay"));
        assert_eq!(dir(0, Some("/run/user/0"), Purpose::Demo), Path::new("/run/user/0/mainstay"));
        assert_eq!(dir(0, None, Purpose::Demo), Path::new("/tmp/mainstay-0"));
        assert_eq!(dir(1000, Some("/run/user/1000"), Purpose::Station), Path::new("/run/user/1000/mainstay"));
        assert_eq!(dir(1000, None, Purpose::Station), Path::new("/tmp/mainstay-1000"));
    }

    #[test]
    fn the_command_line_looks_wherever_a_daemon_may_be() {
        for uid in [0, 1000] {
            for daemon_xdg in [None, Some("/run/user/1000"), Some("/run/user/0")] {
                for purpose in [Purpose::Station, Purpose::Demo] {
                    let dir = surroundings(uid, daemon_xdg).default_run_dir(purpose);
                    assert!(surroundings(uid, daemon_xdg).places().contains(&dir), "{dir:?}");
                }
            }
            let demo = surroundings(uid, None).default_run_dir(Purpose::Demo);
            assert!(surroundings(uid, Some("/run/user/7")).places().contains(&demo));
        }
    }
}
