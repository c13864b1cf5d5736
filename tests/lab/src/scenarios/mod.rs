//! The scenarios: each a sentence, a file, and a function that is given a stage.

use anyhow::Result;

use crate::stage::Stage;

/// One of them.
pub(crate) struct Scenario {
    /// Its sentence, with underscores.
    pub(crate) name: &'static str,
    /// Plays it.
    pub(crate) run: fn(&Stage) -> Result<()>,
}

/// Names the scenarios: each has a file of its name with a function `run`.
macro_rules! scenarios {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+
        /// All of them, in the order in which they are played.
        pub(crate) const ALL: &[Scenario] = &[$(Scenario { name: stringify!($name), run: $name::run }),+];
    };
}

scenarios!(the_labs_own_hardware_is_taken_for_real);
