//! A u-blox GPS receiver on USB that speaks NMEA once a second.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use rustix::fs::OFlags;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::gadget::{Gadget, Place, Socket};
use super::nmea;

/// The device's end of the wire.
const NODE: &str = "/dev/ttyGS0";
/// How often it speaks.
const PERIOD: Duration = Duration::from_secs(1);

/// A GPS receiver, in or out.
#[derive(Debug)]
pub(crate) struct Gps {
    gadget: Gadget,
    ended: Arc<AtomicBool>,
    voice: Option<JoinHandle<()>>,
}

impl Gps {
    /// A receiver that is not plugged in yet. It has its fix all the time, as if it had a battery.
    pub(crate) fn new() -> Result<Self> {
        let gadget = Gadget::describe("gps", 0x1546, 0x01a7, "u-blox 7 - GPS/GNSS Receiver", 1)?;
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        let voice = thread::Builder::new().name("gps".to_owned()).spawn(move || speak(&end))?;
        Ok(Self { gadget, ended, voice: Some(voice) })
    }

    /// Plugs it in.
    pub(crate) fn plug(&self, socket: Socket) -> Result<Place> {
        self.gadget.plug(socket)
    }

    /// Pulls it out.
    pub(crate) fn unplug(&self) -> Result<()> {
        self.gadget.unplug()
    }
}

impl Drop for Gps {
    /// The voice must be silent before the gadget can be taken apart.
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(Err(_)) = self.voice.take().map(JoinHandle::join) {
            eprintln!("lab: the GPS's voice panicked");
        }
    }
}

/// Speaks until the end. A wire that hangs up (the gadget was pulled out) is opened anew.
fn speak(end: &AtomicBool) {
    let mut wire: Option<File> = None;
    while !end.load(Ordering::Relaxed) {
        wire = wire.or_else(|| open().ok()).and_then(|wire| say(wire).ok());
        thread::sleep(PERIOD);
    }
}

fn say(mut wire: File) -> Result<File> {
    // What the host tells it is read and forgotten, so that the wire does not fill up.
    let mut told = [0; 4096];
    while matches!(wire.read(&mut told), Ok(length) if length > 0) {}
    match wire.write(nmea::sentences(SystemTime::now()).as_bytes()) {
        // Nobody listens, and the wire is full: a receiver does not wait either.
        Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => Err(error.into()),
        _ => Ok(wire),
    }
}

fn open() -> Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits())?;
    let wire = OpenOptions::new().read(true).write(true).custom_flags(flags).open(NODE).context(NODE)?;
    let mut attributes = tcgetattr(&wire)?;
    // Without this the kernel would send every word of the host back to it.
    attributes.make_raw();
    tcsetattr(&wire, OptionalActions::Now, &attributes)?;
    Ok(wire)
}
