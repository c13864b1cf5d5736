//! The environment of services: mainstay's own, less what was meant for mainstay, plus what the service needs.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::account::Account;
use crate::effect::process::order::SpawnOrder;

/// The variable by which every process of a tree is found in `/proc`.
pub(crate) const RUN: &str = "MAINSTAY_RUN";

/// Meant for mainstay itself by whoever started it (sd_notify(3), sd_listen_fds(3)).
fn is_mainstays_own(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name == b"NOTIFY_SOCKET" || name.starts_with(b"WATCHDOG_") || name.starts_with(b"LISTEN_")
}

/// What every service inherits.
#[derive(Debug, Clone)]
pub(super) struct Inherited(BTreeMap<OsString, OsString>);

impl Inherited {
    /// Takes over the environment of this process.
    pub(super) fn of_this_process() -> Self {
        Self::from_variables(std::env::vars_os())
    }

    fn from_variables(all: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self(all.into_iter().filter(|(name, _)| !is_mainstays_own(name)).collect())
    }

    /// The whole environment of one run.
    pub(super) fn for_run(
        &self,
        order: &SpawnOrder,
        account: Option<&Account>,
        notify: Option<&Path>,
    ) -> BTreeMap<OsString, OsString> {
        let mut all = self.0.clone();
        let mut set = |name: &str, value: &OsStr| all.insert(name.into(), value.to_owned());
        if let Some(account) = account {
            set("HOME", account.home.as_ref());
            set("USER", account.name.as_ref());
            set("LOGNAME", account.name.as_ref());
        }
        for (name, value) in &order.environment {
            set(name, value.as_ref());
        }
        if let Some(path) = notify {
            set("NOTIFY_SOCKET", path.as_os_str());
        }
        set("MAINSTAY_SERVICE", order.service.as_str().as_ref());
        set(RUN, mark(order).as_ref());
        all
    }
}

/// The value of `MAINSTAY_RUN`.
pub(crate) fn mark(order: &SpawnOrder) -> String {
    format!("{}.{}", order.service, order.run.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mainstay_config::names::ServiceName;

    use super::*;
    use crate::effect::process::order::{LogSearch, NotifySocket, RunId};

    fn order() -> SpawnOrder {
        SpawnOrder {
            service: ServiceName::new("gpsd").unwrap(),
            run: RunId(7),
            argv: vec!["gpsd".into()],
            environment: BTreeMap::from([
                ("HOME".into(), "/elsewhere".into()),
                ("MAINSTAY_RUN".into(), "forged".into()),
            ]),
            user: None,
            group: None,
            directory: None,
            notify: NotifySocket::Omit,
            log: LogSearch::Omit,
        }
    }

    fn environment(notify: Option<&Path>) -> BTreeMap<OsString, OsString> {
        let own =
            ["NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS", "LANG", "HOME"].map(|n| (n.into(), "mainstay's".into()));
        let account = Account { name: "pi".into(), home: "/home/pi".into() };
        Inherited::from_variables(own).for_run(&order(), Some(&account), notify)
    }

    #[test]
    fn what_was_meant_for_mainstay_does_not_reach_a_service() {
        let names: Vec<_> = environment(None).into_keys().collect();
        assert_eq!(names, ["HOME", "LANG", "LOGNAME", "MAINSTAY_RUN", "MAINSTAY_SERVICE", "USER"]);
    }

    #[test]
    fn the_service_may_set_its_home_but_not_its_mark() {
        let all = environment(Some(Path::new("/run/n.sock")));
        assert_eq!(all.get(OsStr::new("HOME")).unwrap(), "/elsewhere");
        assert_eq!(all.get(OsStr::new("MAINSTAY_RUN")).unwrap(), "gpsd.7");
        assert_eq!(all.get(OsStr::new("NOTIFY_SOCKET")).unwrap(), "/run/n.sock");
    }
}
