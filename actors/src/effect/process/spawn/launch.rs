//! Starts one program.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::pipe::{PipeFlags, pipe_with};

use super::account::{self, RunAs};
use super::birth::Birth;
use super::environment::{Inherited, mark};
use super::failure::{self, Attempt};
use super::limit::OpenFiles;
use super::search;
use crate::effect::probe::LogEnd;
use crate::effect::process::keeper::holder::Holder;
use crate::effect::process::keeper::wire::{self, Header};
use crate::effect::process::keeper::{COMMAND, log_path};
use crate::effect::process::order::{LogSearch, ProcessSettings, SpawnFailure, SpawnOrder};
use crate::effect::process::sys::newborn::{Program, Steps};
use crate::effect::process::tree::cgroup::{Cgroups, Cradle};
use crate::effect::process::tree::{PipeId, Place};

/// Where programs start when the configuration does not say.
const DEFAULT_DIRECTORY: &str = "/";

/// A main process that runs.
#[derive(Debug)]
pub(crate) struct Child {
    /// Its process id, and the id of its process group.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
    /// How its tree is followed.
    pub place: Place,
    /// The pipe it prints into.
    pub output: PipeId,
    /// Where its log ended before it printed anything, when that is searched.
    pub log_end: LogEnd,
}

/// Starts programs. Threads share it.
#[derive(Debug)]
pub(crate) struct Launcher {
    inherited: Inherited,
    open_files: OpenFiles,
    cgroups: Option<Cgroups>,
    holder: Holder,
    logs: Logs,
    /// What programs read.
    nothing: File,
    keeper_program: PathBuf,
}

/// Where the output of programs goes.
#[derive(Debug)]
struct Logs {
    folder: PathBuf,
    max_size: u64,
    keep: u32,
}

impl Launcher {
    /// Takes over what children inherit.
    pub(crate) fn new(settings: &ProcessSettings, cgroups: Option<Cgroups>, holder: Holder) -> io::Result<Self> {
        let logs = Logs { folder: settings.log_dir.clone(), max_size: settings.log_max_size, keep: settings.log_keep };
        Ok(Self {
            inherited: Inherited::of_this_process(),
            open_files: OpenFiles::raise(),
            cgroups,
            holder,
            logs,
            nothing: File::open("/dev/null")?,
            keeper_program: settings.keeper_program.clone(),
        })
    }

    /// Starts one program. Blocks until the kernel has executed it, which a slow disk can make long.
    pub(super) fn launch(
        &self,
        order: &SpawnOrder,
        notify: Option<&Path>,
        birth: &Birth,
    ) -> Result<Child, SpawnFailure> {
        let RunAs { identity, account } = account::run_as(order.user.as_deref(), order.group.as_deref())?;
        let environment = self.inherited.for_run(order, account.as_ref(), notify);
        let (name, arguments) = order.argv.split_first().ok_or_else(|| other("the command is empty".to_owned()))?;
        let program = search::find(name, environment.get(OsStr::new("PATH")).map(OsStr::new))?;
        let directory = order.directory.as_deref().unwrap_or(Path::new(DEFAULT_DIRECTORY));
        let no_pipe = |error: io::Error| other(format!("no pipe for its output: {error}"));
        let input = self.pipe(order).map_err(no_pipe)?;
        let output =
            rustix::fs::fstat(&input).map(|pipe| PipeId(pipe.st_ino)).map_err(|error| no_pipe(error.into()))?;
        if let Some(to) = &identity {
            // So that a service that runs as somebody else can open /dev/stdout again; without it only writing works.
            let _ = rustix::fs::fchown(&input, Some(to.uid), Some(to.gid));
        }
        let uid = identity.as_ref().map_or_else(rustix::process::geteuid, |to| to.uid);
        let (place, cradle) = self.place(order);
        let arguments = std::iter::once(name).chain(arguments).map(OsStr::new);
        let variables = environment.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()));
        let steps = Steps {
            input: self.nothing.as_fd(),
            output: input.as_fd(),
            group: cradle.as_ref().map(|cradle| cradle.folder.as_fd()),
            open_files: self.open_files.original(),
            identity: identity.as_ref(),
            pid: birth.slot(),
        };
        let log_end = self.log_end(order);
        match Program::new(&program, directory, arguments, variables).and_then(|program| program.start(&steps)) {
            Ok(pid) => Ok(Child { pid, uid: uid.as_raw(), place, output, log_end }),
            Err(error) => {
                place.remove();
                Err(failure::classify(&error, &Attempt { order, program: &program, directory }))
            }
        }
    }

    /// The end of a pipe into which it prints; standard output and error share it, so that their order is kept. The other end is with
    /// the holder before anything can be printed.
    fn pipe(&self, order: &SpawnOrder) -> io::Result<OwnedFd> {
        let (output, input) = pipe_with(PipeFlags::CLOEXEC)?;
        let header = Header {
            run: order.run,
            service: order.service.to_string(),
            path: log_path(&self.logs.folder, &order.service),
            max_size: self.logs.max_size,
            keep: self.logs.keep,
        };
        self.holder.hold(header, output.as_fd())?;
        Ok(input)
    }

    fn log_end(&self, order: &SpawnOrder) -> LogEnd {
        match order.log {
            LogSearch::Wanted => LogEnd::of(&log_path(&self.logs.folder, &order.service)),
            LogSearch::Omit => LogEnd::default(),
        }
    }

    /// A cgroup of its own where there are any, else the process group.
    fn place(&self, order: &SpawnOrder) -> (Place, Option<Cradle>) {
        let Some(cgroups) = &self.cgroups else { return (Place::Group, None) };
        match cgroups.create(&mark(order)) {
            Ok(cradle) => (Place::Cgroup(cradle.path.clone()), Some(cradle)),
            Err(error) => {
                tracing::warn!(service = %order.service, %error, "no cgroup for this run; it is followed by its process group");
                (Place::Group, None)
            }
        }
    }

    /// Starts the log-keeper with one end of a socket pair as its standard input, outside any service's process group. Its process id,
    /// and what it says on its standard output.
    pub(super) fn launch_keeper(&self) -> io::Result<(u32, OwnedFd)> {
        let (ours, theirs) = wire::pair()?;
        // It waits for nobody, mainstay neither.
        let (reports, output) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let mut command = Command::new(&self.keeper_program);
        // It makes a session of its own. It keeps no terminal open, no folder busy, and none of mainstay's environment.
        command.arg0("mainstay").arg(COMMAND).env_clear().current_dir("/");
        command.stdin(Stdio::from(theirs)).stdout(Stdio::from(output)).stderr(Stdio::null());
        let pid = command.spawn()?.id();
        // With nobody to give it anything it sees the end of its socket, and ends.
        if let Err(error) = self.holder.give_to(ours.as_fd()) {
            tracing::error!(%error, "the log-keeper could not be given what services print");
        }
        Ok((pid, reports))
    }
}

fn other(why: String) -> SpawnFailure {
    SpawnFailure::Other(why)
}
