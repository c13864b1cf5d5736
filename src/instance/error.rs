//! Why a daemon cannot have its run directory, and what helps.

use std::io;
use std::path::PathBuf;

use mainstay_config::model::Runtime;

use crate::error::{Told, cure_of};
use crate::exit::ExitStatus;
use crate::trust::Distrust;

/// Why this daemon cannot have the run directory.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstanceError {
    /// It is taken.
    #[error("mainstay already runs here ({dir}), {pid}", dir = dir.display(), pid = spoken(*pid))]
    Taken {
        /// The run directory.
        dir: PathBuf,
        /// The process that has it, if it has written that down.
        pid: Option<u32>,
    },
    /// It cannot be made or written.
    #[error("the run directory {} cannot be used: {source}", dir.display())]
    Unusable {
        /// The run directory.
        dir: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It lies where anybody may write, and is not ours.
    #[error("the run directory {} cannot be trusted: {why}", dir.display())]
    NotPrivate {
        /// The run directory.
        dir: PathBuf,
        /// What is wrong with it.
        why: Distrust,
    },
    /// The kernel refuses sockets with paths as long as those would be.
    #[error("the run directory {} has {} bytes, too many for the sockets in it", dir.display(), dir.as_os_str().len())]
    TooLong {
        /// The run directory.
        dir: PathBuf,
    },
    /// A link leads to where nothing is mainstay's.
    #[error("the run directory {} leads to {}, where there is something, and nothing of mainstay", dir.display(), real.display())]
    Foreign {
        /// The run directory.
        dir: PathBuf,
        /// Where it leads.
        real: PathBuf,
    },
    /// Somebody else could put sockets of his own there.
    #[error("the run directory {} cannot be trusted: {why}", dir.display())]
    NotTrusted {
        /// The run directory.
        dir: PathBuf,
        /// Who could.
        why: Distrust,
    },
}

impl From<InstanceError> for Told {
    fn from(error: InstanceError) -> Self {
        let said = error.to_string();
        match error {
            InstanceError::Taken { .. } => {
                Self::new(ExitStatus::Refused, said).help("use `mainstay status`, or another [runtime] run_dir")
            }
            InstanceError::Unusable { source, .. } => {
                let in_the_way = [io::ErrorKind::AlreadyExists, io::ErrorKind::NotADirectory].contains(&source.kind());
                let help = if in_the_way {
                    "it, or a part of its path, is a file or a link to nothing: name another directory as [runtime] run_dir"
                } else {
                    cure_of(&source).unwrap_or(
                        "set [runtime] run_dir to a directory that this user can write, or run mainstay as root",
                    )
                };
                Self::new(ExitStatus::Failed, said).help(help)
            }
            InstanceError::TooLong { .. } => Self::new(ExitStatus::Failed, said).help(format!(
                "set [runtime] run_dir to a directory whose path has at most {} bytes",
                Runtime::LONGEST_RUN_DIR
            )),
            InstanceError::Foreign { .. } => Self::new(ExitStatus::Refused, said)
                .help("remove the link, or name a directory of mainstay's own as [runtime] run_dir"),
            InstanceError::NotPrivate { .. } => Self::new(ExitStatus::Refused, said)
                .help("remove it, or set XDG_RUNTIME_DIR or [runtime] run_dir to a directory of yours"),
            InstanceError::NotTrusted { why, .. } => {
                let help = why.cure("run directory");
                Self::new(ExitStatus::Refused, said)
                    .help(format!("{help}, or name another directory as [runtime] run_dir"))
            }
        }
    }
}

fn spoken(pid: Option<u32>) -> String {
    pid.map_or_else(|| "and has not written down its pid yet".to_owned(), |pid| format!("pid {pid}"))
}
