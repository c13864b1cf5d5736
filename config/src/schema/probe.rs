//! `ready`: what is looked at.

use crate::read::{AbsolutePath, Argv, Boxed, Either, Filled, HttpUrl, Port, Text, TimeSpan, Word, section};

/// `"process"`, `"notify"`, or a table.
pub(crate) type ReadyValue = Either<ReadyWord, Boxed<ReadyTable>>;

/// A port number, or `"{port.NAME}"`.
pub(crate) type PortRef = Either<Port, Text>;

/// `notify = true` or `notify = { within = "10s" }`.
pub(crate) type Bare = Either<bool, BareProbe>;

/// The probes that need no table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ReadyWord {
    Process,
    Notify,
}

impl Word for ReadyWord {
    const WHAT: &'static str = "a way to be ready";
    const WORDS: &'static [(&'static str, Self)] = &[("process", Self::Process), ("notify", Self::Notify)];
}

section! {
    /// When a service counts as ready: exactly one kind of check, and `within`.
    struct ReadyTable requires []
        one_of ["process", "notify", "tcp", "http", "exec", "file", "log", "gpsd", "kismet"] or_only "within"
    {
        /// It lives.
        process: Bare,
        /// It says READY=1 on NOTIFY_SOCKET (sd_notify).
        notify: Bare,
        /// It accepts a TCP connection.
        tcp: TcpProbe,
        /// It answers an HTTP GET with 2xx or 3xx.
        http: HttpProbe,
        /// A command exits with 0.
        exec: ExecProbe,
        /// A file exists.
        file: FileProbe,
        /// A line of its output contains a text.
        log: LogProbe,
        /// gpsd answers on its port and has a device.
        gpsd: GpsdProbe,
        /// Kismet answers on its port.
        kismet: KismetProbe,
        /// Not ready by then: the start has failed. May also stand inside the check.
        within: TimeSpan,
    }
}

section! {
    /// A check with nothing to say but the time.
    struct BareProbe requires [] {
        /// Not ready by then: the start has failed.
        within: TimeSpan,
    }
}

section! {
    /// It accepts a TCP connection.
    struct TcpProbe requires ["port"] {
        /// Port number, or "{port.NAME}".
        port: PortRef,
        /// Address. Default "127.0.0.1".
        host: Filled,
        /// Not ready by then: the start has failed.
        within: TimeSpan,
    }
}

section! {
    /// It answers an HTTP GET with 2xx or 3xx.
    struct HttpProbe requires ["url"] {
        /// http://host:port/path; templates such as {port.web} are filled in.
        url: HttpUrl,
        /// Not ready by then: the start has failed.
        within: TimeSpan,
    }
}

section! {
    /// A command exits with 0.
    struct ExecProbe requires ["command"] {
        /// Program and arguments.
        command: Argv,
        /// Not ready by then: the start has failed.
        within: TimeSpan,
    }
}

section! {
    /// A file exists.
    struct FileProbe requires ["path"] {
        /// Its absolute path; templates are filled in.
        path: Filled,
        /// Not ready by then: the start has failed.
        within: TimeSpan,
    }
}

section! {
    /// A line of its output contains a text.
    struct LogProbe requires ["contains"] {
        /// The text.
        contains: Filled,
        /// Not ready by then: the start has failed.
        within: TimeSpan,
    }
}

section! {
    /// gpsd answers on its port and has a device.
    struct GpsdProbe requires ["port"] {
        /// Port number, or "{port.NAME}".
        port: PortRef,
        /// `live` only: the newest fix must not be older (acted on by a later version).
        max_age: TimeSpan,
        /// Not ready by then: the start has failed.
        within: TimeSpan,
    }
}

section! {
    /// Kismet answers on its port.
    struct KismetProbe requires ["port"] {
        /// Port number, or "{port.NAME}".
        port: PortRef,
        /// File with httpd_username= and httpd_password= lines; with it, ready means that a source runs without error.
        credentials: AbsolutePath,
        /// Not ready by then: the start has failed.
        within: TimeSpan,
    }
}
