//! An export of delivery attempts that was given at the start. It is of one workspace.

use std::sync::Arc;

use crate::analysis::deliveries::{DeliveryStats, DeliveryTally};
use crate::base::text::Safe;

/// The export, as far as it is read.
#[derive(Debug)]
pub struct Deliveries {
    pub file: Safe,
    /// The place of the workspace that it is of, among the profiles.
    pub profile_at: usize,
    /// `None` while it is being read, or when it cannot be.
    pub tally: Option<Arc<DeliveryTally>>,
    pub problem: Option<Safe>,
    /// It was compared with the whole workspace, or is being compared.
    pub is_matched: bool,
    pub is_being_matched: bool,
}

/// The figures of a webhook in the export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figures {
    /// It is being read.
    Reading,
    /// It cannot be read, for this reason.
    Failed(Safe),
    None,
    Known {
        stats: DeliveryStats,
        /// More fail than is good, as the audit counts.
        fails: bool,
    },
}
