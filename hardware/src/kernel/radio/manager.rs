//! Who manages an interface, as far as files tell. Best effort: nothing here is announced by an event.

use std::io::Read;
use std::path::Path;

/// More processes than a station runs.
const PROCESSES: usize = 32_768;
const COMMAND_LINE_BYTES: u64 = 4096;

/// `NetworkManager`, `wpa_supplicant`, `hostapd`, or nobody.
pub(crate) fn of(ifindex: u32, interface: &str) -> Option<String> {
    let supplicant = running(Path::new("/proc"), interface);
    if supplicant.is_none() && network_manager(Path::new("/run/NetworkManager/devices"), ifindex) {
        return Some("NetworkManager".to_owned());
    }
    supplicant
}

/// NetworkManager keeps a file for each interface while it runs.
fn network_manager(devices: &Path, ifindex: u32) -> bool {
    let Ok(text) = std::fs::read_to_string(devices.join(ifindex.to_string())) else { return false };
    text.lines().any(|line| line.trim() == "managed=true")
}

fn running(proc: &Path, interface: &str) -> Option<String> {
    let processes = std::fs::read_dir(proc).ok()?.take(PROCESSES).filter_map(Result::ok);
    let is_process = |name: &std::ffi::OsString| name.to_str().is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    processes.map(|p| p.file_name()).filter(is_process).find_map(|pid| manages(&proc.join(pid), interface))
}

fn manages(process: &Path, interface: &str) -> Option<String> {
    let command = std::fs::read_to_string(process.join("comm")).ok()?.trim().to_owned();
    if !["wpa_supplicant", "hostapd"].contains(&command.as_str()) {
        return None;
    }
    let mut line = Vec::new();
    let file = std::fs::File::open(process.join("cmdline")).ok()?;
    file.take(COMMAND_LINE_BYTES).read_to_end(&mut line).ok()?;
    names_interface(&line, interface).then_some(command)
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
        assert_eq!(running(proc.path(), "wlan1"), Some("hostapd".to_owned()));
        assert_eq!(running(proc.path(), "wlan2"), None);
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
