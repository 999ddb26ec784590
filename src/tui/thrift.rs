//! What of a frame is sent first, while a key is held and a slow link cannot take all of it: the selection, and what is ahead of
//! it. A frame that is too large would still be on its way when the key is released, and be about rows that are long gone by.

use std::ops::Range;

use ratatui::buffer::{Buffer, Cell};

use super::canvas::Window;
use super::cursor::Travel;

/// Changed cells of the lines that scroll that go into one frame: a quarter of a second of a link of 2,400 bytes a second.
const ENOUGH: usize = 500;
/// What a line costs at most whose end is cleared.
const CLEARING: usize = 12;

/// Leaves lines as they are shown that would be too much, those that the selection has left behind first. Whether nothing was
/// left out.
pub(super) fn keep_what_is_ahead(shown: &Buffer, next: &mut Buffer, window: &Window) -> bool {
    let mut lines: Vec<u16> = window.lines.clone().collect();
    // The sign of the selection is never left behind on a line that was selected before.
    let has_sign = |y: u16| shown.cell((window.left, y)) != next.cell((window.left, y));
    // What is ahead stays on screen for longer than what is behind.
    let is_behind = |y: u16| match window.travel {
        Travel::Down => y < window.selected,
        Travel::Up => y > window.selected,
    };
    lines.sort_by_key(|&y| (!has_sign(y), is_behind(y), y.abs_diff(window.selected)));
    let mut room = ENOUGH;
    let mut is_whole = true;
    for (number, &y) in lines.iter().enumerate() {
        let cost = cost(line(shown, y), line(next, y));
        if number > 0 && cost > room.max(CLEARING) {
            room = 0;
            is_whole = false;
            leave(shown, next, y);
        } else {
            room = room.saturating_sub(cost);
        }
    }
    is_whole
}

fn cells(buffer: &Buffer, y: u16) -> Range<usize> {
    let width = usize::from(buffer.area.width);
    let start = usize::from(y) * width;
    start..start + width
}

fn line(buffer: &Buffer, y: u16) -> &[Cell] {
    buffer.content.get(cells(buffer, y)).unwrap_or_default()
}

/// About how many bytes a line takes.
fn cost(shown: &[Cell], next: &[Cell]) -> usize {
    let end = next.iter().rposition(|cell| *cell != Cell::EMPTY).map_or(0, |last| last + 1);
    let changed = |range: Range<usize>| {
        let pairs = shown.get(range.clone()).into_iter().flatten().zip(next.get(range).into_iter().flatten());
        pairs.filter(|(before, after)| before != after).count()
    };
    changed(0..end) + changed(end..next.len()).min(CLEARING)
}

fn leave(shown: &Buffer, next: &mut Buffer, y: u16) {
    let cells = cells(shown, y);
    if let (Some(before), Some(after)) = (shown.content.get(cells.clone()), next.content.get_mut(cells)) {
        after.clone_from_slice(before);
    }
}
