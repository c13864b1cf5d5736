//! A HackRF is asked who it is by vendor requests (host/libhackrf/src/hackrf.c). None of them disturbs the radio, and
//! none needs the interface; but a HackRF that is streaming must not be asked at all.
#![allow(clippy::disallowed_methods, reason = "a bound on waiting for hardware, on a thread without actors")]

use std::time::{Duration, Instant};

use rusb::{Context, DeviceHandle, UsbContext};

use crate::bus::{Depth, Findings, Unrecognised};
use crate::error::{Attempt, Error};
use crate::kernel::libusb::SharedContext;
use crate::sighting::{Sighting, UsbFacts};

/// Device to host, vendor, device (USB 2.0, 9.3).
const VENDOR_IN: u8 = 0xc0;
const BOARD_ID_READ: u8 = 14;
const VERSION_STRING_READ: u8 = 15;
const BOARD_PARTID_SERIALNO_READ: u8 = 18;
/// libhackrf waits 100 ms; a Raspberry Pi with a busy bus needs a little more.
const ANSWER: Duration = Duration::from_millis(500);
const VERSION_BYTES: usize = 255;
/// Two words of part id, four of serial number, little-endian.
const PART_AND_SERIAL_BYTES: usize = 24;
const PART_BYTES: usize = 8;

/// Asks board, firmware and, at full depth, serial number.
///
/// # Errors
/// When it cannot be opened or leaves. One that does not answer is unrecognised, which is no error.
pub(crate) fn probe(
    context: &SharedContext,
    sighting: &Sighting,
    depth: Depth,
    within: Duration,
) -> Result<Findings, Error> {
    let Some(usb) = &sighting.usb else {
        return Err(Error::NotOnUsb(sighting.key.clone()));
    };
    let tried = Attempt::AskHackrf(usb.path.clone());
    let talk = Talk { handle: open(context, usb, &tried)?, deadline: Instant::now() + within };
    match ask(&talk, depth) {
        Ok(findings) => Ok(findings),
        Err(error @ (rusb::Error::NoDevice | rusb::Error::NotFound)) => Err(tried.failed(error)),
        Err(error) => Ok(Findings::Unrecognised(Unrecognised::NoHackrf(error.into()))),
    }
}

fn open(context: &SharedContext, usb: &UsbFacts, tried: &Attempt) -> Result<DeviceHandle<Context>, Error> {
    let failed = |error: rusb::Error| tried.clone().failed(error);
    let devices = context.get().and_then(|context| context.devices()).map_err(failed)?;
    let device = devices.iter().find(|d| d.bus_number() == usb.bus && d.address() == usb.address);
    device.ok_or(rusb::Error::NoDevice).and_then(|device| device.open()).map_err(failed)
}

struct Talk {
    handle: DeviceHandle<Context>,
    deadline: Instant,
}

impl Talk {
    /// One request; answers with what was read.
    fn read<'a>(&self, request: u8, buffer: &'a mut [u8]) -> Result<&'a [u8], rusb::Error> {
        let left = self.deadline.saturating_duration_since(Instant::now()).min(ANSWER);
        if left < Duration::from_millis(1) {
            // Zero would mean "for ever" to libusb.
            return Err(rusb::Error::Timeout);
        }
        let read = self.handle.read_control(VENDOR_IN, request, 0, 0, buffer, left)?;
        buffer.get(..read).ok_or(rusb::Error::Overflow)
    }
}

fn ask(talk: &Talk, depth: Depth) -> Result<Findings, rusb::Error> {
    let board = board_name(talk.read(BOARD_ID_READ, &mut [0; 1])?.first().copied()).to_owned();
    let firmware = printable(talk.read(VERSION_STRING_READ, &mut [0; VERSION_BYTES])?);
    let serial = match depth {
        Depth::Identity => None,
        // Firmware before 2014 does not have this one.
        Depth::Full => match talk.read(BOARD_PARTID_SERIALNO_READ, &mut [0; PART_AND_SERIAL_BYTES]) {
            Ok(answer) if answer.len() == PART_AND_SERIAL_BYTES => answer.get(PART_BYTES..).map(words),
            Ok(_) | Err(rusb::Error::Pipe) => None,
            Err(error) => return Err(error),
        },
    };
    Ok(Findings::Hackrf { board, firmware, serial })
}

/// `enum hackrf_board_id`.
fn board_name(id: Option<u8>) -> &'static str {
    match id {
        Some(0) => "HackRF Jellybean",
        Some(1) => "HackRF Jawbreaker",
        Some(2) => "HackRF One",
        Some(3) => "rad1o",
        Some(4) => "HackRF One r9",
        Some(5) => "HackRF Pro",
        _ => "HackRF of an unknown board",
    }
}

/// A version string has no end mark; what is not printable is not shown.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).collect()
}

/// Little-endian words, as `hackrf_info` writes them.
fn words(bytes: &[u8]) -> String {
    let word = |chunk: &[u8]| chunk.try_into().map(u32::from_le_bytes).unwrap_or_default();
    bytes.chunks_exact(4).map(|chunk| format!("{:08x}", word(chunk))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn the_serial_number_is_written_as_hackrf_info_writes_it() {
        let answer: Vec<u8> = [0u32, 0, 0x88c8_69dc, 0x2b5c_8d1b].iter().flat_map(|w| w.to_le_bytes()).collect();
        assert_eq!(words(&answer), "000000000000000088c869dc2b5c8d1b");
    }

    #[test]
    fn a_board_from_the_future_still_has_a_name() {
        assert_eq!(board_name(Some(4)), "HackRF One r9");
        assert_eq!(board_name(Some(77)), "HackRF of an unknown board");
        assert_eq!(board_name(None), "HackRF of an unknown board");
    }

    #[test]
    fn a_version_may_hold_anything() {
        assert_eq!(printable(b"2024.02.1\n\0"), "2024.02.1");
        assert_eq!(printable(b"git-\xff"), "git-\u{fffd}");
    }
}
