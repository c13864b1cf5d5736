//! The program `mainstay`: the command line and the daemon behind it.

mod cli;
mod client;
mod error;
mod exit;
#[cfg(test)]
mod fixtures;
mod groups;
#[cfg_attr(not(test), expect(dead_code, reason = "the daemon claims its run directory with it"))]
mod instance;
mod logs;
mod places;
mod protocol;
mod render;
#[cfg_attr(not(test), expect(dead_code, reason = "the daemon serves its socket with it"))]
mod server;

fn main() -> std::process::ExitCode {
    cli::main()
}
