//! The context in which a session handles a message.

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
    /// True while a key that moves the selection is held.
    pub is_hurried: bool,
    /// True until the selection has stayed long enough for its details to be shown.
    pub is_passing: bool,
    /// The delivery attempts of this workspace, if they are known.
    pub deliveries: Option<&'a Arc<DeliveryTally>>,
}
