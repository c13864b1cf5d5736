//! Who can hold a lease.

use mainstay_config::names::ServiceName;

/// Who holds a lease, or asks for one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Holder {
    /// A configured service.
    Service(ServiceName),
    /// Somebody outside mainstay: a person's command, or a script.
    Outside(OutsideId),
    /// Mainstay itself, for its own port.
    Mainstay,
}

/// Tells one holder outside mainstay from another. Never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct OutsideId(pub u64);

impl Holder {
    /// The service that this is, if it is one.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::Service(name) => Some(name),
            Self::Outside(_) | Self::Mainstay => None,
        }
    }

    /// Whether it is this service.
    #[must_use]
    pub fn is(&self, name: &ServiceName) -> bool {
        self.service() == Some(name)
    }
}

impl From<ServiceName> for Holder {
    fn from(name: ServiceName) -> Self {
        Self::Service(name)
    }
}

impl From<&ServiceName> for Holder {
    fn from(name: &ServiceName) -> Self {
        Self::Service(name.clone())
    }
}
