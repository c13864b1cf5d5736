//! Planted bugs of what is around the machines.

/// What the kernel, or the executor, lies about or forgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Lie {
    /// Nobody is a child of ours.
    EmptyRoll,
    /// Time to look again at a tree that is being killed never comes.
    NoSecondSweep,
    /// The end of a child is not told.
    SilentEnds,
    /// A number is signalled once more when the process was waited for that it stood for.
    LateSignal,
    /// A call to a radio that was given up is taken for one that has come back.
    CallsTogether,
    /// A command that looks at a service is started though another is being loaded.
    LoadTogether,
    /// An executor that ends kills services as well.
    SweepAll,
    /// What was seen of a run is taken for said, though the task panicked that was to say it.
    SeenIsSaid,
    /// What the operator wants is not written down.
    LosesWords,
    /// How radios were is not written down.
    LosesRadios,
}
