//! The scope of a listing.

/// The webhooks to list, by their state: the API's `is_active` parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash, clap::ValueEnum)]
pub enum Scope {
    #[default]
    All,
    Active,
    Inactive,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::All, Self::Active, Self::Inactive];

    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// The next scope in the order all, active, inactive.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::All => Self::Active,
            Self::Active => Self::Inactive,
            Self::Inactive => Self::All,
        }
    }

    /// The value of the `is_active` query parameter.
    pub const fn is_active(self) -> Option<bool> {
        match self {
            Self::All => None,
            Self::Active => Some(true),
            Self::Inactive => Some(false),
        }
    }

    /// Returns true if a row with this state belongs to the scope. A row of unknown state belongs to every scope, since
    /// leaving it out would be a guess.
    pub fn admits(self, active: Option<bool>) -> bool {
        match (self.is_active(), active) {
            (Some(wanted), Some(active)) => wanted == active,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_scope_of_the_last_is_the_first() {
        assert_eq!(Scope::ALL.map(Scope::next), [Scope::Active, Scope::Inactive, Scope::All]);
    }
}
