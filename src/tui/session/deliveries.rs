//! An export of delivery attempts that was given at the start. It belongs to one workspace.

use std::sync::Arc;

use crate::analysis::deliveries::{DeliveryStats, DeliveryTally};
use crate::base::text::Safe;

/// The export, and the progress of reading it.
#[derive(Debug)]
pub struct Deliveries {
    pub file: Safe,
    /// The index of its workspace among the profiles.
    pub profile_at: usize,
    /// `None` while it is being read, or if that failed.
    pub tally: Option<Arc<DeliveryTally>>,
    pub problem: Option<Safe>,
    /// True once it has been compared with the whole workspace.
    pub is_matched: bool,
    pub is_being_matched: bool,
}

/// The figures of a webhook in the export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Figures {
    /// It is being read.
    Reading,
    /// Reading it failed, for this reason.
    Failed(Safe),
    None,
    Known {
        stats: DeliveryStats,
        /// True if the failure rate exceeds the limit of the audit.
        fails: bool,
    },
}
