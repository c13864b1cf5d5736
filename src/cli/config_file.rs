//! Which configuration file, and what is said when it cannot be used.

use std::path::{Path, PathBuf};

use mainstay_config::{Colour, LoadError, Loaded, Problems};

use super::Ended;
use super::args::Trusted;
use super::output::{print, print_error};
use crate::error::Told;
use crate::exit::ExitStatus;
use crate::patience::patiently;
use crate::render::width_of;
use crate::trust::{Distrust, Trust};

/// Where a configuration is sought when none is named, in this order.
const PLACES: [&str; 2] = ["mainstay.toml", "/etc/mainstay/mainstay.toml"];

/// The file that was named, or the first that is there.
pub(super) fn find(named: Option<PathBuf>) -> Result<PathBuf, Told> {
    let found = || PLACES.iter().map(PathBuf::from).find(|path| path.exists());
    named.or_else(found).ok_or_else(|| {
        Told::new(ExitStatus::Failed, format!("there is no configuration: neither {} is there", PLACES.join(" nor ")))
            .help("name one with --config, or try `mainstay run --demo`, which needs none")
    })
}

/// Whether root may run what stands at `path`: a program that it names runs as root, so only root may have written it.
/// Other users run their own programs by anybody's configuration, as they would by hand.
pub(super) fn trust(path: &Path, trusted: Trusted, uid: u32) -> Result<(), Told> {
    if trusted == Trusted::Anybodys || uid != 0 {
        return Ok(());
    }
    match Trust::of(uid).check_file(path) {
        Ok(()) => Ok(()),
        // Loading it says so.
        Err(why) if why.is_missing() && !path.exists() => Ok(()),
        Err(why) => Err(distrusted(path, &why)),
    }
}

/// What root is told of a file that it would not run.
pub(super) fn note_for_root(path: &Path, uid: u32) -> Option<String> {
    let why = (uid == 0).then(|| Trust::of(uid).check_file(path).err())??;
    Some(format!("root runs this file only with `--trust-config`, because others than root could change it: {why}"))
}

fn distrusted(path: &Path, why: &Distrust) -> Told {
    if path.is_relative() && std::env::current_dir().is_err() {
        let words = format!(
            "root does not run the configuration {}: the working directory was removed, and with it the way there",
            path.display()
        );
        return Told::new(ExitStatus::Refused, words)
            .help("`cd` to a directory that is there, or name the file by its whole path");
    }
    let path = path.display();
    let words = format!(
        "root does not run the configuration {path}, because others than root could change it and so run anything as root: {why}"
    );
    Told::new(ExitStatus::Refused, words).help(format!(
        "make a copy that is root's: `sudo install -D -m 644 {path} /etc/mainstay/mainstay.toml`, then `sudo mainstay run`;\n\
         or, where whoever can change it may be root, say so: `mainstay run --config {path} --trust-config`"
    ))
}

/// Where the problems of a configuration are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// They are the answer (`check`).
    Output,
    /// They are in the way (`run`).
    Error,
}

/// Reads it, and looks at the files that it names.
pub(super) fn read(path: &Path) -> Result<Loaded, LoadError> {
    let say = |words: &str| eprintln!("{words}");
    patiently(&[path], say, || mainstay_config::load(path))
}

/// Loads it. All problems of a wrong one are printed before this returns.
pub(super) fn load(path: &Path, stream: Stream) -> Result<Loaded, Ended> {
    read(path).map_err(|error| match error {
        LoadError::Wrong(problems) => tell(&problems, stream),
        other => cannot_load(&other).into(),
    })
}

/// Prints all that is wrong with a configuration.
pub(super) fn tell(problems: &Problems, stream: Stream) -> Ended {
    let width = match stream {
        Stream::Output => width_of(std::io::stdout()),
        Stream::Error => width_of(std::io::stderr()),
    };
    let text = problems.render(Colour::Always, width);
    let printed = match stream {
        Stream::Output => print(&text),
        Stream::Error => {
            print_error(&text);
            Ok(())
        }
    };
    match printed {
        Ok(()) => Ended::Said(ExitStatus::Failed),
        Err(ended) => ended,
    }
}

/// For a file of which nothing can be said but that it cannot be used.
pub(super) fn cannot_load(error: &LoadError) -> Told {
    Told::new(ExitStatus::Failed, error.to_string()).help(error.help())
}

/// Whether the file is simply not there: a slip of the pen.
pub(super) fn is_missing(error: &LoadError) -> bool {
    matches!(error, LoadError::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
}
