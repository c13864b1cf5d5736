//! Small real programs that stand in for gpsd, Kismet, OpenWebRX, WigleToTAK and hackrf_sweep in `mainstay run --demo`.
//!
//! They speak so much of the real protocols that the real readiness checks, and a curious person with `curl` or `nc`, get
//! sensible answers. They touch no hardware, listen on 127.0.0.1 only, say in their log that they are stand-ins, and end
//! with exit code 0 on SIGTERM and SIGINT.

mod gpsd;
mod gpsd_reports;
mod http;
mod kismet;
mod openwebrx;
mod program;
mod sweep;
#[cfg(test)]
mod tests;
mod wigletotak;

use std::convert::Infallible;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use self::program::{Failure, Program};

/// Which program is stood in for, and with what.
#[derive(Debug, Clone, PartialEq, Eq, clap::Subcommand)]
pub(crate) enum StandIn {
    /// Speaks like gpsd: VERSION, DEVICES, and TPV and SKY each second to those who watch
    Gpsd(gpsd::Gpsd),
    /// Answers as Kismet's web server does, with one running data source
    Kismet(kismet::Kismet),
    /// Answers as OpenWebRX does, with one receiver
    Openwebrx(openwebrx::OpenWebRx),
    /// Answers as WigleToTAK does
    Wigletotak(wigletotak::WigleToTak),
    /// Prints lines like those of hackrf_sweep each second
    Sweep(sweep::Sweep),
}

/// Runs until it is told to end. Exit code 1 when it cannot do its work; the reason is on standard error.
pub(crate) fn run(stand_in: StandIn) -> ExitCode {
    let program = stand_in.program();
    match run_to_the_end(&stand_in, program) {
        Ok(signal) => {
            program.say(format_args!("{signal} received, ending"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            program.say(failure);
            ExitCode::FAILURE
        }
    }
}

/// Gives the name of the signal that ended it.
fn run_to_the_end(stand_in: &StandIn, program: Program) -> Result<&'static str, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::Runtime)?;
        tokio::select! {
            biased;
            _ = terminate.recv() => Ok("SIGTERM"),
            _ = interrupt.recv() => Ok("SIGINT"),
            Err(failure) = stand_in.serve(program) => Err(failure),
        }
    })
}

impl StandIn {
    fn program(&self) -> Program {
        Program(match self {
            Self::Gpsd(_) => "gpsd",
            Self::Kismet(_) => "Kismet",
            Self::Openwebrx(_) => "OpenWebRX",
            Self::Wigletotak(_) => "WigleToTAK",
            Self::Sweep(_) => "hackrf_sweep",
        })
    }

    async fn serve(&self, program: Program) -> Result<Infallible, Failure> {
        match self {
            Self::Gpsd(gpsd) => gpsd.serve(program).await,
            Self::Kismet(kismet) => kismet.serve(program).await,
            Self::Openwebrx(openwebrx) => openwebrx.serve(program).await,
            Self::Wigletotak(wigletotak) => wigletotak.serve(program).await,
            Self::Sweep(sweep) => sweep.serve(program).await,
        }
    }
}
