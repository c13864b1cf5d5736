//! What the daemon needs to begin, from the configuration and its surroundings.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mainstay_actors::action::process::RunId;
use mainstay_actors::board::Board;
use mainstay_actors::clock::Clock;
use mainstay_actors::effect::executor::Executor;
use mainstay_actors::effect::known::Known;
use mainstay_actors::effect::process::ProcessesError;
use mainstay_actors::effect::process::keeper::LogTroubles;
use mainstay_actors::effect::process::settings::ProcessSettings;
use mainstay_actors::effect::watched::Watched;
use mainstay_actors::message::lasting::Remembered;
use mainstay_actors::message::{Action, ActorId};
use mainstay_actors::runtime::{Parts, Watchdog};
use mainstay_actors::trace::{Cause, Recorder};
use mainstay_config::model::Station;
use tracing::level_filters::LevelFilter;

use super::log_output::LogOutput;
use super::room;
use crate::error::{Told, cure_of};
use crate::exit::ExitStatus;
use crate::places::Purpose;

/// Between two looks at a tree that is being killed.
const SWEEP_INTERVAL: Duration = Duration::from_millis(20);

/// What this process executes, whatever became of the file that it was started from: an upgrade replaces it while it runs.
const OURSELVES: &str = "/proc/self/exe";

/// The variable that says how much is written to standard error.
const LOG: &str = "MAINSTAY_LOG";

/// Writes what happens, panics too, to standard error: `MAINSTAY_LOG` says how much (`debug`, `warn`, …).
///
/// # Errors
/// When the thread that writes cannot be started.
pub(super) fn begin_logging() -> Result<LogOutput, Told> {
    let output = LogOutput::start(anstream::stderr())
        .map_err(|error| Told::new(ExitStatus::Failed, format!("the log cannot be written: {error}")))?;
    let (level, mistake) = log_level(std::env::var_os(LOG).as_deref());
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none();
    let of_subscriber = output.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(colours)
        .with_writer(move || of_subscriber.clone())
        .finish();
    // It fails when there is one already, which is as good.
    let _ = tracing::subscriber::set_global_default(subscriber);
    let of_panics = output.clone();
    // The hook of the standard library would wait until somebody reads what it says.
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        let backtrace = Backtrace::capture();
        let backtrace = match backtrace.status() {
            BacktraceStatus::Captured => format!("{backtrace}\n"),
            _ => String::new(),
        };
        let name = thread.name().unwrap_or("unnamed");
        of_panics.say(format!("thread '{name}' {panic}\n{backtrace}").as_bytes());
    }));
    if let Some(mistake) = mistake {
        tracing::warn!("{mistake}");
    }
    Ok(output)
}

/// How much is said; and what is wrong with the wish.
fn log_level(wish: Option<&OsStr>) -> (LevelFilter, Option<String>) {
    let Some(wish) = wish.filter(|wish| !wish.is_empty()) else { return (LevelFilter::INFO, None) };
    match wish.to_str().and_then(|word| word.parse().ok()) {
        Some(level) => (level, None),
        None => {
            let wish = wish.to_string_lossy();
            let words = format!(
                "{LOG} is {wish:?}, and must be one of error, warn, info, debug, trace, off: it is taken for info"
            );
            (LevelFilter::INFO, Some(words))
        }
    }
}

/// Where that is kept which lasts: databases, and in `logs` the output of services.
pub(super) fn state_dir(station: &Station, purpose: Purpose, run_dir: &Path) -> PathBuf {
    match (&station.runtime.state_dir, purpose) {
        (Some(dir), _) => dir.clone(),
        (None, Purpose::Demo) => run_dir.join("state"),
        (None, Purpose::Station) if rustix::process::geteuid().is_root() => PathBuf::from("/var/lib/mainstay"),
        (None, Purpose::Station) => of_this_user().unwrap_or_else(|| run_dir.join("state")),
    }
}

/// `$XDG_STATE_HOME/mainstay`, or where that is when it is not set (XDG Base Directory Specification 0.8).
fn of_this_user() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("mainstay"))
}

/// Handling a message takes microseconds; after so long it is said that it does not end.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the actors stand on.
#[allow(clippy::disallowed_methods, reason = "run numbers must differ from those of an earlier mainstay")]
pub(super) fn parts(clock: Clock, recorder: Recorder, watched: Watched, remembered: Remembered) -> Parts {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let first_run = RunId((now.as_secs() & 0x7fff_ffff) << 31);
    let watchdog = Watchdog::begin(&watched, PATIENCE, |frozen| tracing::error!("{frozen}"));
    let (recorder, board) = (Arc::new(Mutex::new(recorder)), Arc::new(Board::default()));
    Parts { clock, recorder, board, watched, watchdog, first_run, remembered }
}

/// Limits and places for the process executor.
pub(super) fn processes(
    station: &Station,
    run_dir: &Path,
    log_dir: PathBuf,
    log_troubles: &LogTroubles,
) -> ProcessSettings {
    ProcessSettings {
        run_dir: run_dir.to_owned(),
        log_dir,
        logs: station.logs,
        log_troubles: log_troubles.clone(),
        services: station.services.len(),
        keeper_program: PathBuf::from(OURSELVES),
        sweep_interval: SWEEP_INTERVAL,
    }
}

/// There is no room for a thread.
pub(super) fn no_thread(name: &str, error: &std::io::Error) -> Told {
    Told::new(ExitStatus::Failed, format!("mainstay cannot begin: there is no room for its thread `{name}`: {error}"))
        .help(room::MORE.to_owned())
}

/// Why services could not be run, with the cure.
pub(super) fn cannot_start(error: &ProcessesError) -> Told {
    let help = match error {
        ProcessesError::TooFewOpenFiles { needed, .. } => {
            format!("raise it: `LimitNOFILE={needed}` in mainstay's unit, or `ulimit -n {needed}` before it is started")
        }
        ProcessesError::Kernel { why, .. } if why.raw_os_error() == Some(libc::EAGAIN) => room::MORE.to_owned(),
        ProcessesError::LogDirectory { why, .. } | ProcessesError::RunDirectory { why, .. }
            if cure_of(why).is_some() =>
        {
            cure_of(why).unwrap_or_default().to_owned()
        }
        _ => "set [runtime] state_dir and run_dir to directories that this user can write, or run mainstay as root"
            .to_owned(),
    };
    Told::new(ExitStatus::Failed, format!("services cannot be run: {error}")).help(help)
}

/// Stands in for an executor that could not be started, until the daemon has ended because of that.
pub(super) struct Nobody;

impl Executor for Nobody {
    fn known(&self) -> Known {
        Known::default()
    }

    fn act(&self, _from: &ActorId, _action: Action, _cause: Cause) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_level_is_told_and_taken_for_info() {
        let level = |wish: &str| log_level(Some(OsStr::new(wish)));
        assert_eq!(log_level(None), (LevelFilter::INFO, None));
        assert_eq!(level(""), (LevelFilter::INFO, None));
        assert_eq!(level("debug"), (LevelFilter::DEBUG, None));
        assert_eq!(level("Warn"), (LevelFilter::WARN, None));
        let (taken, mistake) = level("verbose");
        assert_eq!(taken, LevelFilter::INFO);
        assert!(mistake.is_some_and(|words| words.contains("\"verbose\"") && words.contains("debug")));
    }
}
