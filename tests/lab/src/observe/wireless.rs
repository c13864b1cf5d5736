//! Wi-Fi interfaces, from `iw dev` and `/sys/class/net`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// An interface of a radio, as `iw` shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Interface {
    /// Its radio: 2 for `phy#2`.
    pub(crate) radio: u32,
    /// `ifindex`: grows with every interface made.
    pub(crate) index: u32,
    /// Its name, such as `wlan2`.
    pub(crate) name: String,
    /// Its address.
    pub(crate) address: String,
    /// Its mode in `iw`'s words: `managed`, `monitor`.
    pub(crate) mode: String,
}

/// All interfaces.
pub(crate) fn interfaces() -> Result<Vec<Interface>> {
    let output = Command::new("iw").arg("dev").output().context("iw cannot be run")?;
    ensure!(output.status.success(), "iw dev: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(parse(&String::from_utf8_lossy(&output.stdout)))
}

/// Interfaces of the radio that `name` is on.
pub(crate) fn siblings(name: &str) -> Result<Vec<Interface>> {
    let all = interfaces()?;
    let radio = all.iter().find(|interface| interface.name == name).map(|interface| interface.radio);
    Ok(all.into_iter().filter(|interface| Some(interface.radio) == radio).collect())
}

/// The mode of an interface by `iw`; `None` when there is none of this name.
///
/// # Errors
/// When the kernel's type of the interface (`/sys/class/net/NAME/type`: 803 with radiotap headers is monitor mode, 1 is
/// Ethernet) contradicts `iw`.
pub(crate) fn mode(name: &str) -> Result<Option<String>> {
    let Some(interface) = interfaces()?.into_iter().find(|interface| interface.name == name) else { return Ok(None) };
    if let Ok(kind) = fs::read_to_string(Path::new("/sys/class/net").join(name).join("type"))
        // Both looks are not at the same time: only a lasting contradiction is one.
        && (kind.trim() == "803") != (interface.mode == "monitor")
        && interfaces()?.contains(&interface)
    {
        ensure!(
            fs::read_to_string(Path::new("/sys/class/net").join(name).join("type"))? != kind,
            "{name} is {} for iw, but its type is {}",
            interface.mode,
            kind.trim()
        );
    }
    Ok(Some(interface.mode))
}

/// Whether an interface is up; `false` when there is none of this name.
pub(crate) fn is_up(name: &str) -> bool {
    // `IFF_UP` of netdevice(7).
    let flags = fs::read_to_string(Path::new("/sys/class/net").join(name).join("flags")).unwrap_or_default();
    let flags = flags.trim().strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
    flags.is_some_and(|flags| flags & 1 == 1)
}

/// Changes the mode of an interface that is down, as an operator would.
pub(crate) fn set_mode(name: &str, mode: &str) -> Result<()> {
    let output = Command::new("iw").args(["dev", name, "set", "type", mode]).output().context("iw cannot be run")?;
    ensure!(output.status.success(), "{name} does not take mode {mode}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn parse(text: &str) -> Vec<Interface> {
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut radio = 0;
    for line in text.lines() {
        let line = line.trim();
        if let Some(number) = line.strip_prefix("phy#") {
            radio = number.parse().unwrap_or_default();
        } else if let Some(name) = line.strip_prefix("Interface ") {
            interfaces.push(Interface { radio, name: name.to_owned(), ..Interface::default() });
        } else if let Some(interface) = interfaces.last_mut() {
            match line.split_once(' ') {
                Some(("ifindex", index)) => interface.index = index.parse().unwrap_or_default(),
                Some(("addr", address)) => address.clone_into(&mut interface.address),
                Some(("type", mode)) => mode.clone_into(&mut interface.mode),
                _ => {}
            }
        }
    }
    interfaces
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn interfaces_are_read_from_iw_with_their_radio() {
        let text = "phy#1\n\tInterface wlan1mon\n\t\tifindex 9\n\t\twdev 0x2\n\t\taddr 02:00:00:00:01:00\n\t\ttype monitor\n\
                    \tUnnamed/non-netdev interface\n\t\twdev 0x3\nphy#0\n\tInterface wlan0\n\t\tifindex 2\n\t\ttype managed\n";
        let interfaces = parse(text);
        assert_eq!(interfaces.len(), 2);
        assert_eq!((interfaces[0].radio, interfaces[0].index, interfaces[0].mode.as_str()), (1, 9, "monitor"));
        assert_eq!((interfaces[1].radio, interfaces[1].name.as_str()), (0, "wlan0"));
    }
}
