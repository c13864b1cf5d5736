//! Who manages an interface, as far as files tell. Best effort: nothing here is announced by an event.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;

/// More processes than a station runs.
const PROCESSES: usize = 32_768;
const COMMAND_LINE_BYTES: u64 = 4096;

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
        Self::look_in(Path::new("/proc"))
    }

    fn look_in(proc: &Path) -> Self {
        let Ok(entries) = std::fs::read_dir(proc) else { return Self::default() };
        let names = entries.take(PROCESSES).filter_map(|entry| Some(entry.ok()?.file_name()));
        let is_process = |name: &OsString| name.to_str().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
        Self { running: names.filter(is_process).filter_map(|pid| process(&proc.join(pid))).collect() }
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

fn process(directory: &Path) -> Option<Process> {
    let command = std::fs::read_to_string(directory.join("comm")).ok()?.trim().to_owned();
    if !["wpa_supplicant", "hostapd"].contains(&command.as_str()) {
        return None;
    }
    let mut command_line = Vec::new();
    let file = std::fs::File::open(directory.join("cmdline")).ok()?;
    file.take(COMMAND_LINE_BYTES).read_to_end(&mut command_line).ok()?;
    Some(Process { command, command_line })
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
        let managers = Managers::look_in(proc.path());
        assert_eq!(managers.of(u32::MAX, "wlan1"), Some("hostapd".to_owned()));
        assert_eq!(managers.of(u32::MAX, "wlan2"), None);
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
