//! The view of hosts: destinations by host, and the paths of expanded hosts.

use ratatui::layout::Rect;

use super::groups::{self, GroupTable};
use crate::tui::app::App;
use crate::tui::terminal::canvas::Canvas;

const TABLE: GroupTable = GroupTable { titles: ["host", "active", "inactive", "events"], bars_from: 100 };

pub(in crate::tui) fn draw(app: &App, area: Rect, canvas: &mut Canvas<'_>) {
    groups::draw(app, &TABLE, area, canvas);
}
