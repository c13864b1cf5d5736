//! Units that this version accepts but does not run.

use crate::read::{Argv, At, Filled, Text, section};

section! {
    /// A systemd unit that mainstay starts and stops (acted on by a later version).
    struct SystemdTable requires ["unit"] {
        /// Name of the unit, such as "gpsd.service".
        unit: Filled,
    }
}

section! {
    /// A container (acted on by a later version).
    struct ContainerTable requires ["image"] {
        /// The image, such as "openwebrx:latest".
        image: Filled,
        /// Name of the container.
        name: Filled,
        /// What runs in it, when not what the image says.
        command: Argv,
        /// Further options for the container engine.
        options: Vec<At<Text>>,
    }
}

section! {
    /// Something that runs elsewhere and is only watched, by its `ready` and `live` checks (acted on by a later version).
    struct ExternalTable requires [] {
        /// What it is, for people.
        description: Text,
    }
}
