//! Whether gpsd answers and has a receiver open. Whether that receiver has a fix is a matter of health, not of readiness.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::blocking::Threads;
use super::connect::{Connection, Door};
use super::progress::Progress;
use super::reports::{Device, Lines, Report};
use super::words::plain;
use crate::action::not_ready::{Awaited, GpsdFault, NotReady};
use crate::action::probe::Sight;

/// Reports that may come before the answer to `?DEVICES`.
const MOST_REPORTS: usize = 256;

/// Asks one gpsd.
pub(super) struct GpsdLook {
    door: Door,
}

impl GpsdLook {
    pub(super) fn new(port: u16, threads: &Threads) -> Self {
        Self { door: Door::on_loopback(port, threads) }
    }

    /// Connects, waits for VERSION, asks for the devices.
    pub(super) async fn look(&mut self, progress: &Progress) -> Result<Sight, NotReady> {
        let connection = self.door.open(progress).await?;
        let place = connection.place;
        // A connection proves little: systemd's gpsd.socket takes it also when gpsd does not run.
        progress.to(Awaited::GpsdVersion(place));
        let mut talk = Talk { connection, lines: Lines::default() };
        let line = talk.line().await?.ok_or(NotReady::Gpsd(GpsdFault::HungUp(place)))?;
        let Some(Report::Version { release }) = Report::parse(&line) else { return Err(talk.not_gpsd(Some(&line))) };
        progress.to(Awaited::GpsdDevices(place));
        let devices = talk.devices().await?;
        if devices.is_empty() {
            return Err(NotReady::Gpsd(GpsdFault::NoDevice));
        }
        match devices.iter().find(|device| device.is_activated()) {
            Some(device) => Ok(Sight::Gpsd { release: plain(&release, 40), device: device.path() }),
            None => {
                let devices = devices.iter().take(4).map(Device::path).collect();
                Err(NotReady::Gpsd(GpsdFault::Inactive(devices)))
            }
        }
    }
}

struct Talk {
    connection: Connection,
    lines: Lines,
}

impl Talk {
    async fn devices(&mut self) -> Result<Vec<Device>, NotReady> {
        let asked = self.connection.stream.write_all(b"?DEVICES;\n").await;
        asked.map_err(|error| self.connection.broken(&error))?;
        for _ in 0..MOST_REPORTS {
            let Some(line) = self.line().await? else { break };
            match Report::parse(&line) {
                Some(Report::Devices { devices }) => return Ok(devices),
                Some(_other) => {}
                None => return Err(self.not_gpsd(Some(&line))),
            }
        }
        Err(NotReady::Gpsd(GpsdFault::Silent(self.connection.place)))
    }

    /// The next line; `None` when the connection was closed.
    async fn line(&mut self) -> Result<Option<Vec<u8>>, NotReady> {
        loop {
            if let Some(line) = self.lines.pop().map_err(|_long| self.not_gpsd(None))? {
                return Ok(Some(line));
            }
            let mut piece = [0; 4096];
            let count = self.connection.stream.read(&mut piece).await;
            match piece.get(..count.map_err(|error| self.connection.broken(&error))?).unwrap_or_default() {
                [] => return Ok(None),
                piece => self.lines.push(piece),
            }
        }
    }

    fn not_gpsd(&self, line: Option<&[u8]>) -> NotReady {
        let line = line.map(|line| plain(&String::from_utf8_lossy(line), 60));
        NotReady::Gpsd(GpsdFault::NotGpsd { place: self.connection.place, line })
    }
}
