//! The command line: reads it, does what it says, tells errors, and ends with an exit code that means something.

mod args;
mod ask;
mod board;
mod check;
mod config_file;
mod help;
mod logs;
mod output;
mod run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::parser::ValueSource::CommandLine;
use mainstay_actors::effect::process::keeper;
use mainstay_config::{LoadError, Problems};

use crate::client::{Client, Configured};
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::places::Surroundings;
use crate::protocol::Request;
pub(crate) use args::Trusted;
use args::{Ask, Cli, Command};
pub(crate) use run::Plan;

/// Why a command ended before its end.
#[derive(Debug)]
enum Ended {
    /// Something is to be told.
    Told(Told),
    /// All has been said, or nobody reads it any more (`mainstay trace | head`).
    Said(ExitStatus),
    /// A stand-in has ended with this code.
    Code(ExitCode),
}

impl<E: Into<Told>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Told(error.into())
    }
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    // Nobody types this, and the log-keeper stays as long as a daemon: it does without the whole command line in its memory.
    if std::env::args_os().skip(1).eq([keeper::COMMAND]) {
        return end(crate::daemon::keep_logs().map_err(Ended::from));
    }
    let parsed = help::command().try_get_matches().and_then(|matches| {
        let given =
            |option| if matches.value_source(option) == Some(CommandLine) { Given::Here } else { Given::Elsewhere };
        let (socket, config) = (given("socket"), given("config"));
        Ok((Cli::from_arg_matches(&matches)?, Options { socket, config }))
    });
    match parsed {
        Ok((cli, options)) => end(dispatch(cli, options)),
        Err(error) => end(tell(&help::without_hidden(error))),
    }
}

/// Where an option was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// On this command line: it is meant for this command.
    Here,
    /// In the environment, for all commands; or nowhere.
    Elsewhere,
}

/// Where the options that every command has were given.
#[derive(Debug, Clone, Copy)]
struct Options {
    socket: Given,
    config: Given,
}

/// What clap says: help, the version, or what is wrong with the command line.
fn tell(said: &clap::Error) -> Result<(), Ended> {
    let text = said.render().ansi().to_string();
    if said.use_stderr() {
        output::print_error(&text);
        return Err(Ended::Said(ExitStatus::Usage));
    }
    output::print(&text)
}

fn end(outcome: Result<(), Ended>) -> ExitCode {
    match outcome {
        Ok(()) => ExitStatus::Ok.into(),
        Err(Ended::Said(status)) => status.into(),
        Err(Ended::Code(code)) => code,
        Err(Ended::Told(told)) => {
            output::complain(&told);
            told.status.into()
        }
    }
}

fn dispatch(cli: Cli, options: Options) -> Result<(), Ended> {
    match cli.command {
        Command::Run(run) => run::run(&run, cli.socket, cli.config, options),
        Command::Check(check) => check::check(&check, cli.config, options),
        Command::StandIn(stand_in) => Err(Ended::Code(crate::stand_in::run(stand_in))),
        Command::Ask(question) => ask_daemon(question, &client(cli.socket, cli.config.as_deref(), options.config)?),
    }
}

/// The client that looks where the user says: at the socket, in the run directory of the configuration, everywhere.
fn client(socket: Option<PathBuf>, config: Option<&Path>, given: Given) -> Result<Client, Ended> {
    let config = config.filter(|_| socket.is_none());
    let place = match given {
        Given::Here => Configured::Only,
        Given::Elsewhere => Configured::In,
    };
    let configured = match config.map(mainstay_config::load) {
        None => Configured::Nowhere,
        Some(Ok(loaded)) => loaded.station.runtime.run_dir.map_or(Configured::Nowhere, place),
        Some(Err(error)) if config_file::is_missing(&error) => return Err(config_file::cannot_load(&error).into()),
        // A mistake made while editing, or a file that only the daemon may read, keeps nobody from a running daemon.
        Some(Err(LoadError::Wrong(Problems { run_dir: Some(run_dir), .. }))) => place(run_dir),
        Some(Err(error)) => Configured::Unknown(error.to_string()),
    };
    Ok(Client::new(socket, configured, &Surroundings::of_this_process()))
}

fn ask_daemon(question: Ask, client: &Client) -> Result<(), Ended> {
    match question {
        Ask::Status(json) => ask::status(client, json.into()),
        Ask::Devices(json) => ask::devices(client, json.into()),
        Ask::Leases(json) => ask::leases(client, json.into()),
        Ask::Why(why) => ask::why(client, why.name, why.json.into()),
        Ask::Trace(trace) => ask::trace(client, trace),
        Ask::Logs(logs) => logs::logs(client, &logs),
        Ask::Start(start) => {
            let needs = start.needs();
            ask::operate(client, &Request::Start { services: start.services.each(), needs })
        }
        Ask::Stop(stop) => ask::operate(client, &Request::Stop { services: stop.each() }),
        Ask::Restart(restart) => {
            let attempts = restart.attempts();
            ask::operate(client, &Request::Restart { services: restart.services.each(), attempts })
        }
        Ask::Eject(device) => ask::operate(client, &Request::Eject { device: device.name }),
        Ask::Admit(device) => ask::operate(client, &Request::Admit { device: device.name }),
        Ask::Plug(plug) => ask::operate(client, &Request::Plug { device: plug.name, port: plug.port }),
        Ask::Unplug(device) => ask::operate(client, &Request::Unplug { device: device.name }),
        #[cfg(debug_assertions)]
        Ask::Panic { actor } => ask::operate(client, &Request::Panic { actor }),
        #[cfg(debug_assertions)]
        Ask::Freeze { actor } => ask::operate(client, &Request::Freeze { actor }),
    }
}
