//! What readiness probes look at, and what they see.

use std::fmt;

use humantime::format_duration;

use crate::action::not_ready::{
    Awaited, BODY_LIMIT, BadResponse, BadUrl, CommandFailure, GpsdFault, HEAD_LIMIT, HttpStatus, KismetFault,
    NoCredentials, NotReady, UrlFault,
};
use crate::action::probe::{ProbeTarget, Sight};
use mainstay_hardware::error::{Errno, SystemError};

in_words! {
    ProbeTarget, f:
    Self::Tcp { host, port } => "tcp {host}:{port}",
    Self::Http { url } => "GET {url}",
    Self::Exec { command, .. } => ("exec {}", command.argv.join(" ")),
    Self::File { path } => ("file {}", path.display()),
    Self::Log { contains, .. } => "log line with {contains:?}",
    Self::Gpsd { port } => "gpsd on port {port}",
    Self::Kismet { port, .. } => "Kismet on port {port}",
}

in_words! {
    Sight, f:
    Self::TakesConnections(place) => "{place} takes connections",
    Self::HttpAnswer { url, status } => "{url} answered {status}",
    Self::CommandSaysYes(command) => "`{command}` ended with exit code 0",
    Self::FileExists(path) => ("{} exists", path.display()),
    Self::Logged(text) => "its output says `{text}`",
    Self::Gpsd { release, device } => "gpsd {release} reads {device}",
    Self::Kismet(user) => "Kismet answers; it runs as {user}",
    Self::KismetSource(source) => "Kismet's data source {source} runs",
    Self::OfUnknownOwner(sight, None) => "{sight} (cannot verify whose listener that is)",
    Self::OfUnknownOwner(sight, Some(error)) => "{sight} (cannot verify whose listener that is: {error})",
}

in_words! {
    /// In words that follow "not ready:".
    NotReady, f:
    Self::Refused(place) => "nothing listens on {place} (connection refused)",
    Self::NoListener(place) => "a connection to {place} was taken, but nothing listens there any more",
    Self::Unreachable { place, error } => "{place} cannot be reached: {error}",
    Self::UnknownHost { host, error } => {
        write!(f, "the name `{host}` leads to no address")?;
        error.as_ref().map_or(Ok(()), |error| write!(f, ": {error}"))?;
        f.write_str("; write an address, or look at the name server")
    },
    Self::BadUrl(bad) => "{bad}",
    Self::Foreign { place, listener } => "{listener} listens on {place}, and is not of this service; stop that program, or give the service another port",
    Self::HttpStatus { url, status } => "{url} answered {status}",
    Self::HttpFault { url, fault } => "{url} {fault}",
    Self::Broken { place, error } => "the connection to {place} broke: {error}",
    Self::NoFile(path) => ("{} does not exist", path.display()),
    Self::FileUnreadable { path, error } => ("{} cannot be looked at: {error}", path.display()),
    Self::NotLogged(text) => "its output does not say `{text}` yet",
    Self::NotKept { folder, error } => {
        let folder = folder.display();
        f.write_str("its output cannot be kept, and so not be searched: ")?;
        match error {
            SystemError::Number(Errno(libc::ENOSPC)) => write!(f, "the disk of {folder} is full"),
            error => write!(f, "{folder}: {error}"),
        }
    },
    Self::CommandSaysNo { command, exit } => "`{command}` ended with {exit}",
    Self::CommandFailed { command, failure } => "`{command}` {failure}",
    Self::Waiting(stage) => "{stage}",
    Self::TooSlow { stage, waited } => ("{stage} (waited {})", format_duration(*waited)),
    Self::NoThread(error) => {
        f.write_str("mainstay could not start a thread for the look: ")?;
        match error {
            Some(error) => error.fmt(f),
            None => f.write_str("it ended without an answer"),
        }
    },
    Self::Gpsd(fault) => "{fault}",
    Self::Kismet(fault) => "{fault}",
}

in_words! {
    GpsdFault, f:
    Self::HungUp(place) => "{place} closed the connection before it said who it is; gpsd would send VERSION at once",
    Self::NotGpsd { place, line: Some(line) } => "{place} does not speak like gpsd; it sent `{line}`",
    Self::NotGpsd { place, line: None } => "{place} does not speak like gpsd; it sent a line without end",
    Self::Silent(place) => "gpsd on {place} talks, but does not answer ?DEVICES",
    Self::NoDevice => "gpsd answers, but has no device; give it one on its command line, or with `gpsdctl add`",
    Self::Inactive(devices) => ("gpsd answers, but no device is activated yet ({}); without `-n` gpsd opens a device only for a client", devices.join(", ")),
}

in_words! {
    KismetFault, f:
    Self::NotKismet(url) => "something answers on {url}, but not as Kismet does",
    Self::Refuses(path) => ("Kismet refuses the credentials in {}; they must be those of the user that Kismet runs as", path.display()),
    Self::NoCredentials { path, why } => ("the credentials file {} {why}", path.display()),
    Self::NoSource => "Kismet answers, but has no data source; give it one with `-c INTERFACE:type=linuxwifi`",
    Self::Source { source, why } => {
        write!(f, "Kismet answers, but its data source {source} does not run")?;
        why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))
    },
}

in_words! {
    /// In words that follow the command.
    CommandFailure, f:
    Self::NotStarted(failure) => "did not start: {failure}",
    Self::TooSlow(waited) => ("had not ended after {} and was killed", format_duration(*waited)),
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

in_words! {
    /// In words that follow the address.
    BadResponse, f:
    Self::NotHttp => "answered something that is not HTTP",
    Self::HeadTooLong => ("sent more than {} KiB of headers", HEAD_LIMIT / 1024),
    Self::BodyTooLong => ("sent more than {} KiB", BODY_LIMIT / 1024),
    Self::BadLength => "sent a body whose length makes no sense",
    Self::CutShort => "closed the connection in the middle of its answer",
}

impl fmt::Display for HttpStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if self.phrase.is_empty() { Ok(()) } else { write!(f, " {}", self.phrase) }
    }
}

in_words! {
    /// In words that follow the file.
    NoCredentials, f:
    Self::Unreadable(error) => "cannot be read: {error}",
    Self::Missing(what) => ("has no line `{}=…`; Kismet writes it when its login is set", what.key()),
}

in_words! {
    Awaited, f:
    Self::Begun => "too many looks at files and names hang already; is a disk or a name server gone?",
    Self::Resolving(host) => "the name server does not answer for `{host}`",
    Self::Connecting(place) => "{place} does not take the connection",
    Self::HttpAnswer(url) => "{url} took the connection, but does not answer",
    Self::GpsdVersion(place) => "{place} takes connections, but no gpsd speaks there; either gpsd is still opening its receiver, \
                 or systemd (gpsd.socket) holds the port for a gpsd that does not run",
    Self::GpsdDevices(place) => "gpsd on {place} does not answer ?DEVICES",
    Self::File(path) => ("looking at {} hangs; is its disk or share gone?", path.display()),
    Self::Owner(place) => "looking who listens on {place} takes long",
    Self::Command(command) => "`{command}` has not ended",
}
