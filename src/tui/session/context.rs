//! The surroundings of a session while it handles a message.

use std::sync::Arc;

use crate::analysis::deliveries::DeliveryTally;
use crate::base::clock::Moment;
use crate::tui::settings::ExplorerSettings;
use crate::tui::view_kind::View;

#[derive(Debug, Clone, Copy)]
pub struct SessionContext<'a> {
    pub now: Moment,
    pub settings: &'a ExplorerSettings,
    /// The view on screen.
    pub view: View,
    /// A key that moves the selection is held.
    pub is_hurried: bool,
    /// The selection has not yet stayed long enough to be read about.
    pub is_passing: bool,
    /// The delivery attempts of this workspace, if they are known.
    pub deliveries: Option<&'a Arc<DeliveryTally>>,
}
