//! `ready` and `live`: exactly one kind of check, with a time.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use super::World;
use super::templates::{Scope, template};
use super::unit::argv;
use crate::diagnostics::{Code, Later, Report};
use crate::model::{PortNeed, Probe, Ready};
use crate::names::PortName;
use crate::read::{At, Either, Field, HttpUrl, TimeSpan};
use crate::schema::{
    Bare, ExecProbe, FileProbe, GpsdProbe, HttpProbe, KismetProbe, LiveTable, LogProbe, PortRef, ReadyTable, ReadyWord,
    ServiceTable, TcpProbe,
};
use crate::template::{Template, Variable};

/// One kind of check that a table names: its key, its place, the time in it, and what is looked at.
struct Check {
    key: &'static str,
    span: Range<usize>,
    within: Option<At<Duration>>,
    probe: Option<Probe>,
}

pub(super) fn ready(place: &str, table: &ServiceTable, world: &World, scope: &Scope<'_>, report: &mut Report) -> Ready {
    if let Some(live) = table.live.said() {
        live_check(place, &live.value, &live.span, scope, report);
    }
    let default = world.defaults.ready_within;
    match table.ready.said() {
        None => Ready { probe: Probe::Process, within: default },
        Some(At { value: Either::Short(ReadyWord::Process), .. }) => Ready { probe: Probe::Process, within: default },
        Some(At { value: Either::Short(ReadyWord::Notify), .. }) => Ready { probe: Probe::Notify, within: default },
        Some(At { value: Either::Long(table), span }) => long(place, table, span, default, scope, report),
    }
}

fn long(
    place: &str,
    table: &ReadyTable,
    span: &Range<usize>,
    default: Duration,
    scope: &Scope<'_>,
    report: &mut Report,
) -> Ready {
    let checks = ready_checks(table, scope, report);
    const HELP: &str = "name one of `process`, `notify`, `tcp`, `http`, `exec`, `file`, `log`, `gpsd`, `kismet`";
    only_one(&checks, &format!("{place}.ready"), report);
    let Some(check) = checks.into_iter().next() else {
        // `within` alone is a time for the ordinary check.
        let place = format!("{place}.ready");
        if table.within.span().is_none() && !report.is_meant(&place, ReadyTable::KEYS) {
            report.problem(Code::MissingKey, span, format!("`{place}` does not say what is looked at"), HELP);
        }
        return Ready { probe: Probe::Process, within: table.within.value().map_or(default, |time| time.0) };
    };
    if let (Some(inner), Some(_)) = (&check.within, table.within.span()) {
        let message = format!("`{place}.ready` says `within` twice");
        report.problem(Code::Contradiction, &inner.span, message, "keep one of them; both mean the same");
    }
    let outer = table.within.value().map(|time| time.0);
    let within = check.within.map(|time| time.value).or(outer).unwrap_or(default);
    Ready { probe: check.probe.unwrap_or(Probe::Process), within }
}

/// Notes a port of this machine that the service does not lease, or may be given another for: only on a port that it
/// has leased is it looked at who listens.
pub(super) fn of_anybody(
    place: &str,
    probe: &Probe,
    ports: &BTreeMap<PortName, PortNeed>,
    span: &Range<usize>,
    report: &mut Report,
) {
    let (key, host, port) = match probe {
        Probe::Tcp { host, port } => ("tcp.port", host.clone(), port.to_string()),
        Probe::Gpsd { port } => ("gpsd.port", "localhost".to_owned(), port.to_string()),
        Probe::Kismet { port, .. } => ("kismet.port", "localhost".to_owned(), port.to_string()),
        Probe::Http { url } => match HttpUrl::place(&url.to_string()) {
            Some((host, port)) => ("http.url", host.to_owned(), port.to_owned()),
            None => return,
        },
        _ => return,
    };
    let address = host.trim_matches(['[', ']']).parse().map(|address: IpAddr| address.is_loopback());
    let (here, Ok(number)) = (address.unwrap_or(host == "localhost"), port.parse()) else { return };
    if here && !ports.values().any(|need| *need == PortNeed::Fixed(number)) {
        report.later(Later::AnybodysPort, span, &format!("{place}.ready.{key}"));
    }
}

/// More than one kind is a contradiction.
fn only_one(checks: &[Check], place: &str, report: &mut Report) {
    let Some((first, others)) = checks.split_first() else { return };
    for other in others {
        let message = format!("`{place}` names both `{}` and `{}`", first.key, other.key);
        report.problem(Code::Contradiction, &other.span, message, "keep exactly one kind of check");
    }
}

fn ready_checks(table: &ReadyTable, scope: &Scope<'_>, report: &mut Report) -> Vec<Check> {
    let mut checks = Vec::new();
    bare("process", &table.process, Probe::Process, &mut checks, report);
    bare("notify", &table.notify, Probe::Notify, &mut checks, report);
    checks.extend(check("tcp", &table.tcp, |t| &t.within, |t| tcp(t, scope, report)));
    checks.extend(check("http", &table.http, |t| &t.within, |t| http(t, scope, report)));
    checks.extend(check("exec", &table.exec, |t| &t.within, |t| exec(t, scope, report)));
    checks.extend(check("file", &table.file, |t| &t.within, |t| file(t, scope, report)));
    let log = |t: &LogProbe| Some(Probe::Log { contains: t.contains.value()?.0.clone() });
    checks.extend(check("log", &table.log, |t| &t.within, log));
    if let Some(age) = table.gpsd.value().and_then(|t| t.max_age.span()) {
        let help = "leave it out; `max_age` belongs under `live`";
        report.problem(Code::Contradiction, age, "`max_age` says nothing about being ready", help);
    }
    checks.extend(check("gpsd", &table.gpsd, |t| &t.within, |t| gpsd(t, scope, report)));
    checks.extend(check("kismet", &table.kismet, |t| &t.within, |t| kismet(t, scope, report)));
    checks
}

/// `live` is not acted on yet, but what is wrong in it is wrong today.
fn live_check(place: &str, table: &LiveTable, span: &Range<usize>, scope: &Scope<'_>, report: &mut Report) {
    let mut checks = Vec::new();
    checks.extend(check("tcp", &table.tcp, |t| &t.within, |t| tcp(t, scope, report)));
    checks.extend(check("http", &table.http, |t| &t.within, |t| http(t, scope, report)));
    checks.extend(check("exec", &table.exec, |t| &t.within, |t| exec(t, scope, report)));
    checks.extend(check("file", &table.file, |t| &t.within, |t| file(t, scope, report)));
    checks.extend(check("gpsd", &table.gpsd, |t| &t.within, |t| gpsd(t, scope, report)));
    checks.extend(check("kismet", &table.kismet, |t| &t.within, |t| kismet(t, scope, report)));
    for check in &checks {
        if let Some(within) = &check.within {
            let help = "write `timeout` beside the check; `within` belongs under `ready`";
            report.problem(Code::Contradiction, &within.span, "a `live` check has no `within`", help);
        }
    }
    let others = [("watchdog", table.watchdog.span()), ("fresh", table.fresh.span())];
    let others = others.into_iter().filter_map(|(key, span)| span.map(|span| (key, span.clone())));
    checks.extend(others.map(|(key, span)| Check { key, span, within: None, probe: None }));
    only_one(&checks, &format!("{place}.live"), report);
    if checks.is_empty() && !report.is_meant(&format!("{place}.live"), LiveTable::KEYS) {
        let help = "name one of `tcp`, `http`, `exec`, `file`, `gpsd`, `kismet`, `watchdog`, `fresh`";
        report.problem(Code::MissingKey, span, format!("`{place}.live` does not say what is looked at"), help);
    }
}

fn check<T>(
    key: &'static str,
    field: &Field<T>,
    within: impl Fn(&T) -> &Field<TimeSpan>,
    probe: impl FnOnce(&T) -> Option<Probe>,
) -> Option<Check> {
    let span = field.span()?.clone();
    let within = field.value().and_then(|table| within(table).said());
    let within = within.map(|at| At { value: at.value.0, span: at.span.clone() });
    Some(Check { key, span, within, probe: field.value().and_then(probe) })
}

fn bare(key: &'static str, field: &Field<Bare>, probe: Probe, checks: &mut Vec<Check>, report: &mut Report) {
    let Some(span) = field.span() else { return };
    let within = match field.value() {
        Some(Either::Short(false)) => {
            let help = "write `true`, or leave the key out";
            report.problem(Code::BadValue, span, format!("`{key} = false` says nothing"), help);
            None
        }
        Some(Either::Long(table)) => table.within.said().map(|at| At { value: at.value.0, span: at.span.clone() }),
        Some(Either::Short(true)) | None => None,
    };
    checks.push(Check { key, span: span.clone(), within, probe: Some(probe) });
}

fn tcp(table: &TcpProbe, scope: &Scope<'_>, report: &mut Report) -> Option<Probe> {
    let host = table.host.value().map_or_else(|| "127.0.0.1".to_owned(), |host| host.0.clone());
    Some(Probe::Tcp { host, port: port(&table.port, scope, report)? })
}

fn http(table: &HttpProbe, scope: &Scope<'_>, report: &mut Report) -> Option<Probe> {
    let url = table.url.said()?;
    Some(Probe::Http { url: template(&url.value.0, &url.span, scope, report) })
}

fn exec(table: &ExecProbe, scope: &Scope<'_>, report: &mut Report) -> Option<Probe> {
    Some(Probe::Exec { command: argv(&table.command, scope, report) })
}

fn file(table: &FileProbe, scope: &Scope<'_>, report: &mut Report) -> Option<Probe> {
    let path = table.path.said()?;
    if !path.value.0.starts_with(['/', '{']) {
        let message = format!("`{}` is not an absolute path", path.value.0);
        report.problem(
            Code::RelativePath,
            &path.span,
            message,
            "write the path from the root, such as \"/run/gpsd.pid\"",
        );
    }
    Some(Probe::File { path: template(&path.value.0, &path.span, scope, report) })
}

fn gpsd(table: &GpsdProbe, scope: &Scope<'_>, report: &mut Report) -> Option<Probe> {
    Some(Probe::Gpsd { port: port(&table.port, scope, report)? })
}

fn kismet(table: &KismetProbe, scope: &Scope<'_>, report: &mut Report) -> Option<Probe> {
    let credentials = table.credentials.value().map(|path| path.0.clone());
    Some(Probe::Kismet { port: port(&table.port, scope, report)?, credentials })
}

/// A port number, or exactly one `{port.NAME}`.
fn port(field: &Field<PortRef>, scope: &Scope<'_>, report: &mut Report) -> Option<Template> {
    let at = field.said()?;
    let text = match &at.value {
        Either::Short(number) => return Some(Template::literal(&number.number().to_string())),
        Either::Long(text) => &text.0,
    };
    let parsed = template(text, &at.span, scope, report);
    let mut variables = parsed.variables();
    let one = matches!((variables.next(), variables.next()), (Some(Variable::Port(_)), None));
    let alone = text.starts_with('{') && text.ends_with('}');
    if !(one && alone) && Template::parse(text).is_ok() {
        let help = match text.trim().parse::<u16>() {
            Ok(number) => format!("write {number} without quotes"),
            Err(_) => "write a number, or \"{port.NAME}\" with the name of one of its ports".to_owned(),
        };
        report.problem(Code::BadValue, &at.span, format!("\"{text}\" is not a port"), help);
    }
    drop(variables);
    Some(parsed)
}
