//! Starts one program.

use std::ffi::{OsStr, c_int};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI32;

use rustix::pipe::{PipeFlags, pipe_with};

use mainstay_config::model::Logs;

use super::account::{self, Account, RunAs};
use super::birth::Birth;
use super::environment::{Inherited, mark};
use super::failure::{self, Attempt};
use super::limit::{OpenFiles, Tags};
use super::nest::Nest;
use super::search;
use crate::action::process::{LogSearch, Needed, SpawnFailure, SpawnOrder};
use crate::effect::process::keeper::LogEnd;
use crate::effect::process::keeper::outputs::OutputsHandle;
use crate::effect::process::keeper::wire::{self, Header};
use crate::effect::process::keeper::{COMMAND, log_path};
use crate::effect::process::settings::ProcessSettings;
use crate::effect::process::sys;
use crate::effect::process::sys::newborn::{Program, Protection, Steps, Unborn};
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
    own_account: Account,
    open_files: OpenFiles,
    tags: Tags,
    ignored: Vec<c_int>,
    protection: Protection,
    cgroups: Option<Cgroups>,
    outputs: OutputsHandle,
    log_dir: PathBuf,
    logs: Logs,
    /// What programs read.
    nothing: File,
    /// Where the log-keeper prints.
    silence: File,
    keeper_program: PathBuf,
}

impl Launcher {
    /// Takes over what children inherit.
    pub(crate) fn new(
        settings: &ProcessSettings,
        open_files: OpenFiles,
        cgroups: Option<Cgroups>,
        outputs: OutputsHandle,
    ) -> io::Result<Self> {
        let inherited = Inherited::of_this_process();
        Ok(Self {
            own_account: Account::own(|name| inherited.text(name)),
            inherited,
            open_files,
            tags: Tags::of_this_process(),
            ignored: sys::ignored(),
            protection: protection_of_services(),
            cgroups,
            outputs,
            log_dir: settings.log_dir.clone(),
            logs: settings.logs,
            nothing: File::open("/dev/null")?,
            silence: File::options().write(true).open("/dev/null")?,
            keeper_program: settings.keeper_program.clone(),
        })
    }

    /// Starts one program. Blocks until the kernel has executed it, which a slow disk can make long.
    pub(super) fn launch(
        &self,
        order: &SpawnOrder,
        notify: Option<&Path>,
        birth: &Birth,
        nest: Option<&Nest>,
    ) -> Result<Child, SpawnFailure> {
        let wanted = &order.program;
        let RunAs { identity, account } = account::run_as(wanted.user.as_deref(), wanted.group.as_deref())?;
        let account = account.as_ref().unwrap_or(&self.own_account);
        let environment = self.inherited.for_run(order, account, notify);
        let (name, arguments) = wanted.argv.split_first().ok_or(SpawnFailure::NoProgram)?;
        let directory = wanted.directory.as_deref().unwrap_or(Path::new(DEFAULT_DIRECTORY));
        let path = environment.get(OsStr::new("PATH")).map(OsStr::new);
        let programs = search::candidates(name, path, directory)?;
        let no_pipe = |error: io::Error| SpawnFailure::Refused { what: Needed::OutputPipe, error: error.into() };
        let input = self.pipe(order).map_err(no_pipe)?;
        let output =
            rustix::fs::fstat(&input).map(|pipe| PipeId(pipe.st_ino)).map_err(|error| no_pipe(error.into()))?;
        if let Some(to) = &identity {
            // So that a service that runs as somebody else can open /dev/stdout again; without it only writing works.
            let _ = rustix::fs::fchown(&input, Some(to.uid), Some(to.gid));
        }
        let uid = identity.as_ref().map_or_else(rustix::process::geteuid, |to| to.uid);
        let (place, cradle) = self.place(order, nest);
        let arguments = std::iter::once(name).chain(arguments).map(OsStr::new);
        let variables = environment.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()));
        let steps = Steps {
            input: self.nothing.as_fd(),
            output: input.as_fd(),
            errors: input.as_fd(),
            group: cradle.as_ref().map(|cradle| cradle.folder.as_fd()),
            open_files: self.open_files.original(),
            tag: self.tags.limit(order.run),
            ignored: &self.ignored,
            protection: self.protection,
            identity: identity.as_ref(),
            pid: birth.slot(),
        };
        let log_end = self.log_end(order);
        let program = Program::new(&programs, directory, arguments, variables).map_err(Unborn::from);
        match program.and_then(|program| program.start(&steps)) {
            Ok(pid) => Ok(Child { pid, uid: uid.as_raw(), place, output, log_end }),
            Err(unborn) => {
                place.remove();
                Err(failure::classify(&unborn, &Attempt { order, programs: &programs, directory }))
            }
        }
    }

    /// The end of a pipe into which it prints; standard output and error share it, so that their order is kept. The other end is with
    /// the outputs before anything can be printed.
    fn pipe(&self, order: &SpawnOrder) -> io::Result<OwnedFd> {
        let (output, input) = pipe_with(PipeFlags::CLOEXEC)?;
        let header = Header {
            run: order.run,
            service: order.service.to_string(),
            path: log_path(&self.log_dir, &order.service),
            logs: self.logs,
        };
        self.outputs.hold(header, output.as_fd())?;
        Ok(input)
    }

    fn log_end(&self, order: &SpawnOrder) -> LogEnd {
        match order.log {
            LogSearch::Wanted => LogEnd::of(&log_path(&self.log_dir, &order.service)),
            LogSearch::Omit => LogEnd::default(),
        }
    }

    /// Makes the control group of a run that will come.
    pub(super) fn make(&self, nest: &Nest) {
        if let Some(cgroups) = &self.cgroups {
            nest.make(cgroups);
        }
    }

    /// A cgroup of its own where there are any, else the process group.
    fn place(&self, order: &SpawnOrder, nest: Option<&Nest>) -> (Place, Option<Cradle>) {
        let Some(cgroups) = &self.cgroups else { return (Place::Group, None) };
        let made = nest.filter(|nest| nest.is_for(order.run)).and_then(Nest::take);
        match made.map_or_else(|| cgroups.create(&mark(&order.service, order.run)), Ok) {
            Ok(cradle) => (Place::Cgroup(cradle.path.clone()), Some(cradle)),
            Err(error) => {
                tracing::warn!(service = %order.service, %error, "no cgroup for this run; it is followed by its process group");
                (Place::Group, None)
            }
        }
    }

    /// Starts the log-keeper with one end of a socket pair as its standard input, in the same way as a program: outside of every session and
    /// group. It keeps no terminal open, no folder busy, and none of mainstay's environment. Its process id, and what it says on its
    /// standard output.
    pub(super) fn launch_keeper(&self) -> io::Result<(u32, OwnedFd)> {
        let (ours, theirs) = wire::pair()?;
        // It waits for nobody, mainstay neither.
        let (reports, said) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let files = std::slice::from_ref(&self.keeper_program);
        let program = Program::new(files, Path::new("/"), ["mainstay", COMMAND].map(OsStr::new), [])?;
        let (group, open_files, tag, identity) = (None, None, None, None);
        let (input, output, errors) = (theirs.as_fd(), said.as_fd(), self.silence.as_fd());
        let pid = &AtomicI32::new(0);
        let ignored = &self.ignored;
        let protection = Protection::Kept;
        let steps = Steps { input, output, errors, group, open_files, tag, ignored, protection, identity, pid };
        let pid = program.start(&steps).map_err(|unborn| unborn.error)?;
        drop((theirs, said));
        // With nobody to give it anything it sees the end of its socket, and ends.
        if let Err(error) = self.outputs.give_to(pid, ours.as_fd()) {
            tracing::error!(%error, "the log-keeper could not be given what services print");
        }
        Ok((pid, reports))
    }
}

/// That mainstay is killed last when memory runs out is meant for mainstay; that it is killed early, for all it starts.
fn protection_of_services() -> Protection {
    let own = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
    if own.trim().parse().is_ok_and(|value: i32| value < 0) { Protection::GivenUp } else { Protection::Kept }
}
