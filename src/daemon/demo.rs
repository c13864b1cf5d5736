//! What only the demo does: its stand-ins are this program, and it says what to try.

use mainstay_config::model::{Station, Unit};
use mainstay_config::template::Template;

use crate::error::Told;
use crate::exit::ExitStatus;
use crate::instance::Instance;

/// A command that begins with `mainstay` means the program that is running.
pub(super) fn run_ourselves(station: &mut Station) -> Result<(), Told> {
    let program = std::env::current_exe()
        .map_err(|error| Told::new(ExitStatus::Failed, format!("mainstay cannot find its own program: {error}")))?;
    let program = Template::literal(&program.to_string_lossy());
    for service in station.services.values_mut() {
        if let Unit::Process(command) = &mut service.unit
            && let Some(first) = command.argv.first_mut()
            && *first == Template::literal("mainstay")
        {
            *first = program.clone();
        }
    }
    Ok(())
}

/// What a person at the terminal can do now.
pub(super) fn what_to_try(instance: &Instance) -> String {
    format!(
        "\nA station with simulated hardware is running (socket {}).\n\
         In another terminal, try:\n\n  \
           mainstay status            what runs, and what it waits for\n  \
           mainstay unplug hackrf     pull out the radio\n  \
           mainstay why openwebrx     why it is not running, and what would help\n  \
           mainstay trace             every message of it, in order\n  \
           mainstay plug hackrf       and back again\n  \
           mainstay start sweep       a second service for the one HackRF\n\n\
         Ctrl-C stops everything in order.\n\n",
        instance.socket().display()
    )
}
