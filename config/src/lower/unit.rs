//! What runs: exactly one of `command`, `oneshot`, `systemd`, `container`, `external`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::templates::{Scope, template};
use crate::diagnostics::{Code, Later, Report};
use crate::model::{Command, Unit};
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
    not_yet: &mut Vec<String>,
    report: &mut Report,
) -> Unit {
    let kinds = [
        ("command", table.command.span(), None),
        ("oneshot", table.oneshot.span(), Some(Later::Oneshot)),
        ("systemd", table.systemd.span(), Some(Later::Systemd)),
        ("container", table.container.span(), Some(Later::Container)),
        ("external", table.external.span(), Some(Later::External)),
    ];
    let said = kinds.iter().filter_map(|(kind, span, later)| span.map(|span| (*kind, span, *later)));
    let mut said = said.collect::<Vec<_>>().into_iter();
    let Some((first, first_span, later)) = said.next() else {
        let message = format!("`services.{name}` has nothing to run");
        let help =
            "add `command = [\"program\", \"argument\"]`, or one of `oneshot`, `systemd`, `container`, `external`";
        report.problem(Code::MissingKey, span, message, help);
        return Unit::Process(command(table, scope, report));
    };
    for (other, span, _) in said {
        let message = format!("`services.{name}` has both `{first}` and `{other}`, and can only be one of them");
        report.problem(
            Code::Contradiction,
            span,
            message,
            format!("keep `{first}` or `{other}`, or make two services"),
        );
    }
    // Also for kinds of a later version: what is wrong in them is wrong today.
    let command = command(table, scope, report);
    argv(&table.oneshot, scope, report);
    if let Some(container) = table.container.value() {
        argv(&container.command, scope, report);
        for option in container.options.value().into_iter().flatten() {
            template(&option.value.0, &option.span, scope, report);
        }
    }
    match later {
        None => Unit::Process(command),
        Some(later) => {
            report.later(later, first_span, &format!("services.{name}"));
            not_yet.push(first.to_owned());
            only_for_processes(table, first, report);
            Unit::Later(first)
        }
    }
}

fn command(table: &ServiceTable, scope: &Scope<'_>, report: &mut Report) -> Command {
    let environment = table.environment.value().map(|map| &map.entries).into_iter().flatten();
    let mut filled = BTreeMap::new();
    for (name, entry) in environment {
        if let Some(text) = entry.value.said() {
            filled.insert(name.0.clone(), template(&text.value.0, &text.span, scope, report));
        }
    }
    Command {
        argv: argv(&table.command, scope, report),
        environment: filled,
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
