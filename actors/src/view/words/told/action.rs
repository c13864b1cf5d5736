//! What is done to the world.

use mainstay_hardware::bus::Depth;

use crate::action::process::Scope;
use crate::message::lasting::Lasting;
use crate::message::service::Wanted;
use crate::message::{Action, DaemonExit, Left, Words};

impl Lasting {
    fn words(&self) -> Words {
        match self {
            Self::Wanted(_, Wanted::Up) => "write down that it is wanted".into(),
            Self::Wanted(_, Wanted::Down) => "write down that it is to stay stopped".into(),
            Self::Wanted(_, Wanted::Auto) => "write down that its configuration decides whether it is wanted".into(),
            Self::TokensUpTo(token) => format!("write down that tokens up to {} may be given out", token.0).into(),
            Self::Radio(device, _) => format!("write down how {device} is").into(),
            Self::RadioIsBack(device) => format!("write down that {device} is as it was").into(),
        }
    }
}

impl Action {
    /// What it does, in words.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::CheckAccess(_, sighting) => format!("see whether {} can be opened", sighting.key).into(),
            Self::ProbeDevice(_, sighting, kind, depth, _) => {
                let depth = match depth {
                    Depth::Identity => "what identifies it",
                    Depth::Full => "everything",
                };
                format!("look at {} as {}: {depth}", sighting.key, kind.as_str()).into()
            }
            Self::KeepAwake(sighting) => format!("keep {} from being suspended", sighting.key).into(),
            Self::LetSleep => "let it be suspended as before".into(),
            Self::ReadSupply(_) => "ask whether the supply voltage is too low".into(),
            Self::SetRadio { device, mode, .. } => format!("put {device} into {} mode", mode.as_str()).into(),
            Self::ReadRadio { device, .. } => format!("note how {device} is").into(),
            Self::RestoreRadio { device, .. } => format!("put {device} back as it was").into(),
            Self::LookAtFiles(_, paths) => {
                let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
                format!("see what file each of these is: {}", paths.join(", ")).into()
            }
            Self::LookAtPorts(_, ports) => {
                let ports: Vec<String> = ports.keys().map(ToString::to_string).collect();
                format!("see who listens on {}", ports.join(", ")).into()
            }
            Self::Prepare(..) => "make ready what its program needs".into(),
            Self::LetGo(_) => "let go of what was made ready for its program".into(),
            Self::Spawn(order) => order.program.argv.join(" ").into(),
            Self::Signal(order) => {
                let whom = if order.scope == Scope::Main { "main process" } else { "processes" };
                format!("SIG{} to its {whom}", order.signal.as_str()).into()
            }
            Self::Sweep(_) => "SIGKILL to all that is left of it".into(),
            Self::Watch(order) => format!("see whether it is ready: {}", order.target).into(),
            Self::Unwatch(_) => "no longer look whether it is ready".into(),
            Self::TellAgain(_) => "say again what became of its processes".into(),
            Self::Remember(lasting) => lasting.words(),
            Self::Rescan => "look at all hardware anew".into(),
            Self::Exit(DaemonExit::Stopped) => "everything has stopped".into(),
            Self::Exit(DaemonExit::Left(left)) => format!("everything has stopped but {}", Left::all(left)).into(),
            Self::Exit(DaemonExit::GaveUp(why)) => why.to_string().into(),
        }
    }
}
