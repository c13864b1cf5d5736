//! What only the demo does: its stand-ins are this program, and it says what to try.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mainstay_config::model::{Station, Unit};
use mainstay_config::names::{DeviceName, ServiceName};
use mainstay_config::template::Template;
use mainstay_hardware::simulated::SimulatedBus;

use crate::client::answers;
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::places::{SOCKET_NAME, Surroundings};

/// Makes a station the demo: with its hardware, and words about what to try with it.
pub(super) fn begin(socket: &Path, station: &mut Station) -> Result<(String, SimulatedBus), Told> {
    let to_try = what_to_try(socket, &Surroundings::of_this_process(), station);
    run_ourselves(station)?;
    Ok((to_try, SimulatedBus::demo()))
}

/// A command that begins with `mainstay` means the program that is running.
fn run_ourselves(station: &mut Station) -> Result<(), Told> {
    let program = std::env::current_exe()
        .map_err(|error| Told::new(ExitStatus::Failed, format!("mainstay cannot find its own program: {error}")))?;
    let program = Template::literal(&program.to_string_lossy());
    for service in station.services.values_mut() {
        if let Unit::Process(command) = &mut Arc::make_mut(service).unit
            && let Some(first) = command.argv.first_mut()
            && *first == Template::literal("mainstay")
        {
            *first = program.clone();
        }
    }
    Ok(())
}

/// How long a daemon in an earlier place may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether a plain `mainstay status` finds the demo at this socket: it does not when a station answers before it.
fn is_found_first(socket: &Path, surroundings: &Surroundings) -> bool {
    let mut places = surroundings.places().into_iter().map(|place| place.path.join(SOCKET_NAME));
    places.find(|place| place == socket || answers(place, PATIENCE)).is_some_and(|first| first == socket)
}

/// What a person at the terminal can do now, with what there is in this station.
fn what_to_try(socket: &Path, surroundings: &Surroundings, station: &Station) -> String {
    let socket_words = socket.display();
    let export = if is_found_first(socket, surroundings) {
        String::new()
    } else {
        format!("  export MAINSTAY_SOCKET={socket_words}\n")
    };
    let services = || station.services.keys().map(ServiceName::as_str);
    let service = |name| services().find(|service| *service == name);
    let radio = station.devices.keys().map(DeviceName::as_str).find(|name| *name == "hackrf");
    let tries = [
        ("status", Some(""), "what runs, and what it waits for"),
        ("unplug", radio, "pull out the radio"),
        ("why", service("openwebrx"), "why it is not running, and what would help"),
        ("why", services().next().filter(|_| service("openwebrx").is_none()), "how it stands, and why"),
        ("trace", Some(""), "every message of it, in order"),
        ("plug", radio, "and back again"),
        ("start", service("sweep").filter(|_| radio.is_some()), "a second service for the one HackRF"),
    ];
    let lines = tries.into_iter().filter_map(|(command, name, about)| {
        let line = format!("mainstay {command} {}", name?);
        Some(format!("  {line:<26} {about}\n"))
    });
    format!(
        "\nA station with simulated hardware is running (socket {socket_words}).\n\
         In another terminal, try:\n\n{export}{}\n\
         Ctrl-C stops everything in order.\n\n",
        lines.collect::<String>()
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn station(text: &str) -> Station {
        mainstay_config::parse("demo.toml", text).unwrap().station
    }

    #[test]
    fn what_to_try_names_only_what_is_in_the_station() {
        let surroundings = Surroundings { uid: 4711, runtime_dir: None };
        let said = |text: &str| what_to_try(Path::new("/tmp/s"), &surroundings, &station(text));
        let demo = said(mainstay_config::DEMO);
        assert!(demo.contains("\n  mainstay status            what runs, and what it waits for\n"), "{demo}");
        assert!(demo.contains("\n  mainstay why openwebrx     why it is not running, and what would help\n"), "{demo}");
        assert!(demo.contains("\n  mainstay start sweep       a second service for the one HackRF\n"), "{demo}");
        assert!(!demo.contains("mainstay why gpsd"), "{demo}");
        let other = said("[services.beacon]\ncommand = ['x']\n");
        assert!(other.contains("\n  mainstay why beacon        how it stands, and why\n"), "{other}");
        for absent in ["openwebrx", "hackrf", "sweep"] {
            assert!(!other.contains(absent), "{absent} is named: {other}");
        }
    }

    #[test]
    fn beside_a_station_that_answers_first_the_demo_says_how_it_is_reached() {
        let dir = tempfile::tempdir().unwrap();
        let surroundings = Surroundings { uid: 4711, runtime_dir: Some(dir.path().to_owned()) };
        let demo = Path::new("/tmp/mainstay-4711/mainstay.sock");
        std::fs::create_dir(dir.path().join("mainstay")).unwrap();
        let _station = UnixListener::bind(dir.path().join("mainstay").join(SOCKET_NAME)).unwrap();
        let said = what_to_try(demo, &surroundings, &station(mainstay_config::DEMO));
        assert!(said.contains("\n  export MAINSTAY_SOCKET=/tmp/mainstay-4711/mainstay.sock\n"), "{said}");
    }
}
