//! Runs scenarios one after the other and says how they went.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::scenarios::Scenario;
use crate::stage::{self, Stage};

/// How much of each log is shown after a failure, in lines.
const TAIL: usize = 60;

/// Runs them all; the exit code says whether all passed.
pub(crate) fn run_all(scenarios: &[&Scenario], mainstay: &Path, seed: u64) -> ExitCode {
    let mut failed = Vec::new();
    for scenario in scenarios {
        let sentence = scenario.name.replace('_', " ");
        let began = Instant::now();
        let outcome = run_one(scenario, mainstay, seed);
        let took = began.elapsed().as_secs_f64();
        match outcome {
            Ok(()) => println!("ok      {sentence} ({took:.1} s)"),
            Err(error) => {
                println!("FAILED  {sentence} ({took:.1} s)\n        {error:#}");
                show_logs(&stage::folder(scenario.name));
                failed.push(scenario.name);
            }
        }
    }
    println!("{} passed, {} failed", scenarios.len() - failed.len(), failed.len());
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("again: tests/lab/run --seed {seed} {}", failed.join(" "));
    ExitCode::FAILURE
}

fn run_one(scenario: &Scenario, mainstay: &Path, seed: u64) -> Result<()> {
    let stage = Stage::set(scenario.name, mainstay, seed)?;
    let outcome = (scenario.run)(&stage);
    let clean = stage.strike();
    // A failed scenario may well leave things behind; its own error says more.
    outcome.and(clean)
}

/// The ends of all log files of a scenario.
fn show_logs(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            show_logs(&path);
        } else if path.extension().is_some_and(|extension| extension == "log") {
            let text = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<&str> = text.lines().collect();
            println!("        --- {}", path.display());
            for line in lines.iter().skip(lines.len().saturating_sub(TAIL)) {
                println!("        {line}");
            }
        }
    }
}
