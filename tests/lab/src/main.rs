//! Runs the real `mainstay` against real hotplug: radios, USB devices and a serial GPS that the kernel takes for real.
//!
//! It makes and removes hardware and mounts file systems, so it runs only inside the throw-away machine that
//! `tests/lab/run` boots.

#![allow(clippy::disallowed_methods, reason = "the lab looks from outside, at real time")]

mod daemon;
mod hardware;
mod invariants;
mod observe;
mod programs;
mod random;
mod report;
mod scenarios;
mod stage;
mod stand_in;
mod station;
mod status;
mod systemd;
mod timing;
mod wait;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;

use crate::scenarios::{ALL, Scenario};

/// What the machine's kernel is booted with, and no other is.
const MARK: &str = "mainstay.lab";

/// Runs mainstay against real hotplug, in a throw-away machine.
#[derive(Debug, Parser)]
#[command(name = "mainstay-lab")]
struct Arguments {
    /// Scenarios to run: parts of their names. All of them when none is given.
    scenarios: Vec<String>,
    /// Repeats the random events of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
    /// Only says which scenarios there are.
    #[arg(long)]
    list: bool,
    /// The program to test; it must be able to run inside the machine.
    #[arg(long, default_value = "/run/lab/bin/mainstay")]
    mainstay: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lab: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    let chosen = choose(&arguments.scenarios)?;
    if arguments.list {
        for scenario in chosen {
            println!("{}", scenario.name);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let command_line = fs::read_to_string("/proc/cmdline").context("/proc/cmdline")?;
    ensure!(
        command_line.split_whitespace().any(|word| word == MARK),
        "this makes and removes hardware, so it runs only inside the lab's machine: use tests/lab/run"
    );
    let seed = match arguments.seed {
        Some(seed) => seed,
        // Short, so that it can be typed.
        None => u64::from(SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_micros()),
    };
    println!("lab: {} scenarios, seed {seed}", chosen.len());
    hardware::usbip::set_up()?;
    hardware::gadget::set_up()?;
    hardware::hwsim::set_up()?;
    Ok(report::run_all(&chosen, &arguments.mainstay, seed))
}

fn choose(wanted: &[String]) -> Result<Vec<&'static Scenario>> {
    for name in wanted {
        if !ALL.iter().any(|scenario| scenario.name.contains(name.as_str())) {
            bail!("no scenario has {name:?} in its name: --list says which there are");
        }
    }
    let is_wanted =
        |scenario: &&Scenario| wanted.is_empty() || wanted.iter().any(|name| scenario.name.contains(name.as_str()));
    Ok(ALL.iter().filter(is_wanted).collect())
}
