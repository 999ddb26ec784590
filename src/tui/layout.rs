//! The layout of the screen, as a pure function of its size, shared by the state machine and the view.

use ratatui::layout::Rect;

/// From this width on, list and detail are side by side.
const SIDE_BY_SIDE_WIDTH: u16 = 100;
/// Below this height, only one of them is shown.
const STACKED_HEIGHT: u16 = 16;
/// The widest list. A wider one would only move the panes apart.
const WIDEST_LIST: u16 = 110;
/// The largest size, to limit memory: terminals may report sizes up to 65,535 × 65,535.
const MAX_WIDTH: u16 = 1000;
const MAX_HEIGHT: u16 = 400;

/// The visible panes and their arrangement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Panes {
    /// The list, a vertical rule, the detail.
    SideBySide { list: Rect, rule: Rect, detail: Rect },
    /// The list, a horizontal rule, the detail below.
    Stacked { list: Rect, rule: Rect, detail: Rect },
    /// One at a time: the detail if it has the focus.
    One { pane: Rect },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub header: Rect,
    pub banner: Rect,
    /// The area between banner and footer.
    pub body: Rect,
    pub panes: Panes,
    pub footer: Rect,
}

/// Limits a size, so that its buffers fit into memory.
pub fn clamp(width: u16, height: u16) -> (u16, u16) {
    (width.min(MAX_WIDTH), height.min(MAX_HEIGHT))
}

impl Layout {
    /// Creates the layout for a clamped size. A banner takes one line below the header.
    pub fn new(width: u16, height: u16, banner: bool) -> Self {
        let line = |y: u16, there: bool| Rect { x: 0, y, width, height: u16::from(there && y < height) };
        // Rows have priority: a screen of one line shows one webhook.
        let header = line(0, height >= 3);
        let footer = line(height.saturating_sub(1), height >= 2);
        let banner = line(header.height, banner && height >= 4);
        let top = header.height + banner.height;
        let body = Rect { x: 0, y: top, width, height: height.saturating_sub(top + footer.height) };
        Self { header, banner, body, panes: Panes::new(body, height), footer }
    }
}

impl Panes {
    fn new(body: Rect, screen_height: u16) -> Self {
        if screen_height < STACKED_HEIGHT {
            return Self::One { pane: body };
        }
        if body.width >= SIDE_BY_SIDE_WIDTH {
            // The list is wider than the detail, since URLs differ at their ends.
            let width = (body.width * 11 / 20).min(WIDEST_LIST);
            // One column is left free before the rule.
            let list = Rect { width: width - 1, ..body };
            let rule = Rect { x: width, width: 1, ..body };
            let detail = Rect { x: width + 1, width: body.width - width - 1, ..body };
            return Self::SideBySide { list, rule, detail };
        }
        let height = body.height.div_ceil(2);
        let list = Rect { height, ..body };
        let rule = Rect { y: body.y + height, height: 1, ..body };
        let detail = Rect { y: rule.y + 1, height: body.height - height - 1, ..body };
        Self::Stacked { list, rule, detail }
    }

    pub fn list(self) -> Rect {
        match self {
            Self::SideBySide { list, .. } | Self::Stacked { list, .. } => list,
            Self::One { pane } => pane,
        }
    }

    pub fn detail(self) -> Rect {
        match self {
            Self::SideBySide { detail, .. } | Self::Stacked { detail, .. } => detail,
            Self::One { pane } => pane,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_follow_the_size() {
        assert!(matches!(Layout::new(100, 30, false).panes, Panes::SideBySide { .. }));
        assert!(matches!(Layout::new(99, 30, false).panes, Panes::Stacked { .. }));
        assert!(matches!(Layout::new(80, 16, false).panes, Panes::Stacked { .. }));
        assert!(matches!(Layout::new(200, 15, false).panes, Panes::One { .. }));
    }

    #[test]
    fn every_part_lies_inside_every_screen() {
        for width in (0..=140).chain([1000]) {
            for height in (0..=45).chain([400]) {
                for banner in [false, true] {
                    let screen = Rect { x: 0, y: 0, width, height };
                    let layout = Layout::new(width, height, banner);
                    let parts = [layout.header, layout.banner, layout.panes.list(), layout.panes.detail(), layout.footer];
                    for part in parts {
                        assert_eq!(part.intersection(screen).area(), part.area(), "{width}x{height}: {part:?}");
                    }
                    assert!(height == 0 || layout.panes.list().height > 0, "{width}x{height} shows no webhook");
                }
            }
        }
    }

    #[test]
    fn absurd_sizes_are_clamped() {
        assert_eq!(clamp(65_535, 65_535), (1000, 400));
        assert_eq!(clamp(0, 0), (0, 0));
    }
}
