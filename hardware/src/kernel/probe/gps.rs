//! A GPS receiver is listened to, never spoken to: at each usual line speed until something with a right checksum
//! comes.
#![allow(clippy::disallowed_methods, reason = "a bound on waiting for hardware, on a thread without actors")]

use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};
use tokio_serial::{SerialPort, SerialPortBuilderExt, SerialStream};

use super::listener::Listener;
use crate::bus::{Depth, Findings, GpsProtocol, Unrecognised};
use crate::error::{Attempt, Error, SystemError};
use crate::sighting::{Sighting, Sort};

/// Most common first: NMEA's own successor speed, SiRF, u-blox M10, fast modules, then the rare ones.
const BAUDS: [u32; 6] = [9600, 4800, 38_400, 115_200, 57_600, 19_200];
/// A receiver says something at least once a second.
const PER_BAUD: Duration = Duration::from_millis(1500);
/// On USB itself the speed does not matter, so the one pass may take longer.
const ON_USB: Duration = Duration::from_secs(3);
/// After the first sentence, how long to wait for one that tells of the fix: they come in bursts, once a second.
const FIX: Duration = Duration::from_millis(1500);
const CHUNK_BYTES: usize = 1024;

/// Finds line speed, protocol and quality of the fix.
///
/// # Errors
/// When the port cannot be opened or goes away. Silence is unrecognised, which is no error.
pub(crate) fn probe(sighting: &Sighting, depth: Depth, within: Duration) -> Result<Findings, Error> {
    let Sort::Tty { node, driver } = &sighting.sort else {
        return Err(Error::NoSerialPort(sighting.key.clone()));
    };
    if depth == Depth::Identity {
        return Ok(Findings::Unread);
    }
    let any_speed = driver.as_deref() == Some("cdc_acm");
    let tried = Attempt::Listen(node.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| tried.clone().failed(e))?.block_on(async {
        let deadline = Instant::now() + within;
        let mut port = Port { stream: open(node, &tried)?, tried };
        if any_speed {
            return port.listen(&BAUDS[..1], ON_USB, deadline).await;
        }
        port.listen(&BAUDS, PER_BAUD, deadline).await
    })
}

fn open(node: &Path, tried: &Attempt) -> Result<SerialStream, Error> {
    // Not exclusive: the service that leases the port opens it next, and must not find it locked.
    let builder = tokio_serial::new(node.to_string_lossy(), BAUDS[0]).exclusive(false);
    builder.open_native_async().map_err(|e| serial_error(tried, &e))
}

struct Port {
    stream: SerialStream,
    tried: Attempt,
}

impl Port {
    async fn listen(&mut self, bauds: &[u32], each: Duration, deadline: Instant) -> Result<Findings, Error> {
        for baud in bauds {
            if Instant::now() >= deadline {
                break;
            }
            self.stream.set_baud_rate(*baud).map_err(|e| serial_error(&self.tried, &e))?;
            let mut listener = Listener::new();
            let until = deadline.min(Instant::now() + each);
            if let Some(protocol) = self.recognise(&mut listener, until).await? {
                let until = deadline.min(Instant::now() + FIX);
                self.wait_for_fix(&mut listener, until).await?;
                return Ok(Findings::Gps { baud: *baud, protocol, fix: listener.fix() });
            }
        }
        let silent = if bauds.len() > 1 { Unrecognised::NoGpsAtAnySpeed } else { Unrecognised::NoGps };
        Ok(Findings::Unrecognised(silent))
    }

    async fn recognise(&mut self, listener: &mut Listener, until: Instant) -> Result<Option<GpsProtocol>, Error> {
        while listener.protocol().is_none() && self.hear(listener, until).await? {}
        Ok(listener.protocol())
    }

    async fn wait_for_fix(&mut self, listener: &mut Listener, until: Instant) -> Result<(), Error> {
        while !listener.fix_is_final() && self.hear(listener, until).await? {}
        Ok(())
    }

    /// Reads once. False when the time is up.
    async fn hear(&mut self, listener: &mut Listener, until: Instant) -> Result<bool, Error> {
        let mut chunk = [0u8; CHUNK_BYTES];
        let Ok(read) = timeout_at(until, self.stream.read(&mut chunk)).await else { return Ok(false) };
        match read {
            // An unplugged port is at its end.
            Ok(0) => Err(Error::Gone(self.tried.clone())),
            Ok(read) => {
                listener.hear(chunk.get(..read).unwrap_or_default());
                Ok(true)
            }
            Err(error) if error.raw_os_error() == Some(EIO) => Err(Error::Gone(self.tried.clone())),
            Err(error) => Err(self.tried.clone().failed(error)),
        }
    }
}

/// `EIO`: the port was hung up, as on unplugging.
const EIO: i32 = 5;

fn serial_error(tried: &Attempt, error: &tokio_serial::Error) -> Error {
    use rustix::io::Errno;
    use std::io::ErrorKind as Io;
    let said: SystemError = match error.kind() {
        // The library's word for EBUSY: somebody has locked the port (TIOCEXCL).
        tokio_serial::ErrorKind::NoDevice | tokio_serial::ErrorKind::Io(Io::WouldBlock) => Errno::BUSY.into(),
        tokio_serial::ErrorKind::Io(Io::NotFound) => Errno::NOENT.into(),
        tokio_serial::ErrorKind::Io(Io::PermissionDenied) => Errno::ACCESS.into(),
        // Where the library has words only.
        _ if ["No such device", "I/O error"].iter().any(|gone| error.description.starts_with(gone)) => {
            return Error::Gone(tried.clone());
        }
        _ => SystemError::Words(error.to_string().into()),
    };
    tried.clone().failed(said)
}

#[cfg(test)]
#[path = "gps_tests.rs"]
mod tests;
