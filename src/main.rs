//! The program `mainstay`: the command line and the daemon behind it.

mod cli;
mod client;
mod daemon;
mod error;
mod exit;
#[cfg(test)]
mod fixtures;
mod instance;
mod listener;
mod logs;
mod patience;
mod places;
mod protocol;
mod render;
mod server;
mod stand_in;
mod trust;

fn main() -> std::process::ExitCode {
    cli::main()
}
