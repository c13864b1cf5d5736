//! What a file is, however its path is spelled.

use std::path::PathBuf;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileIdentity {
    /// Its one path, with all links resolved as far as it exists.
    pub path: PathBuf,
    /// Device and inode, where it exists: two hard links are one file.
    pub node: Option<(u64, u64)>,
}

impl FileIdentity {
    /// Whether both are one file.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.path == other.path || (self.node.is_some() && self.node == other.node)
    }
}
