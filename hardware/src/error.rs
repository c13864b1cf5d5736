//! What hardware refuses to do, and what the operating system says when it does not do something: facts, with their words.

use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

use mainstay_config::model::WifiMode;
use mainstay_config::names::UsbPath;
use rustix::io::Errno as Number;

use crate::modes::listed;
pub use crate::node_group::NodeGroup;
use crate::node_group::open_words;
use crate::sighting::{Key, Source};
use crate::trouble::Trouble;

/// An error as errno(3) numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Errno(pub i32);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

/// What the operating system said of something that it did not do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum SystemError {
    /// Its number.
    Number(Errno),
    /// Its words, where it has no number for it: those of a name server's client, say.
    Words(Box<str>),
}

impl fmt::Display for SystemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(errno) => errno.fmt(f),
            Self::Words(words) => f.write_str(words),
        }
    }
}

impl From<&io::Error> for SystemError {
    fn from(error: &io::Error) -> Self {
        let words = || Self::Words(error.to_string().into());
        error.raw_os_error().map_or_else(words, |number| Self::Number(Errno(number)))
    }
}

impl From<io::Error> for SystemError {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

impl From<rustix::io::Errno> for SystemError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Number(Errno(error.raw_os_error()))
    }
}

impl From<rusb::Error> for SystemError {
    /// libusb has names of its own for what the kernel says.
    fn from(error: rusb::Error) -> Self {
        use rusb::Error as Usb;
        match error {
            Usb::Io => Number::IO.into(),
            Usb::Access => Number::ACCESS.into(),
            Usb::NoDevice => Number::NODEV.into(),
            Usb::NotFound => Number::NOENT.into(),
            Usb::Busy => Number::BUSY.into(),
            Usb::Timeout => Number::TIMEDOUT.into(),
            Usb::Pipe => Number::PIPE.into(),
            Usb::NoMem => Number::NOMEM.into(),
            Usb::NotSupported => Number::OPNOTSUPP.into(),
            other => Self::Words(other.to_string().into()),
        }
    }
}

/// What went wrong with a piece of hardware.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum Error {
    /// The system refused what was tried.
    #[error("{tried}: {said}{}", cure(tried, said))]
    Failed {
        /// What was tried.
        tried: Attempt,
        /// What the system said.
        said: SystemError,
    },
    /// This user may not open a node.
    #[error("{}: {said}; {}", .node.display(), open_words(.group.as_ref()))]
    MayNotOpen {
        /// Which.
        node: PathBuf,
        /// What the system said.
        said: SystemError,
        /// The group that may, unless only root's may.
        group: Option<NodeGroup>,
    },
    /// What is to be worked on was not there, or went away meanwhile.
    #[error("{0}: it is not there (any more)")]
    Gone(Attempt),
    /// A driver did not answer within this time.
    #[error("{}: the driver did not answer within {} s", .0, .1.as_secs())]
    Unanswered(Attempt, Duration),
    /// The kernel has no Wi-Fi.
    #[error("{0}: this kernel has no nl80211 (no Wi-Fi driver is loaded; `modprobe cfg80211` or plug a radio in)")]
    NoWifi(Attempt),
    /// The kernel knows no such mode.
    #[error("{0}: no such mode")]
    NoSuchMode(Attempt),
    /// It is to be asked over USB, and is not there.
    #[error("{} is not on USB", .0.0)]
    NotOnUsb(Key),
    /// It is to be listened to, and cannot speak.
    #[error("{} is no serial port", .0.0)]
    NoSerialPort(Key),
    /// No network interface has this name.
    #[error("{0}: there is no such interface (any more)")]
    NoInterface(String),
    /// No radio has an interface with this index.
    #[error("there is no Wi-Fi interface {0} (any more)")]
    NoIndex(u32),
    /// The radio of this interface is gone.
    #[error("the radio of {0} is gone")]
    NoRadio(String),
    /// A radio says that it cannot do a mode.
    #[error("{interface} can do {}, not {}", listed(.supported, "and"), .wanted.as_str())]
    NoMode {
        /// The name of its interface.
        interface: String,
        /// What it can do.
        supported: Vec<WifiMode>,
        /// What was asked for.
        wanted: WifiMode,
    },
    /// Somebody lives on a radio.
    #[error("{0}; `takeover = true` in the service's need takes it all the same")]
    LivedOn(Tenancy),
    /// A switch on the device blocks the radio of this interface.
    #[error("{0} is blocked by a switch (rfkill hard); move the switch on the device")]
    Switched(String),
    /// No source of news about hardware can be heard.
    #[error("{}", troubles(.0))]
    NothingWatched(Vec<(Source, Trouble)>),
    /// Reading the radios panicked.
    #[error("reading the radios failed")]
    ReadingPanicked,
    /// A call to a driver came to nothing.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// A simulated device cannot be plugged in or out.
    #[error(transparent)]
    Plug(#[from] PlugError),
    /// Simulated hardware refuses.
    #[error("{0} (simulated)")]
    Simulated(ErrorKind),
}

/// What was tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum Attempt {
    /// To hear of hardware.
    #[error("starting to watch hardware")]
    Watch,
    /// To open a node.
    #[error("{}", .0.display())]
    Open(PathBuf),
    /// To ask a HackRF who it is.
    #[error("asking the HackRF at USB {0}")]
    AskHackrf(UsbPath),
    /// To hear a GPS receiver.
    #[error("listening to {}", .0.display())]
    Listen(PathBuf),
    /// To keep a USB device from sleeping.
    #[error("keep USB {0} awake")]
    KeepAwake(UsbPath),
    /// To let it sleep.
    #[error("let USB {0} sleep again")]
    LetSleep(UsbPath),
    /// To lift a soft block of rfkill from an interface.
    #[error("lifting the rfkill block of {0}")]
    Unblock(String),
    /// To put it back.
    #[error("putting the rfkill block of {0} back")]
    Block(String),
    /// To talk to the kernel over netlink.
    #[error("connecting to the kernel's network side")]
    Connect,
    /// Something about radios and networks, over netlink.
    #[error(transparent)]
    Network(#[from] NetworkAttempt),
}

/// What was tried with radios and networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum NetworkAttempt {
    /// To list the interfaces of radios.
    #[error("listing Wi-Fi interfaces")]
    ListRadios,
    /// To ask what modes a radio can do.
    #[error("asking a radio for its modes")]
    ListModes,
    /// To list all interfaces.
    #[error("listing network interfaces")]
    ListLinks,
    /// To list the addresses of one.
    #[error("listing the addresses of an interface")]
    ListAddresses,
    /// To put an interface into a mode.
    #[error("putting {} into {} mode", .0, .1.as_str())]
    SetMode(String, WifiMode),
    /// To take it down before.
    #[error("putting {} into {} mode: taking it down first", .0, .1.as_str())]
    TakeDown(String, WifiMode),
    /// To take it up afterwards.
    #[error("putting {} into {} mode: taking it up", .0, .1.as_str())]
    TakeUp(String, WifiMode),
    /// To delete an interface that was added.
    #[error("deleting {0}, which was not there before")]
    Delete(String),
    /// To make one again.
    #[error("making {0} again, which was deleted meanwhile")]
    MakeAgain(String),
    /// To put one back as it was.
    #[error("putting {0} back as it was")]
    PutBack(String),
}

/// What somebody lives on, and how.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum Tenancy {
    /// It is an access point.
    #[error("{0} is an access point")]
    AccessPoint(String),
    /// The default route goes over it.
    #[error("{0} carries the default route")]
    DefaultRoute(String),
    /// Somebody is logged in over it.
    #[error("{0} carries a login (ssh to {1})")]
    Login(String, std::net::IpAddr),
}

/// Why a call to a driver or to the kernel, which may hang, came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum NoAnswer {
    /// So many other calls hang that it was not begun.
    #[error("not tried: {0} other calls to drivers hang, and no further one is begun")]
    OthersHang(usize),
    /// Earlier looks at files hang, and it is another one.
    #[error("earlier looks at files hang; is a disk or share gone?")]
    FilesHang,
    /// An earlier call to the same driver has not come back.
    #[error("an earlier call to its driver has not come back")]
    EarlierHangs,
    /// No thread could be started for it.
    #[error("no thread for the call to the driver: {0}")]
    NoThread(SystemError),
    /// It panicked.
    #[error("the call to the driver panicked")]
    Panicked,
    /// It did not come back within this time.
    #[error("no answer from the driver within {0:?}")]
    Late(Duration),
    /// The system refused it.
    #[error("{0}")]
    Refused(SystemError),
}

/// Why a simulated device cannot be plugged in or out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum PlugError {
    /// There is none of this name; there are these.
    #[error("there is no simulated device `{}`; there are {}", .0, .1.join(", "))]
    Unknown(String, Vec<String>),
    /// It is out.
    #[error("{0} is not plugged in")]
    NotPlugged(String),
    /// It is in.
    #[error("{0} is plugged in already; unplug it first")]
    Plugged(String),
    /// It has no plug for such a socket.
    #[error("{0} is not on USB, so it cannot be plugged into {1}")]
    NotOnUsb(String, UsbPath),
    /// Another one is in the socket.
    #[error("USB {0} is taken by {1}; choose another socket")]
    Taken(UsbPath, String),
}

/// What sort of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum ErrorKind {
    /// It is not there (ENODEV, ENOENT).
    #[error("it is not there")]
    NotFound,
    /// Somebody else has it (EBUSY).
    #[error("somebody else has it")]
    Busy,
    /// Not allowed (EACCES, EPERM).
    #[error("permission denied")]
    PermissionDenied,
    /// It cannot do that (EOPNOTSUPP).
    #[error("it cannot do that")]
    NotSupported,
    /// Mainstay itself refuses, to protect somebody.
    #[error("refused")]
    Refused,
    /// It was not even tried, since too much else hangs: it may be as well as ever.
    #[error("not tried: others hang")]
    NotTried,
    /// It did not answer in time.
    #[error("the driver does not answer")]
    TimedOut,
    /// Anything else.
    #[error("it fails")]
    Other,
}

impl Attempt {
    /// The system refused it.
    pub(crate) fn failed(self, said: impl Into<SystemError>) -> Error {
        Error::Failed { tried: self, said: said.into() }
    }
}

impl Error {
    /// What sort of trouble.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Failed { said, .. } | Self::MayNotOpen { said, .. } => said.kind(),
            Self::Gone(_)
            | Self::NotOnUsb(_)
            | Self::NoSerialPort(_)
            | Self::NoInterface(_)
            | Self::NoIndex(_)
            | Self::NoRadio(_)
            | Self::Plug(PlugError::Unknown(..) | PlugError::NotPlugged(_)) => ErrorKind::NotFound,
            Self::Plug(PlugError::Plugged(_) | PlugError::Taken(..)) => ErrorKind::Busy,
            Self::Unanswered(..) | Self::NoAnswer(NoAnswer::EarlierHangs | NoAnswer::Late(_)) => ErrorKind::TimedOut,
            Self::NoWifi(_)
            | Self::NoSuchMode(_)
            | Self::NoMode { .. }
            | Self::NothingWatched(_)
            | Self::Plug(PlugError::NotOnUsb(..)) => ErrorKind::NotSupported,
            Self::LivedOn(_) | Self::Switched(_) => ErrorKind::Refused,
            Self::NoAnswer(NoAnswer::OthersHang(_) | NoAnswer::FilesHang) => ErrorKind::NotTried,
            Self::NoAnswer(NoAnswer::NoThread(_) | NoAnswer::Panicked | NoAnswer::Refused(_))
            | Self::ReadingPanicked => ErrorKind::Other,
            Self::Simulated(kind) => *kind,
        }
    }
}

impl SystemError {
    fn kind(&self) -> ErrorKind {
        let Self::Number(Errno(number)) = self else { return ErrorKind::Other };
        match Number::from_raw_os_error(*number) {
            Number::NODEV | Number::NOENT | Number::NXIO => ErrorKind::NotFound,
            Number::BUSY => ErrorKind::Busy,
            Number::ACCESS | Number::PERM => ErrorKind::PermissionDenied,
            Number::OPNOTSUPP => ErrorKind::NotSupported,
            Number::TIMEDOUT => ErrorKind::TimedOut,
            _ => ErrorKind::Other,
        }
    }
}

/// What helps where something is not allowed.
fn cure(tried: &Attempt, said: &SystemError) -> &'static str {
    match tried {
        _ if said.kind() != ErrorKind::PermissionDenied => "",
        Attempt::AskHackrf(_) => "; add the user that runs mainstay to group plugdev, and start mainstay anew",
        Attempt::Network(_) => "; mainstay needs CAP_NET_ADMIN for this: run it as root or by its systemd unit",
        Attempt::Watch
        | Attempt::Open(_)
        | Attempt::Listen(_)
        | Attempt::KeepAwake(_)
        | Attempt::LetSleep(_)
        | Attempt::Unblock(_)
        | Attempt::Block(_)
        | Attempt::Connect => "",
    }
}

fn troubles(troubles: &[(Source, Trouble)]) -> String {
    let words: Vec<String> = troubles.iter().map(|(source, why)| why.words(*source)).collect();
    words.join("; ")
}
