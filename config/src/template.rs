//! Template variables in commands: `{device.gps.path}`, `{port.web}`.
//!
//! `{{` and `}}` stand for the braces themselves.

use std::fmt;

use crate::names::{DeviceName, PortName};

/// Text with variables in it, parsed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// One piece of a template.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Piece {
    /// Text as it stands.
    Text(String),
    /// Something to fill in.
    Variable(Variable),
}

/// A template variable.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Variable {
    /// `{device.NAME.path}`: the device node, such as `/dev/ttyACM0`.
    DevicePath(DeviceName),
    /// `{device.NAME.interface}`: the network interface, such as `wlan2`.
    DeviceInterface(DeviceName),
    /// `{device.NAME.serial}`: the serial number.
    DeviceSerial(DeviceName),
    /// `{port.NAME}`: the port number that was leased.
    Port(PortName),
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DevicePath(name) => write!(f, "{{device.{name}.path}}"),
            Self::DeviceInterface(name) => write!(f, "{{device.{name}.interface}}"),
            Self::DeviceSerial(name) => write!(f, "{{device.{name}.serial}}"),
            Self::Port(name) => write!(f, "{{port.{name}}}"),
        }
    }
}

/// Why a template was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum BadTemplate {
    /// `{` without `}`.
    #[error("`{{` is never closed; write `{{{{` for the brace itself")]
    Unclosed,
    /// `}` without `{`.
    #[error("`}}` closes nothing; write `}}}}` for the brace itself")]
    Unopened,
    /// No such variable.
    #[error("unknown template variable `{{{name}}}`")]
    Unknown {
        /// What was written between the braces.
        name: String,
    },
}

impl Template {
    /// Text without variables.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self { pieces: vec![Piece::Text(text.to_owned())] }
    }

    /// Parses a template.
    ///
    /// # Errors
    /// When a brace is not paired or a variable is unknown.
    pub fn parse(text: &str) -> Result<Self, BadTemplate> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' if chars.next_if_eq(&'{').is_some() => plain.push('{'),
                '}' if chars.next_if_eq(&'}').is_some() => plain.push('}'),
                '}' => return Err(BadTemplate::Unopened),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match chars.next() {
                            Some('}') => break,
                            Some(c) => name.push(c),
                            None => return Err(BadTemplate::Unclosed),
                        }
                    }
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(Piece::Variable(variable(&name)?));
                }
                c => plain.push(c),
            }
        }
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// The variables in it, in order.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(variable) => Some(variable),
            Piece::Text(_) => None,
        })
    }

    /// Fills in the variables.
    ///
    /// # Errors
    /// The first variable for which `value` has nothing.
    pub fn fill(&self, value: impl Fn(&Variable) -> Option<String>) -> Result<String, Variable> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Variable(variable) => out.push_str(&value(variable).ok_or_else(|| variable.clone())?),
            }
        }
        Ok(out)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Piece::Variable(variable) => write!(f, "{variable}")?,
            }
        }
        Ok(())
    }
}

fn variable(name: &str) -> Result<Variable, BadTemplate> {
    let unknown = || BadTemplate::Unknown { name: name.to_owned() };
    let mut parts = name.split('.');
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    if parts.next().is_some() {
        return Err(unknown());
    }
    let device = |text: &str| DeviceName::new(text).map_err(|_| unknown());
    match (first, second, third) {
        (Some("device"), Some(device_name), Some("path")) => Ok(Variable::DevicePath(device(device_name)?)),
        (Some("device"), Some(device_name), Some("interface")) => Ok(Variable::DeviceInterface(device(device_name)?)),
        (Some("device"), Some(device_name), Some("serial")) => Ok(Variable::DeviceSerial(device(device_name)?)),
        (Some("port"), Some(port), None) => Ok(Variable::Port(PortName::new(port).map_err(|_| unknown())?)),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::{BadTemplate, Template, Variable};

    #[test]
    fn variables_are_filled_in_and_double_braces_are_braces() {
        let template = Template::parse("-c {device.wlan2.interface}:{{x}} {port.web}").unwrap();
        let filled = template.fill(|variable| match variable {
            Variable::DeviceInterface(name) => Some(format!("<{name}>")),
            Variable::Port(name) => Some(format!("<{name}>")),
            _ => None,
        });
        assert_eq!(filled.unwrap(), "-c <wlan2>:{x} <web>");
    }

    #[test]
    fn what_cannot_be_filled_in_is_named() {
        let template = Template::parse("{device.gps.path}").unwrap();
        assert_eq!(template.fill(|_| None).unwrap_err().to_string(), "{device.gps.path}");
    }

    #[test]
    fn braces_must_pair_and_variables_must_exist() {
        assert_eq!(Template::parse("{port.web").unwrap_err(), BadTemplate::Unclosed);
        assert_eq!(Template::parse("web}").unwrap_err(), BadTemplate::Unopened);
        for unknown in ["{}", "{port}", "{port.}", "{port.a.b}", "{device.a}", "{device.a.b}", "{device.a.path.x}"] {
            assert!(matches!(Template::parse(unknown), Err(BadTemplate::Unknown { .. })), "{unknown}");
        }
    }

    proptest! {
        #[test]
        fn text_without_braces_stands_for_itself(text in "[^{}]{0,40}") {
            prop_assert_eq!(Template::parse(&text).unwrap().fill(|_| None).unwrap(), text);
        }

        #[test]
        fn a_template_that_is_written_out_reads_the_same(text in r"([a-z{}]|\{\{|\}\}|\{port\.[a-z]{1,3}\}){0,12}") {
            if let Ok(template) = Template::parse(&text) {
                prop_assert_eq!(Template::parse(&template.to_string()), Ok(template));
            }
        }
    }
}
