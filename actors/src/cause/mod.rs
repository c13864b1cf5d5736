//! Why things are as they are, as data: closed enums with their facts. Machines compare and store these; the words are
//! made in `view::words`, once, when somebody reads them.
//!
//! A cause never contains another cause of its own sort. A cascade carries where it began ([`Origin`]), and not what each
//! service on the way made of it: what is said stays as short as it is for one step, however long the way was.

mod device;
mod holder;
mod lease;
mod listed;
mod service;
mod standing;

pub use device::{
    Absence, DeviceCure, DeviceFault, DeviceReason, OwnWord, Piece, Quarantine, Replaced, Rivals, Unusable, Withheld,
};
pub use holder::{Holder, OutsideId};
pub use lease::{Blocker, Refusal, Resource, Soon, Withdrawal};
pub use listed::{LISTED_MAX, Listed};
pub use service::{Asked, End, Failed, Failure, NotWanted, Reason, Said, Why};
pub use standing::{Episode, HowLost, Matter, Missing, Next, Origin, Requirement, Root, Standing};
