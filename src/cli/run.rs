//! `mainstay run`: which station, and where it keeps its things. The rest is the daemon's.

use std::path::PathBuf;

use mainstay_actors::effect::process::Inherited;
use mainstay_config::Loaded;

use super::args::{RunArgs, Trusted};
use super::config_file::{self, Stream};
use super::output::complain;
use super::{Ended, Given, Options};
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::places::{Purpose, RunDir, SOCKET_NAME, Surroundings};

/// What the daemon is to run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The real station or the demo.
    pub(crate) purpose: Purpose,
    /// Its configuration.
    pub(crate) loaded: Loaded,
    /// Where its socket and lock belong.
    pub(crate) run_dir: RunDir,
    /// What it could not get rid of that is its starter's.
    pub(crate) inherited: Vec<Inherited>,
    /// Whose state directory it takes as root.
    pub(crate) state: Trusted,
}

/// `run`.
pub(super) fn run(
    args: &RunArgs,
    socket: Option<PathBuf>,
    config: Option<PathBuf>,
    given: Options,
) -> Result<(), Ended> {
    // Before what others have open is closed: a shell's <(…) is a descriptor that it opened.
    if let Some(path) = &config {
        mainstay_config::check_kind(path).map_err(|error| config_file::cannot_load(&error))?;
    }
    let inherited = crate::daemon::begin()?;
    if given.socket == Given::Here {
        let words = "`run` takes no --socket: the daemon listens in its run directory";
        let help = "write `run_dir = \"DIRECTORY\"` below `[runtime]` in the configuration; it listens at DIRECTORY/mainstay.sock";
        return Err(Told::new(ExitStatus::Usage, words).help(help).into());
    }
    if args.trusted() == Trusted::Anybodys && given.config == Given::Elsewhere {
        let words = "`--trust-config` is about a configuration that is named on the same command line";
        let help = "name it: `mainstay run --config FILE --trust-config`";
        return Err(Told::new(ExitStatus::Usage, words).help(help).into());
    }
    // What the environment names is for the station; the demo must not run its programs.
    let config = config.filter(|_| args.purpose() == Purpose::Station || given.config == Given::Here);
    let plan = plan(args, config, &Surroundings::of_this_process(), inherited)?;
    if let Some(elsewhere) = socket.filter(|socket| *socket != plan.run_dir.path.join(SOCKET_NAME)) {
        let words = format!(
            "commands in this environment look only at {}, where this daemon does not listen",
            elsewhere.display()
        );
        complain(&Told::new(ExitStatus::Ok, words).help("unset MAINSTAY_SOCKET"));
    }
    match crate::daemon::run(plan)? {
        ExitStatus::Ok => Ok(()),
        status => Err(Ended::Said(status)),
    }
}

/// The demo has a configuration of its own; one that is named is used instead, on simulated hardware.
fn plan(
    args: &RunArgs,
    config: Option<PathBuf>,
    surroundings: &Surroundings,
    inherited: Vec<Inherited>,
) -> Result<Plan, Ended> {
    let purpose = args.purpose();
    let loaded = match (purpose, config) {
        (Purpose::Demo, None) => demo()?,
        (_, named) => {
            let path = config_file::find(named)?;
            config_file::trust(&path, args.trusted(), surroundings.uid)?;
            config_file::load(&path, Stream::Error)?
        }
    };
    let configured = loaded.station.runtime.run_dir.clone().map(RunDir::configured);
    let run_dir = configured.unwrap_or_else(|| surroundings.default_run_dir(purpose));
    // What nobody has named, nobody has vouched for.
    let state = loaded.station.runtime.state_dir.as_ref().map_or(Trusted::Roots, |_| args.trusted());
    Ok(Plan { purpose, loaded, run_dir, inherited, state })
}

fn demo() -> Result<Loaded, Ended> {
    mainstay_config::parse("demo.toml", mainstay_config::DEMO)
        .map_err(|problems| config_file::tell(&problems, Stream::Error))
}
