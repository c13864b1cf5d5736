//! What `check` has to say of the board that it runs on.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files of the kernel are short; nothing in them is trusted.
const BYTES_MAX: u64 = 4096;
/// How the device tree of every Raspberry Pi begins its model.
const RASPBERRY_PI: &str = "Raspberry Pi";

/// Where the kernel says what board this is, and which controllers its control groups have.
pub(super) struct Board {
    models: Vec<PathBuf>,
    controllers: PathBuf,
}

impl Board {
    /// The one below this.
    pub(super) fn here() -> Self {
        Self::at(Path::new("/"))
    }

    fn at(root: &Path) -> Self {
        let models = ["proc/device-tree/model", "sys/firmware/devicetree/base/model"];
        Self {
            models: models.map(|model| root.join(model)).into(),
            controllers: root.join("sys/fs/cgroup/cgroup.controllers"),
        }
    }

    /// On a Raspberry Pi whose memory controller is off, what turns it on. Its firmware turns it off unless the kernel's command line
    /// says otherwise.
    pub(super) fn note(&self) -> Option<String> {
        let model = self.models.iter().find_map(|path| text(path))?;
        // Without the file there is no unified hierarchy, and nothing can be said.
        let controllers = text(&self.controllers)?;
        let is_off = !controllers.split_whitespace().any(|controller| controller == "memory");
        (model.starts_with(RASPBERRY_PI) && is_off).then(|| {
            "the memory controller of this Raspberry Pi is off, so neither systemd nor containers can limit memory; to turn it on, \
             add `cgroup_enable=memory` to the line in /boot/firmware/cmdline.txt and reboot"
                .to_owned()
        })
    }
}

fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    /// What is said on a board with these files.
    fn said(model: Option<(&str, &str)>, controllers: Option<&str>) -> Option<String> {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        if let Some((path, model)) = model {
            write(path, model);
        }
        if let Some(controllers) = controllers {
            write("sys/fs/cgroup/cgroup.controllers", controllers);
        }
        Board::at(root.path()).note()
    }

    const OFF: Option<&str> = Some("cpuset cpu io pids\n");
    const ON: Option<&str> = Some("cpuset cpu io memory pids\n");

    #[test]
    fn a_raspberry_pi_without_its_memory_controller_is_told_the_kernel_argument() {
        for path in ["proc/device-tree/model", "sys/firmware/devicetree/base/model"] {
            let note = said(Some((path, "Raspberry Pi 4 Model B Rev 1.4\0")), OFF).unwrap();
            assert!(note.contains("`cgroup_enable=memory`") && note.contains("cmdline.txt"), "{note}");
        }
    }

    #[test]
    fn nothing_is_said_where_the_controller_is_on_or_unknown_or_the_board_is_another() {
        let pi = Some(("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0"));
        assert_eq!(said(pi, ON), None);
        assert_eq!(said(pi, None), None);
        assert_eq!(said(Some(("proc/device-tree/model", "Radxa ROCK 5B\0")), OFF), None);
        assert_eq!(said(None, OFF), None);
    }
}
