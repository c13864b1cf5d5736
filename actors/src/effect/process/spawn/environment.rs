//! The environment of services: a short list, what the configuration says, and what mainstay tells them.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use mainstay_config::names::ServiceName;

use super::account::Account;
use crate::action::process::{RunId, SpawnOrder};

/// The variable by which every process of a tree is found in `/proc`.
pub(crate) const RUN: &str = "MAINSTAY_RUN";

/// The variable with the name of the service.
pub(crate) const SERVICE: &str = "MAINSTAY_SERVICE";

/// Where programs are sought when the configuration does not say. Not where whoever started mainstay had them sought.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Mainstay's own environment, of which a service gets what it names, and nothing else.
#[derive(Debug, Clone)]
pub(super) struct Inherited(BTreeMap<OsString, OsString>);

impl Inherited {
    /// Takes over the environment of this process.
    pub(super) fn of_this_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// A variable that is a text, and not an empty one.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.get(OsStr::new(name))?.to_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The whole environment of one run: the same wherever mainstay was started from.
    pub(super) fn for_run(
        &self,
        order: &SpawnOrder,
        account: &Account,
        notify: Option<&Path>,
    ) -> BTreeMap<OsString, OsString> {
        let mut all = BTreeMap::new();
        let mut set = |name: &str, value: &OsStr| all.insert(OsString::from(name), value.to_owned());
        set("PATH", PATH.as_ref());
        set("HOME", account.home.as_ref());
        set("USER", account.name.as_ref());
        set("LOGNAME", account.name.as_ref());
        set("SHELL", account.shell.as_ref());
        set(SERVICE, order.service.as_str().as_ref());
        for name in &order.program.environment_from {
            if let Some(value) = self.0.get(OsStr::new(name)) {
                set(name, value);
            }
        }
        for (name, value) in &order.program.environment {
            set(name, value.as_ref());
        }
        if let Some(path) = notify {
            set("NOTIFY_SOCKET", path.as_os_str());
        }
        set(RUN, mark(&order.service, order.run).as_ref());
        all
    }
}

/// The value of `MAINSTAY_RUN`.
pub(crate) fn mark(service: &ServiceName, run: RunId) -> String {
    format!("{service}.{}", run.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::action::process::{Invocation, LogSearch, NotifySocket};

    fn environment(change: impl FnOnce(&mut SpawnOrder), notify: Option<&Path>) -> BTreeMap<OsString, OsString> {
        let mut order = SpawnOrder {
            service: ServiceName::new("gpsd").unwrap(),
            run: RunId(7),
            program: Invocation { argv: vec!["gpsd".into()], ..Invocation::default() },
            notify: NotifySocket::Omit,
            log: LogSearch::Omit,
        };
        change(&mut order);
        let starters = ["LANG", "HOME", "PATH", "XDG_RUNTIME_DIR", "LD_PRELOAD", "NOTIFY_SOCKET", "LISTEN_FDS", "MAIL"];
        let account = Account { name: "pi".into(), home: "/home/pi".into(), shell: "/bin/dash".into() };
        Inherited(starters.map(|name| (name.into(), "the starter's".into())).into()).for_run(&order, &account, notify)
    }

    #[test]
    fn a_service_gets_a_stated_list_whoever_started_mainstay() {
        let all = environment(|_| (), None);
        let all: Vec<_> = all.iter().map(|(name, value)| (name.to_str().unwrap(), value.to_str().unwrap())).collect();
        let expected = [
            ("HOME", "/home/pi"),
            ("LOGNAME", "pi"),
            ("MAINSTAY_RUN", "gpsd.7"),
            ("MAINSTAY_SERVICE", "gpsd"),
            ("PATH", PATH),
            ("SHELL", "/bin/dash"),
            ("USER", "pi"),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn what_is_named_is_taken_over_from_mainstays_environment_where_it_is_there() {
        let names = || ["LANG", "PATH", "TZ"].map(str::to_owned).into();
        let all = environment(|order| order.program.environment_from = names(), None);
        let value = |name: &str| all.get(OsStr::new(name)).map(|value| value.to_str().unwrap());
        let starters = Some("the starter's");
        assert_eq!([value("LANG"), value("PATH"), value("TZ"), value("MAIL")], [starters, starters, None, None]);
    }

    #[test]
    fn the_service_may_set_its_home_but_not_its_mark() {
        let forged =
            [("HOME", "/elsewhere"), ("MAINSTAY_RUN", "forged")].map(|(name, value)| (name.into(), value.into()));
        let all = environment(|order| order.program.environment = forged.into(), Some(Path::new("/run/n.sock")));
        assert_eq!(all.get(OsStr::new("HOME")).unwrap(), "/elsewhere");
        assert_eq!(all.get(OsStr::new("MAINSTAY_RUN")).unwrap(), "gpsd.7");
        assert_eq!(all.get(OsStr::new("NOTIFY_SOCKET")).unwrap(), "/run/n.sock");
    }
}
