//! `environment` and `environment_from`: what a service is given beyond what every service is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::templates::{Scope, template};
use crate::diagnostics::{Code, Report};
use crate::read::{At, EnvironmentName};
use crate::schema::ServiceTable;
use crate::template::Template;

/// Variables that describe whoever starts mainstay, and that are wrong for anybody else: of the account, and of the session
/// (`XDG_*`, `DBUS_*`).
const OF_THE_STARTER: [&str; 5] = ["HOME", "USER", "LOGNAME", "SHELL", "MAIL"];

/// `environment`.
pub(super) fn set(table: &ServiceTable, scope: &Scope<'_>, report: &mut Report) -> BTreeMap<String, Template> {
    let mut filled = BTreeMap::new();
    for (name, entry) in table.environment.value().map(|map| &map.entries).into_iter().flatten() {
        overwritten(&name.0, &entry.key, report);
        if let Some(text) = entry.value.said() {
            filled.insert(name.0.clone(), template(&text.value.0, &text.span, scope, report));
        }
    }
    filled
}

/// `environment_from`.
pub(super) fn taken_over(table: &ServiceTable, report: &mut Report) -> BTreeSet<String> {
    let names = table.environment_from.value().into_iter().flatten();
    names.map(|name| taken(name, table, report)).collect()
}

fn taken(
    At { value: EnvironmentName(name), span }: &At<EnvironmentName>,
    table: &ServiceTable,
    report: &mut Report,
) -> String {
    let is_set = table.environment.value().is_some_and(|map| map.entries.keys().any(|set| set.0 == *name));
    if EnvironmentName::MAINSTAYS_OWN.contains(&name.as_str()) {
        overwritten(name, span, report);
    } else if name.starts_with("WATCHDOG_") || name.starts_with("LISTEN_") {
        let message = format!("`{name}` cannot be taken over: it is meant for mainstay itself by whoever starts it");
        report.problem(Code::Contradiction, span, message, "leave it out");
    } else if is_set {
        let message = format!("`{name}` is set in `environment`, and cannot be taken over as well");
        report.problem(Code::Contradiction, span, message, "keep it in `environment` or in `environment_from`");
    } else if let Some(user) = table.user.value().filter(|_| is_of_the_starter(name)) {
        let message = format!("`{name}` of whoever starts mainstay is not that of `{}`", user.0);
        let help = format!("leave it out, or write `environment = {{ {name} = \"…\" }}` with the right value");
        report.problem(Code::Contradiction, span, message, help);
    }
    name.clone()
}

fn is_of_the_starter(name: &str) -> bool {
    OF_THE_STARTER.contains(&name) || name.starts_with("XDG_") || name.starts_with("DBUS_")
}

/// Variables that mainstay itself sets in the environment of a service.
fn overwritten(name: &str, span: &Range<usize>, report: &mut Report) {
    let [run, service, notify] = EnvironmentName::MAINSTAYS_OWN;
    let meaning = match name {
        _ if name == run => "the mark by which its processes are found",
        _ if name == service => "its name",
        _ if name == notify => "a socket of its own, when `ready` is `notify`",
        _ => return,
    };
    let message = format!("`{name}` cannot be set here: mainstay sets it itself");
    let help = format!("leave it out; in `{name}` a service is given {meaning}");
    report.problem(Code::Contradiction, span, message, help);
}
