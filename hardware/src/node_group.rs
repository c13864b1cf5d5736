//! Which group may open a node, and what helps who is not in it.

use crate::error::Error;

/// The group of a node.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NodeGroup {
    /// Its number.
    pub gid: u32,
    /// Its name, where it is known.
    pub name: Option<Box<str>>,
}

impl Error {
    /// With the name of the group that it is about.
    #[must_use]
    pub fn naming(mut self, name: impl FnOnce(u32) -> Option<String>) -> Self {
        if let Self::MayNotOpen { group: Some(group), .. } = &mut self {
            group.name = name(group.gid).map(Into::into);
        }
        self
    }
}

/// What helps where a node may not be opened.
pub(crate) fn open_words(group: Option<&NodeGroup>) -> String {
    match group {
        Some(NodeGroup { name: Some(name), .. }) => {
            format!(
                "add the user that runs mainstay to group {name} (`usermod -aG {name} USER`), and start mainstay anew"
            )
        }
        Some(NodeGroup { gid, name: None }) => {
            format!("its group {gid} has no name: give it another by a udev rule, or run mainstay as root")
        }
        None => "only root may: give it a group that may by a udev rule, or run mainstay as root".to_owned(),
    }
}
