//! The program `mainstay`.

mod protocol;
mod stand_in;

use std::process::ExitCode;

use clap::Parser;

/// A hardware-aware service runtime for field stations.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Stand in for another program in the demo
    #[command(hide = true, subcommand)]
    StandIn(stand_in::StandIn),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::StandIn(stand_in) => stand_in::run(stand_in),
    }
}
