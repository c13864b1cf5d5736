//! `mainstay --help`: the commands in groups, examples, and what the exit codes mean.

use std::fmt::Write;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue};

use crate::cli::args::Cli;
use crate::exit::ExitStatus;
use crate::render::style;

/// The groups of commands. Every command that is not hidden stands in exactly one.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Begin", &["run", "check"]),
    ("Look", &["status", "why", "trace", "logs", "devices", "leases"]),
    ("Operate", &["start", "stop", "restart", "eject", "admit"]),
    ("Demo", &["plug", "unplug"]),
    ("Help", &["help"]),
];

/// The option that only those commands have which ask a daemon.
const SOCKET: &str = "socket";

const EXAMPLES: [(&str, &str); 6] = [
    ("mainstay run --demo", "try it: no hardware, no root"),
    ("mainstay unplug hackrf", "pull the simulated radio out, then ask:"),
    ("mainstay why openwebrx", "what happened, what would bring it back"),
    ("mainstay trace", "every message of it, in order"),
    ("mainstay check my.toml", "look for mistakes before running it"),
    ("mainstay run --config my.toml", "a real station"),
];

/// The whole command line, with the help around it.
pub(crate) fn command() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    let commands = groups(&command);
    let head = style::HEAD;
    let template = format!(
        "{{about}}\n\n{head}Usage:{head:#} mainstay [OPTIONS] COMMAND\n\n\
         {commands}{head}Options:{head:#}\n{{options}}\n\n{}",
        after()
    );
    without_empty_variables(without_socket(Cli::command()).help_template(template))
}

/// Where no daemon is asked, a socket is no option. It is taken all the same, so that it can be said why it is none.
fn without_socket(command: clap::Command) -> clap::Command {
    let Some(socket) = command.get_arguments().find(|arg| arg.get_id() == SOCKET).cloned() else { return command };
    let socket = socket.hide(true);
    ["run", "check"]
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, |sub| sub.arg(socket.clone())))
}

/// A variable that is set to nothing is not set: environment files often have such lines.
fn without_empty_variables(command: clap::Command) -> clap::Command {
    let is_empty = |arg: &clap::Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    command.mut_args(|arg| if is_empty(&arg) { arg.env(None) } else { arg })
}

/// The same error, without suggestions that are for mainstay itself only.
pub(crate) fn without_hidden(mut error: clap::Error) -> clap::Error {
    let suggested = match error.get(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(several)) => several.clone(),
        _ => return error,
    };
    let command = Cli::command();
    let is_visible = |name: &String| command.find_subcommand(name).is_none_or(|found| !found.is_hide_set());
    let visible: Vec<String> = suggested.into_iter().filter(is_visible).collect();
    if visible.is_empty() {
        error.remove(ContextKind::SuggestedSubcommand);
        // clap puts an empty line before its other tips, also when there are none.
        if matches!(error.get(ContextKind::Suggested), Some(ContextValue::StyledStrs(tips)) if tips.is_empty()) {
            error.remove(ContextKind::Suggested);
        }
    } else {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(visible));
    }
    error
}

fn groups(command: &clap::Command) -> String {
    let head = style::HEAD;
    let mut out = String::new();
    for (title, names) in GROUPS {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{head}{title}:{head:#}");
        for found in names.iter().filter_map(|name| command.find_subcommand(name)) {
            let about = found.get_about().map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(out, "  {head}{:<9}{head:#}  {about}", found.get_name());
        }
        out.push('\n');
    }
    out
}

fn after() -> String {
    let head = style::HEAD;
    let mut out = format!("{head}Examples:{head:#}\n");
    for (command, what) in EXAMPLES {
        let _ = writeln!(out, "  {command:<31}{what}");
    }
    let _ = writeln!(out, "\n{head}Exit codes:{head:#}");
    for (status, meaning) in ExitStatus::ALL {
        let _ = writeln!(out, "  {:>2}  {meaning}", status.code());
    }
    let _ = write!(
        out,
        "\nCommands that show something take --json. `mainstay COMMAND --help` says more.\n\
         The daemon's socket is sought in /run/mainstay, $XDG_RUNTIME_DIR/mainstay,\n\
         /run/user/UID/mainstay and /tmp/mainstay-UID."
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(mut command: clap::Command) -> String {
        anstream::adapter::strip_str(&command.render_long_help().ansi().to_string()).to_string()
    }

    #[test]
    fn the_definition_holds_together() {
        command().debug_assert();
    }

    #[test]
    fn every_command_that_is_not_hidden_stands_in_one_group() {
        let mut command = Cli::command();
        command.build();
        let mut visible: Vec<&str> =
            command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(clap::Command::get_name).collect();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        visible.sort_unstable();
        grouped.sort_unstable();
        assert_eq!(grouped, visible);
    }

    #[test]
    fn all_help_fits_80_columns() {
        let mut whole = command();
        whole.build();
        for text in whole.get_subcommands().cloned().chain([command()]).map(shown) {
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }

    #[test]
    fn the_help_says_what_the_exit_codes_mean() {
        let text = shown(command());
        for (status, meaning) in ExitStatus::ALL {
            assert!(text.contains(&format!("{:>2}  {meaning}", status.code())), "{text}");
        }
    }
}
