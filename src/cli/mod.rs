//! The command line: reads it, does what it says, tells errors, and ends with an exit code that means something.

mod args;
mod ask;
mod help;
mod logs;
mod output;

use std::process::ExitCode;

use clap::FromArgMatches;

use crate::client::Client;
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::places::Surroundings;
use crate::protocol::Request;
use args::{Cli, Command};

/// Why a command ended before its end.
#[derive(Debug)]
enum Ended {
    /// Something is to be told.
    Told(Told),
    /// Whoever read the output has gone (`mainstay trace | head`): nothing is wrong.
    NobodyReads,
}

impl<E: Into<Told>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Told(error.into())
    }
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let matches = help::command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match dispatch(cli) {
        Ok(()) | Err(Ended::NobodyReads) => ExitStatus::Ok.into(),
        Err(Ended::Told(told)) => {
            output::complain(&told);
            told.status.into()
        }
    }
}

fn dispatch(cli: Cli) -> Result<(), Ended> {
    let client = Client::new(cli.socket, &Surroundings::of_this_process());
    match cli.command {
        Command::Status(json) => ask::status(&client, json.into()),
        Command::Devices(json) => ask::devices(&client, json.into()),
        Command::Leases(json) => ask::leases(&client, json.into()),
        Command::Why(why) => ask::why(&client, why.name, why.json.into()),
        Command::Trace(trace) => ask::trace(&client, trace),
        Command::Logs(logs) => logs::logs(&client, &logs),
        Command::Start(start) => {
            let needs = start.needs();
            ask::operate(&client, &Request::Start { services: start.services.names, needs })
        }
        Command::Stop(stop) => ask::operate(&client, &Request::Stop { services: stop.names }),
        Command::Restart(restart) => {
            let force = restart.force();
            ask::operate(&client, &Request::Restart { services: restart.services.names, force })
        }
        Command::Eject(device) => ask::operate(&client, &Request::Eject { device: device.name }),
        Command::Admit(device) => ask::operate(&client, &Request::Admit { device: device.name }),
        Command::Plug(plug) => ask::operate(&client, &Request::Plug { device: plug.name, port: plug.port }),
        Command::Unplug(device) => ask::operate(&client, &Request::Unplug { device: device.name }),
        #[cfg(debug_assertions)]
        Command::Panic { actor } => ask::operate(&client, &Request::Panic { actor }),
    }
}
