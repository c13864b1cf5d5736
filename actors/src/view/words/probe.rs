//! What readiness probes look at, and what they see.

use std::fmt;

use humantime::format_duration;

use crate::action::not_ready::{
    Awaited, BODY_LIMIT, BadResponse, BadUrl, CommandFailure, GpsdFault, HEAD_LIMIT, HttpStatus, KismetFault,
    NoCredentials, NotReady, UrlFault,
};
use crate::action::probe::{ProbeTarget, Sight};
use mainstay_hardware::error::{Errno, SystemError};

impl fmt::Display for ProbeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } => write!(f, "tcp {host}:{port}"),
            Self::Http { url } => write!(f, "GET {url}"),
            Self::Exec { command, .. } => write!(f, "exec {}", command.argv.join(" ")),
            Self::File { path } => write!(f, "file {}", path.display()),
            Self::Log { contains, .. } => write!(f, "log line with {contains:?}"),
            Self::Gpsd { port } => write!(f, "gpsd on port {port}"),
            Self::Kismet { port, .. } => write!(f, "Kismet on port {port}"),
        }
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakesConnections(place) => write!(f, "{place} takes connections"),
            Self::HttpAnswer { url, status } => write!(f, "{url} answered {status}"),
            Self::CommandSaysYes(command) => write!(f, "`{command}` ended with exit code 0"),
            Self::FileExists(path) => write!(f, "{} exists", path.display()),
            Self::Logged(text) => write!(f, "its output says `{text}`"),
            Self::Gpsd { release, device } => write!(f, "gpsd {release} reads {device}"),
            Self::Kismet(user) => write!(f, "Kismet answers; it runs as {user}"),
            Self::KismetSource(source) => write!(f, "Kismet's data source {source} runs"),
            Self::OfUnknownOwner(sight, None) => write!(f, "{sight} (cannot verify whose listener that is)"),
            Self::OfUnknownOwner(sight, Some(error)) => {
                write!(f, "{sight} (cannot verify whose listener that is: {error})")
            }
        }
    }
}

/// In words that follow "not ready:".
impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(place) => write!(f, "nothing listens on {place} (connection refused)"),
            Self::NoListener(place) => {
                write!(f, "a connection to {place} was taken, but nothing listens there any more")
            }
            Self::Unreachable { place, error } => write!(f, "{place} cannot be reached: {error}"),
            Self::UnknownHost { host, error } => {
                write!(f, "the name `{host}` leads to no address")?;
                error.as_ref().map_or(Ok(()), |error| write!(f, ": {error}"))?;
                f.write_str("; write an address, or look at the name server")
            }
            Self::BadUrl(bad) => bad.fmt(f),
            Self::Foreign { place, listener } => write!(
                f,
                "{listener} listens on {place}, and is not of this service; stop that program, or give the service another port"
            ),
            Self::HttpStatus { url, status } => write!(f, "{url} answered {status}"),
            Self::HttpFault { url, fault } => write!(f, "{url} {fault}"),
            Self::Broken { place, error } => write!(f, "the connection to {place} broke: {error}"),
            Self::NoFile(path) => write!(f, "{} does not exist", path.display()),
            Self::FileUnreadable { path, error } => write!(f, "{} cannot be looked at: {error}", path.display()),
            Self::NotLogged(text) => write!(f, "its output does not say `{text}` yet"),
            Self::NotKept { folder, error } => {
                let folder = folder.display();
                f.write_str("its output cannot be kept, and so not be searched: ")?;
                match error {
                    SystemError::Number(Errno(libc::ENOSPC)) => write!(f, "the disk of {folder} is full"),
                    error => write!(f, "{folder}: {error}"),
                }
            }
            Self::CommandSaysNo { command, exit } => write!(f, "`{command}` ended with {exit}"),
            Self::CommandFailed { command, failure } => write!(f, "`{command}` {failure}"),
            Self::Waiting(stage) => stage.fmt(f),
            Self::TooSlow { stage, waited } => write!(f, "{stage} (waited {})", format_duration(*waited)),
            Self::NoThread(error) => {
                f.write_str("mainstay could not start a thread for the look: ")?;
                match error {
                    Some(error) => error.fmt(f),
                    None => f.write_str("it ended without an answer"),
                }
            }
            Self::Gpsd(fault) => fault.fmt(f),
            Self::Kismet(fault) => fault.fmt(f),
        }
    }
}

impl fmt::Display for GpsdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HungUp(place) => {
                write!(f, "{place} closed the connection before it said who it is; gpsd would send VERSION at once")
            }
            Self::NotGpsd { place, line: Some(line) } => {
                write!(f, "{place} does not speak like gpsd; it sent `{line}`")
            }
            Self::NotGpsd { place, line: None } => {
                write!(f, "{place} does not speak like gpsd; it sent a line without end")
            }
            Self::Silent(place) => write!(f, "gpsd on {place} talks, but does not answer ?DEVICES"),
            Self::NoDevice => {
                f.write_str("gpsd answers, but has no device; give it one on its command line, or with `gpsdctl add`")
            }
            Self::Inactive(devices) => write!(
                f,
                "gpsd answers, but no device is activated yet ({}); without `-n` gpsd opens a device only for a client",
                devices.join(", ")
            ),
        }
    }
}

impl fmt::Display for KismetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotKismet(url) => write!(f, "something answers on {url}, but not as Kismet does"),
            Self::Refuses(path) => write!(
                f,
                "Kismet refuses the credentials in {}; they must be those of the user that Kismet runs as",
                path.display()
            ),
            Self::NoCredentials { path, why } => write!(f, "the credentials file {} {why}", path.display()),
            Self::NoSource => {
                f.write_str("Kismet answers, but has no data source; give it one with `-c INTERFACE:type=linuxwifi`")
            }
            Self::Source { source, why } => {
                write!(f, "Kismet answers, but its data source {source} does not run")?;
                why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
            }
        }
    }
}

/// In words that follow the command.
impl fmt::Display for CommandFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(failure) => write!(f, "did not start: {failure}"),
            Self::TooSlow(waited) => write!(f, "had not ended after {} and was killed", format_duration(*waited)),
        }
    }
}

impl fmt::Display for BadUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            UrlFault::Space => "it has a space or a control character in it",
            UrlFault::Scheme => "it does not begin with http://",
            UrlFault::User => "it has a user name in it",
            UrlFault::Port => "its port is not a number",
            UrlFault::NoHost => "it has no host",
        };
        write!(f, "`{}` cannot be probed: {why}; write http://HOST:PORT/PATH", self.url)
    }
}

/// In words that follow the address.
impl fmt::Display for BadResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp => f.write_str("answered something that is not HTTP"),
            Self::HeadTooLong => write!(f, "sent more than {} KiB of headers", HEAD_LIMIT / 1024),
            Self::BodyTooLong => write!(f, "sent more than {} KiB", BODY_LIMIT / 1024),
            Self::BadLength => f.write_str("sent a body whose length makes no sense"),
            Self::CutShort => f.write_str("closed the connection in the middle of its answer"),
        }
    }
}

impl fmt::Display for HttpStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if self.phrase.is_empty() { Ok(()) } else { write!(f, " {}", self.phrase) }
    }
}

/// In words that follow the file.
impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
            Self::Missing(what) => {
                write!(f, "has no line `{}=…`; Kismet writes it when its login is set", what.key())
            }
        }
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun => {
                f.write_str("too many looks at files and names hang already; is a disk or a name server gone?")
            }
            Self::Resolving(host) => write!(f, "the name server does not answer for `{host}`"),
            Self::Connecting(place) => write!(f, "{place} does not take the connection"),
            Self::HttpAnswer(url) => write!(f, "{url} took the connection, but does not answer"),
            Self::GpsdVersion(place) => write!(
                f,
                "{place} takes connections, but no gpsd speaks there; either gpsd is still opening its receiver, \
                 or systemd (gpsd.socket) holds the port for a gpsd that does not run"
            ),
            Self::GpsdDevices(place) => write!(f, "gpsd on {place} does not answer ?DEVICES"),
            Self::File(path) => write!(f, "looking at {} hangs; is its disk or share gone?", path.display()),
            Self::Owner(place) => write!(f, "looking who listens on {place} takes long"),
            Self::Command(command) => write!(f, "`{command}` has not ended"),
        }
    }
}
