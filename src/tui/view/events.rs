//! The view of events: every known event and every event with a subscriber, with its numbers of subscribers.

use ratatui::layout::Rect;

use super::groups::{self, GroupTable};
use crate::tui::app::App;
use crate::tui::terminal::canvas::Canvas;

const TABLE: GroupTable =
    GroupTable { titles: ["event   ? not in vendor's list", "active", "inactive", "hosts"], bars_from: 70 };

pub(in crate::tui) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    groups::draw(app, &TABLE, area, canvas);
}
