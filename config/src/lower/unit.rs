//! What runs: exactly one of `command`, `oneshot`, `systemd`, `container`, `external`.

use std::ops::Range;

use super::environment;
use super::templates::{Scope, template};
use crate::diagnostics::{Code, Later, Report};
use crate::model::{Command, Unit, Unsupported};
use crate::names::ServiceName;
use crate::read::{Argv, Field};
use crate::schema::ServiceTable;
use crate::suggest;
use crate::template::Template;

pub(super) fn unit(
    name: &ServiceName,
    span: &Range<usize>,
    table: &ServiceTable,
    scope: &Scope<'_>,
    not_yet: &mut Vec<Unsupported>,
    report: &mut Report,
) -> Unit {
    let said = only_kind(name, span, table, report);
    let command = command(table, scope, report);
    later_kinds(table, scope, report);
    let Some(Kind { key, span, later: Some((later, unsupported)) }) = said else { return Unit::Process(command) };
    report.later(later, span, &format!("services.{name}"));
    not_yet.push(unsupported);
    only_for_processes(table, key, report);
    Unit::Later
}

/// A kind of service that a table names: its key, its place, and whether it is for a later version.
struct Kind<'a> {
    key: &'static str,
    span: &'a Range<usize>,
    later: Option<(Later, Unsupported)>,
}

/// The kind of a service, the first when there are several; none and several are problems.
fn only_kind<'a>(
    name: &ServiceName,
    span: &Range<usize>,
    table: &'a ServiceTable,
    report: &mut Report,
) -> Option<Kind<'a>> {
    let kinds = [
        ("command", table.command.span(), None),
        ("oneshot", table.oneshot.span(), Some((Later::Oneshot, Unsupported::Oneshot))),
        ("systemd", table.systemd.span(), Some((Later::Systemd, Unsupported::Systemd))),
        ("container", table.container.span(), Some((Later::Container, Unsupported::Container))),
        ("external", table.external.span(), Some((Later::External, Unsupported::External))),
    ];
    let mut said = kinds.into_iter().filter_map(|(key, span, later)| Some(Kind { key, span: span?, later }));
    let Some(first) = said.next() else {
        if report.is_meant(&format!("services.{name}"), &["command", "oneshot", "systemd", "container", "external"]) {
            return None;
        }
        let message = format!("`services.{name}` has nothing to run");
        let help = "add what it runs, such as `command = [\"gpsd\", \"-N\"]`";
        report.problem(Code::MissingKey, span, message, help);
        return None;
    };
    for other in said {
        let (key, other_key) = (first.key, other.key);
        let message = format!("`services.{name}` has both `{key}` and `{other_key}`, and can only be one of them");
        let help = format!("keep `{key}` or `{other_key}`, or make two services");
        report.problem(Code::Contradiction, other.span, message, help);
    }
    Some(first)
}

/// The templates in kinds of a later version: what is wrong in them is wrong today.
fn later_kinds(table: &ServiceTable, scope: &Scope<'_>, report: &mut Report) {
    argv(&table.oneshot, scope, report);
    let Some(container) = table.container.value() else { return };
    argv(&container.command, scope, report);
    for option in container.options.value().into_iter().flatten() {
        template(&option.value.0, &option.span, scope, report);
    }
}

fn command(table: &ServiceTable, scope: &Scope<'_>, report: &mut Report) -> Command {
    Command {
        argv: argv(&table.command, scope, report),
        environment: environment::set(table, scope, report),
        environment_from: environment::taken_over(table, report),
        user: table.user.value().map(|text| text.0.clone()),
        group: table.group.value().map(|text| text.0.clone()),
        directory: table.directory.value().map(|path| path.0.clone()),
    }
}

/// The templates of a command.
pub(super) fn argv(field: &Field<Argv>, scope: &Scope<'_>, report: &mut Report) -> Vec<Template> {
    let items = field.value().map(|argv| argv.0.iter()).into_iter().flatten();
    items.map(|item| template(&item.value.0, &item.span, scope, report)).collect()
}

/// Environment, user, group and directory belong to programs that mainstay itself runs.
fn only_for_processes(table: &ServiceTable, kind: &'static str, report: &mut Report) {
    if kind == "oneshot" {
        return;
    }
    let said = [
        ("environment", table.environment.span()),
        ("environment_from", table.environment_from.span()),
        ("user", table.user.span()),
        ("group", table.group.span()),
        ("directory", table.directory.span()),
    ];
    for (key, span) in said {
        let Some(span) = span else { continue };
        let message = format!("`{key}` has no effect on a service of kind `{kind}`");
        let help = format!("leave it out; it belongs to {}", suggest::list(["command", "oneshot"]));
        report.problem(Code::Contradiction, span, message, help);
    }
}
