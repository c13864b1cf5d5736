//! Who manages an interface, as far as files tell. Best effort: nothing here is announced by an event.
//!
//! A command line is read through the memory of its process: the kernel waits for the lock of that memory (`mmap_lock`, in
//! `get_mm_cmdline` of fs/proc/base.c), which a process whose disk or driver does not answer may hold for ever. So it is read on a thread
//! that is left behind when it does not come back: one stuck process must not keep all radios from being seen.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use crate::watched;

/// More processes than a station runs.
const PROCESSES: usize = 32_768;
const COMMAND_LINE_BYTES: u64 = 4096;
/// How long a command line is waited for; it takes microseconds.
const PATIENCE: Duration = Duration::from_millis(100);

/// Held by the thread that reads command lines: as long as one does not come back, there is no other.
type Busy = Arc<()>;

static BUSY: LazyLock<Busy> = LazyLock::new(Busy::default);

/// The processes that may manage an interface, looked for once for all radios.
#[derive(Debug, Default)]
pub(crate) struct Managers {
    running: Vec<Process>,
}

#[derive(Debug)]
struct Process {
    command: String,
    command_line: Vec<u8>,
}

impl Managers {
    /// Those that run now.
    pub(crate) fn look() -> Self {
        Self::look_in(Path::new("/proc"), &BUSY)
    }

    fn look_in(proc: &Path, busy: &Busy) -> Self {
        let Ok(entries) = std::fs::read_dir(proc) else { return Self::default() };
        let names = entries.take(PROCESSES).filter_map(|entry| Some(entry.ok()?.file_name()));
        let is_process = |name: &OsString| name.to_str().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
        let named = names.filter(is_process).filter_map(|pid| named_so(proc.join(pid))).collect();
        Self { running: with_command_lines(named, busy) }
    }

    /// `wpa_supplicant`, `hostapd`, `NetworkManager`, or nobody.
    pub(crate) fn of(&self, ifindex: u32, interface: &str) -> Option<String> {
        let direct = self.running.iter().find(|process| names_interface(&process.command_line, interface));
        direct.map(|process| process.command.clone()).or_else(|| {
            let managed = network_manager(Path::new("/run/NetworkManager/devices"), ifindex);
            managed.then(|| "NetworkManager".to_owned())
        })
    }
}

/// NetworkManager keeps a file for each interface while it runs.
fn network_manager(devices: &Path, ifindex: u32) -> bool {
    let Ok(text) = std::fs::read_to_string(devices.join(ifindex.to_string())) else { return false };
    text.lines().any(|line| line.trim() == "managed=true")
}

/// Its name, which nobody can hold up, where that is the name of a manager.
fn named_so(directory: PathBuf) -> Option<(String, PathBuf)> {
    let command = std::fs::read_to_string(directory.join("comm")).ok()?.trim().to_owned();
    ["wpa_supplicant", "hostapd"].contains(&command.as_str()).then_some((command, directory))
}

/// Those of which the command line came in time.
fn with_command_lines(named: Vec<(String, PathBuf)>, busy: &Busy) -> Vec<Process> {
    if named.is_empty() || Arc::strong_count(busy) > 1 {
        return Vec::new();
    }
    let (answer, answered) = channel();
    let busy = Arc::clone(busy);
    let read = move || {
        for (command, directory) in named {
            let read = command_line(&directory).map(|command_line| Process { command, command_line });
            // Nobody may be waiting any more.
            read.into_iter().for_each(|process| drop(answer.send(process)));
        }
        drop(busy);
        drop(answer);
    };
    let mut read_in_time = Vec::new();
    if watched::call("wifi-read", read).is_err() {
        return read_in_time;
    }
    loop {
        match answered.recv_timeout(PATIENCE) {
            Ok(process) => read_in_time.push(process),
            Err(RecvTimeoutError::Disconnected) => return read_in_time,
            Err(RecvTimeoutError::Timeout) => {
                tracing::warn!("who manages which radio cannot be read: hostapd or wpa_supplicant hangs in the kernel");
                return read_in_time;
            }
        }
    }
}

fn command_line(directory: &Path) -> Option<Vec<u8>> {
    let mut command_line = Vec::new();
    let file = std::fs::File::open(directory.join("cmdline")).ok()?;
    file.take(COMMAND_LINE_BYTES).read_to_end(&mut command_line).ok()?;
    Some(command_line)
}

/// `-iwlan2`, or `-i` and then `wlan2`.
fn names_interface(command_line: &[u8], interface: &str) -> bool {
    let arguments: Vec<&[u8]> = command_line.split(|byte| *byte == 0).collect();
    let apart = arguments.iter().zip(arguments.iter().skip(1)).any(|(a, b)| *a == b"-i" && *b == interface.as_bytes());
    apart || arguments.iter().any(|a| a.strip_prefix(b"-i") == Some(interface.as_bytes()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn a_supplicant_is_known_by_the_interface_it_was_given() {
        assert!(names_interface(b"wpa_supplicant\0-B\0-iwlan2\0-c\0/etc/wpa.conf\0", "wlan2"));
        assert!(names_interface(b"wpa_supplicant\0-i\0wlan2\0", "wlan2"));
        assert!(!names_interface(b"wpa_supplicant\0-iwlan20\0", "wlan2"));
        assert!(!names_interface(b"wpa_supplicant\0-u\0-s\0", "wlan2"));
    }

    #[test]
    fn the_process_that_manages_an_interface_is_found_by_its_name() {
        let proc = tempfile::tempdir().unwrap();
        let process = proc.path().join("812");
        std::fs::create_dir(&process).unwrap();
        std::fs::write(process.join("comm"), "hostapd\n").unwrap();
        std::fs::write(process.join("cmdline"), b"hostapd\0-i\0wlan1\0ap.conf\0").unwrap();
        let managers = Managers::look_in(proc.path(), &Busy::default());
        assert_eq!(managers.of(u32::MAX, "wlan1"), Some("hostapd".to_owned()));
        assert_eq!(managers.of(u32::MAX, "wlan2"), None);
    }

    #[test]
    fn a_manager_that_hangs_in_the_kernel_is_not_waited_for_and_asked_by_one_thread_only() {
        let (proc, busy) = (tempfile::tempdir().unwrap(), Busy::default());
        let process = proc.path().join("812");
        std::fs::create_dir(&process).unwrap();
        std::fs::write(process.join("comm"), "hostapd\n").unwrap();
        // Nobody can open it for reading before somebody writes.
        let command_line = process.join("cmdline");
        rustix::fs::mkfifoat(rustix::fs::CWD, &command_line, rustix::fs::Mode::RWXU).unwrap();
        for _ in 0..3 {
            assert_eq!(Managers::look_in(proc.path(), &busy).of(u32::MAX, "wlan1"), None);
            assert_eq!(Arc::strong_count(&busy), 2);
        }
        std::fs::write(&command_line, b"hostapd\0-iwlan1\0").unwrap();
        while Arc::strong_count(&busy) > 1 {
            std::thread::yield_now();
        }
        std::fs::remove_file(&command_line).unwrap();
        std::fs::write(&command_line, b"hostapd\0-iwlan1\0").unwrap();
        assert_eq!(Managers::look_in(proc.path(), &busy).of(u32::MAX, "wlan1"), Some("hostapd".to_owned()));
    }

    #[test]
    fn network_manager_says_which_interfaces_it_leaves_alone() {
        let devices = tempfile::tempdir().unwrap();
        std::fs::write(devices.path().join("4"), "[device]\nmanaged=true\n").unwrap();
        std::fs::write(devices.path().join("5"), "[device]\nmanaged=false\n").unwrap();
        assert!(network_manager(devices.path(), 4));
        assert!(!network_manager(devices.path(), 5));
        assert!(!network_manager(devices.path(), 6));
    }
}
