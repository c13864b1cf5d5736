//! Templates: every variable must be one that the service has something to fill in for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::World;
use super::ports::Written;
use crate::diagnostics::{Code, Report};
use crate::model::DeviceKind;
use crate::names::{DeviceName, PortName, ServiceName};
use crate::schema::ServiceTable;
use crate::suggest;
use crate::template::{BadTemplate, Template, Variable};

/// Names that what was written is compared with at most: a service with more has too many anyway.
const MOST_COMPARED: usize = 64;

/// What the templates of one service may name.
pub(super) struct Scope<'a> {
    service: &'a ServiceName,
    devices: BTreeMap<&'a DeviceName, Option<DeviceKind>>,
    ports: BTreeSet<&'a PortName>,
    known_ports: &'a Written,
}

impl<'a> Scope<'a> {
    pub(super) fn new(service: &'a ServiceName, world: &'a World, table: &'a ServiceTable) -> Self {
        let devices = table.devices.value().map(|map| map.entries.keys()).into_iter().flatten();
        let ports = table.ports.value().map(|map| map.entries.keys()).into_iter().flatten();
        Self {
            service,
            devices: devices.map(|name| (name, world.devices.get(name).copied().flatten())).collect(),
            ports: ports.collect(),
            known_ports: &world.ports,
        }
    }
}

impl Scope<'_> {
    /// Whether there is what a variable speaks of.
    fn has(&self, variable: &Variable) -> bool {
        match variable {
            Variable::DevicePath(name) | Variable::DeviceInterface(name) | Variable::DeviceSerial(name) => {
                self.devices.contains_key(name)
            }
            Variable::Port(name) => self.ports.contains(name),
        }
    }
}

/// Parses a template and checks its variables.
pub(super) fn template(text: &str, span: &Range<usize>, scope: &Scope<'_>, report: &mut Report) -> Template {
    match Template::parse(text) {
        Ok(template) => {
            for variable in template.variables() {
                check(variable, span, scope, report);
            }
            template
        }
        Err(error) => {
            let help = match &error {
                _ if report.is_full() => String::new(),
                BadTemplate::Unknown { name } => unknown(name, scope),
                BadTemplate::Unclosed => "close it with `}`, or write `{{` for the brace itself".to_owned(),
                BadTemplate::Unopened => "write `}}` for the brace itself".to_owned(),
            };
            report.problem(Code::BadTemplate, span, error.to_string(), help);
            Template::literal(text)
        }
    }
}

/// What could have been meant by a variable that there is not.
fn unknown(written: &str, scope: &Scope<'_>) -> String {
    let mut choices: Vec<String> = scope.ports.iter().take(MOST_COMPARED).map(|port| format!("port.{port}")).collect();
    for (device, kind) in scope.devices.iter().take(MOST_COMPARED) {
        let what = if *kind == Some(DeviceKind::Wifi) { "interface" } else { "path" };
        choices.push(format!("device.{device}.{what}"));
        choices.push(format!("device.{device}.serial"));
    }
    if choices.is_empty() {
        return "variables are `{device.NAME.path}`, `.interface`, `.serial` of devices the service leases, and \
                `{port.NAME}` of its ports; write `{{` for the brace itself"
            .to_owned();
    }
    suggest::did_you_mean(written, choices.iter().map(String::as_str).collect::<Vec<_>>(), "the variables here are")
}

fn check(variable: &Variable, span: &Range<usize>, scope: &Scope<'_>, report: &mut Report) {
    if report.is_full() {
        // A service can have thousands of names to compare with, and a file thousands of variables.
        if !scope.has(variable) {
            report.problem(Code::BadTemplate, span, "", "");
        }
        return;
    }
    match variable {
        Variable::DevicePath(name) => device(variable, name, span, scope, report),
        Variable::DeviceInterface(name) => device(variable, name, span, scope, report),
        Variable::DeviceSerial(name) => device(variable, name, span, scope, report),
        Variable::Port(name) => port(name, span, scope, report),
    }
}

fn device(variable: &Variable, name: &DeviceName, span: &Range<usize>, scope: &Scope<'_>, report: &mut Report) {
    let Some(kind) = scope.devices.get(name) else {
        let names = scope.devices.keys().take(MOST_COMPARED).map(|name| name.as_str());
        let message = format!("`{variable}`: `{}` does not lease a device `{name}`", scope.service);
        let help = match suggest::nearest(name.as_str(), names) {
            Some(near) => format!("did you mean `{near}`?"),
            None if scope.devices.is_empty() => format!("add `devices = {{ {name} = \"exclusive\" }}` to the service"),
            None => format!("add `{name} = \"exclusive\"` to its `devices`, or name a device that it leases"),
        };
        report.problem(Code::BadTemplate, span, message, help);
        return;
    };
    let Some(kind) = kind else { return };
    let is_wifi = *kind == DeviceKind::Wifi;
    let help = match variable {
        Variable::DevicePath(_) if is_wifi => format!("write `{{device.{name}.interface}}`"),
        Variable::DeviceInterface(_) if !is_wifi => format!("write `{{device.{name}.path}}`"),
        _ => return,
    };
    let message = format!("`{variable}`: a device of kind `{}` has none", kind.as_str());
    report.problem(Code::KindMismatch, span, message, help);
}

fn port(name: &PortName, span: &Range<usize>, scope: &Scope<'_>, report: &mut Report) {
    if scope.ports.contains(name) {
        return;
    }
    let own: Vec<&str> = scope.ports.iter().take(MOST_COMPARED).map(|name| name.as_str()).collect();
    let message = format!("`{{port.{name}}}`: `{}` has no port `{name}`", scope.service);
    report.problem(Code::UnknownPort, span, message, scope.known_ports.cure(scope.service, name, &own));
}
