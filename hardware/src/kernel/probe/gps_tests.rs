//! Receivers behind a real line discipline: a pseudo-terminal, whose other end sees at which speed it is listened to.

#![allow(clippy::disallowed_methods, reason = "a test waits for what it begins")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::tcgetattr;

use super::*;
use crate::bus::Fix;
use crate::sighting::{Access, Generation, Key};

const SENTENCE: &[u8] = b"$GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1*39\r\n";
/// What a receiver sounds like at another speed than its own.
const NOISE: &[u8] = &[0x00, 0xf8, 0x1c, b'$', 0x80, 0xe6, 0xb5, 0x62, 0x9e, b'\n'];

/// A receiver that speaks at one speed, for as long as somebody listens.
struct Receiver {
    end: OwnedFd,
    node: std::path::PathBuf,
}

impl Receiver {
    fn new() -> Self {
        let end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&end).unwrap();
        unlockpt(&end).unwrap();
        let node = ptsname(&end, Vec::new()).unwrap().into_string().unwrap().into();
        Self { end, node }
    }

    fn sighting(&self) -> Sighting {
        Sighting {
            key: Key("tty/test".to_owned()),
            generation: Generation("test".to_owned()),
            usb: None,
            sort: Sort::Tty { node: self.node.clone(), driver: Some("ftdi_sio".to_owned()) },
            access: Access::Unknown,
        }
    }

    /// Speaks on a thread of its own until the value that is given back is dropped.
    fn speak(self, speed: u32) -> std::sync::mpsc::Sender<()> {
        let (stop, stopped) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let mut end = File::from(self.end);
            while stopped.recv_timeout(Duration::from_millis(20)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                let heard_at = tcgetattr(&end).unwrap().output_speed();
                let _ = end.write_all(if heard_at == speed { SENTENCE } else { NOISE });
            }
        });
        stop
    }
}

fn probed(speed: u32, within: Duration) -> Findings {
    let receiver = Receiver::new();
    let sighting = receiver.sighting();
    let _speaking = receiver.speak(speed);
    probe(&sighting, Depth::Full, within).unwrap()
}

#[test]
fn a_receiver_behind_a_bridge_is_found_at_its_speed() {
    let nmea = |baud| Findings::Gps { baud, protocol: GpsProtocol::Nmea, fix: Some(Fix::ThreeD) };
    for speed in [9600, 4800] {
        assert_eq!(probed(speed, Duration::from_secs(10)), nmea(speed));
    }
}

#[test]
fn a_receiver_that_speaks_at_no_usual_speed_is_unrecognised() {
    let silent = Findings::Unrecognised(Unrecognised::NoGpsAtAnySpeed);
    assert_eq!(probed(300, Duration::from_secs(2)), silent);
}
