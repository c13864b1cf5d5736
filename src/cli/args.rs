//! The command line: one definition gives parsing and help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::places::Purpose;
use mainstay_actors::message::service::{Attempts, NeedsPolicy};
use mainstay_config::names::UsbPath;

/// Keeps a field station's services standing while its hardware comes and goes
#[derive(Debug, Parser)]
#[command(name = "mainstay", version, max_term_width = 80, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The daemon's socket, instead of looking for it
    // The options that every command has stand below its own.
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "MAINSTAY_SOCKET",
        hide_env_values = true,
        display_order = 900
    )]
    pub(crate) socket: Option<PathBuf>,
    /// The configuration, instead of ./mainstay.toml or /etc/mainstay/mainstay.toml; its run_dir tells where the daemon is
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "MAINSTAY_CONFIG",
        hide_env_values = true,
        display_order = 901
    )]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a station in the foreground, until SIGINT or SIGTERM
    ///
    /// SIGINT, SIGTERM and SIGHUP stop everything in order; under nohup, SIGHUP does nothing. A second signal kills what is left at
    /// once, a third one leaves it. What happens is written to standard error; MAINSTAY_LOG=debug says more, MAINSTAY_LOG=warn less.
    Run(RunArgs),
    /// Look for mistakes in a configuration
    ///
    /// Shows all of them at once, each with its line and the cure, and ends with exit code 1 when there is one. Keys that this version
    /// accepts and does not act on are named as well.
    Check(CheckArgs),
    /// Stand in for another program in the demo
    #[command(hide = true, subcommand)]
    StandIn(crate::stand_in::StandIn),
    #[command(flatten)]
    Ask(Ask),
}

/// What is asked of a running daemon.
#[derive(Debug, Subcommand)]
pub(crate) enum Ask {
    /// Services, devices and leases at a glance
    Status(Json),
    /// Why a service or device is as it is, and what would change it
    Why(WhyArgs),
    /// Devices, what else is attached, and how to configure that
    Devices(Json),
    /// Who holds which device or port, and who waits
    Leases(Json),
    /// Every message that one event caused, as a tree
    Trace(TraceArgs),
    /// What a service printed
    Logs(LogsArgs),
    /// Start services, and keep them up
    Start(StartArgs),
    /// Stop services and hold them; what depends on them stops first
    Stop(Names),
    /// Stop services and start them again, also held and failed ones
    Restart(RestartArgs),
    /// Take a device out of use; services that use it stop
    Eject(DeviceName),
    /// Take an ejected, faulted or quarantined device back
    Admit(DeviceName),
    /// Plug in a simulated device of the demo
    Plug(PlugArgs),
    /// Pull out a simulated device of the demo
    Unplug(DeviceName),
    /// Make an actor, a thread or a task panic, to see its owner at work
    #[cfg(debug_assertions)]
    #[command(hide = true)]
    Panic {
        /// `service/NAME`, `device/NAME`, `leases`, `hardware`, `services`, `root`, or what docs/contributing.md lists
        actor: String,
    },
    /// Let an actor never return from what it handles, to see that it is noticed
    #[cfg(debug_assertions)]
    #[command(hide = true)]
    Freeze {
        /// `service/NAME`, `device/NAME`, `leases`, `hardware`, `services` or `root`
        actor: String,
    },
}

/// `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Simulated hardware, and small stand-ins for the real programs unless --config names others
    #[arg(long)]
    demo: bool,
    /// As root, run the configuration of --config though others than root could change it
    ///
    /// Whoever can write it, or a folder on the way to it, can then make root run anything. A state directory that it names
    /// is taken as well, whoever can change that.
    #[arg(long, requires = "config")]
    trust_config: bool,
}

/// Whose configurations root runs, and into whose state directory it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trusted {
    /// Those that only root can change.
    Roots,
    /// This one, whoever can change it.
    Anybodys,
}

impl RunArgs {
    /// What the flag means.
    pub(crate) fn trusted(&self) -> Trusted {
        if self.trust_config { Trusted::Anybodys } else { Trusted::Roots }
    }

    /// What the flag means.
    pub(crate) fn purpose(&self) -> Purpose {
        if self.demo { Purpose::Demo } else { Purpose::Station }
    }
}

/// `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The configuration to look at, in place of --config
    pub(crate) file: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the JSON Schema of the configuration, for editors
    #[arg(long, conflicts_with_all = ["file", "json"])]
    pub(crate) schema: bool,
}

/// How to print.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Json {
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// `why`.
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// A service or device
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) json: Json,
}

/// `trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// The number of a trace; without it, the latest that matches
    #[arg(conflicts_with_all = ["follow", "device", "service"], value_parser = trace_number)]
    pub(crate) id: Option<u64>,
    /// Keep printing traces, each when it has become quiet
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// Only traces that touch this device
    #[arg(long, value_name = "NAME")]
    pub(crate) device: Option<String>,
    /// Only traces that touch this service
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Print JSON, one document for each trace
    #[arg(long)]
    pub(crate) json: bool,
}

/// `logs`.
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// The service
    pub(crate) name: String,
    /// Keep printing lines as they are written
    #[arg(long, short)]
    pub(crate) follow: bool,
    /// How many of the last lines to print
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50, value_parser = lines, allow_negative_numbers = true)]
    pub(crate) lines: u64,
    /// Print one JSON object for each line
    #[arg(long)]
    pub(crate) json: bool,
}

/// One or more services.
#[derive(Debug, Args)]
pub(crate) struct Names {
    /// The services
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

impl Names {
    /// Each once, in the order in which they were said.
    pub(crate) fn each(self) -> Vec<String> {
        let mut seen = std::collections::BTreeSet::new();
        self.names.into_iter().filter(|name| seen.insert(name.clone())).collect()
    }
}

/// `start`.
#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    pub(crate) services: Names,
    /// Start what they require as well, even if you had stopped it
    #[arg(long, conflicts_with = "ignore_needs")]
    with_needs: bool,
    /// Start without the services they require, until the next `start` or `stop`
    #[arg(long)]
    ignore_needs: bool,
}

impl StartArgs {
    /// What the two flags mean.
    pub(crate) fn needs(&self) -> NeedsPolicy {
        match (self.with_needs, self.ignore_needs) {
            (true, _) => NeedsPolicy::StartThem,
            (_, true) => NeedsPolicy::Ignore,
            _ => NeedsPolicy::Respect,
        }
    }
}

/// `restart`.
#[derive(Debug, Args)]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    pub(crate) services: Names,
    /// Forget earlier failures: all attempts are open again
    #[arg(long)]
    force: bool,
}

impl RestartArgs {
    /// What the flag means.
    pub(crate) fn attempts(&self) -> Attempts {
        if self.force { Attempts::Reset } else { Attempts::Keep }
    }
}

/// One device.
#[derive(Debug, Args)]
pub(crate) struct DeviceName {
    /// The device
    pub(crate) name: String,
}

/// `plug`.
#[derive(Debug, Args)]
pub(crate) struct PlugArgs {
    /// The device
    pub(crate) name: String,
    /// Another USB port than last time, such as `1-3`
    #[arg(long, value_name = "PORT", value_parser = usb_port)]
    pub(crate) port: Option<String>,
}

fn trace_number(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| {
        "traces have numbers, as in `mainstay trace 7`; `mainstay trace` shows the latest, `mainstay trace --service NAME` the \
         latest of a service, `--device NAME` of a device"
    })
}

fn lines(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "write how many lines, as in `-n 100`")
}

fn usb_port(text: &str) -> Result<String, String> {
    text.parse::<UsbPath>().map(|_| text.to_owned()).map_err(|wrong| wrong.to_string())
}
