//! What is done to the world.

use mainstay_hardware::bus::Depth;

use crate::machine::{Action, Exit, Words};

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
            Self::PrepareRadio { device, mode: Some(mode), .. } => {
                format!("put {device} into {} mode", mainstay_hardware::matching::mode_word(*mode)).into()
            }
            Self::PrepareRadio { device, mode: None, .. } => format!("note how {device} is").into(),
            Self::RestoreRadio { device, .. } => format!("put {device} back as it was").into(),
            Self::ReportRadio(_, device) => format!("say whether {device} was changed").into(),
            Self::LookAtPorts(_, ports) => {
                let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
                format!("see who listens on {}", ports.join(", ")).into()
            }
            Self::Spawn(order) => order.argv.join(" ").into(),
            Self::Signal(order) => format!("SIG{} to its processes", order.signal.as_str()).into(),
            Self::Sweep(_) => "SIGKILL to all that is left of it".into(),
            Self::Watch(order) => format!("see whether it is ready: {}", order.target).into(),
            Self::Unwatch(_) => "no longer look whether it is ready".into(),
            Self::ReportRun(service) => format!("say what runs for {service}").into(),
            Self::Rescan => "look at all hardware anew".into(),
            Self::RestartActor(actor, _) => format!("restart {actor}").into(),
            Self::Exit(Exit::Stopped) => "everything has stopped".into(),
            Self::Exit(Exit::GaveUp(words)) => words.clone().into(),
        }
    }
}
