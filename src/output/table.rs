//! A table for people: one line per record, never wrapped. Columns are as wide as their cells where the terminal allows it;
//! else the wide ones among those that may be cut are cut to one width.
//!
//! Table libraries wrap cells at words and copy all of them; a listing has long cells without spaces and may have 100,000
//! rows.

use std::io::{self, Write};

use super::record::{Column, Record, Tone};
use super::sheet::Sheet;
use super::stdout::Output;
use crate::base::text::{Safe, clean};

/// Blanks between two columns.
const GAP: usize = 2;
/// The smallest width of a cut column, if there is room.
const NARROWEST: usize = 8;
/// The largest padding: one cell of a megabyte must not make every line as long.
const WIDEST_PADDED: usize = 1_000;

pub(super) fn write<W: Write, T: Record>(out: &mut Output<W>, sheet: &Sheet<T>, records: &[&T]) -> io::Result<()> {
    let titles: Vec<_> = sheet.columns.iter().map(|column| clean(&column.name.to_uppercase().replace('_', " "))).collect();
    let widest = |(column, title): (&&Column<T>, &Safe)| {
        let cells = records.iter().map(|record| (column.value)(record, sheet.now).shown().width());
        cells.max().unwrap_or_default().max(title.width())
    };
    let natural: Vec<_> = sheet.columns.iter().zip(&titles).map(widest).collect();
    let may_cut: Vec<_> = sheet.columns.iter().map(|column| column.cut).collect();
    let widths = fit(&natural, &may_cut, sheet.width);
    let is_right = |place: usize| sheet.columns.get(place).is_some_and(|column| column.right);
    let line = TableLine { widths: &widths, colored: sheet.colored };
    line.write(out, titles.into_iter().map(|title| (title, "\x1b[1m")), is_right)?;
    for record in records {
        let cell = |column: &&Column<T>| ((column.value)(record, sheet.now).shown(), style((column.tone)(record)));
        let cells = sheet.columns.iter().map(cell);
        line.write(out, cells, is_right)?;
    }
    Ok(())
}

/// The widths of the columns, so that a line is at most as wide as the limit. The last ones may get nothing.
fn fit(natural: &[usize], may_cut: &[bool], limit: Option<usize>) -> Vec<usize> {
    let Some(limit) = limit else { return natural.to_vec() };
    let gaps = GAP * natural.len().saturating_sub(1);
    let cut_to = |most: usize| -> Vec<usize> {
        let one = |(&width, &cut): (&usize, &bool)| if cut { width.min(most) } else { width };
        natural.iter().zip(may_cut).map(one).collect()
    };
    let is_narrow_enough = |most: &usize| cut_to(*most).iter().sum::<usize>() + gaps <= limit;
    let most = (NARROWEST..=limit.max(NARROWEST)).rev().find(is_narrow_enough).unwrap_or(NARROWEST);
    let mut room = limit;
    let mut widths = Vec::with_capacity(natural.len());
    for width in cut_to(most) {
        widths.push(width.min(room));
        room = room.saturating_sub(width + GAP);
    }
    widths
}

struct TableLine<'a> {
    widths: &'a [usize],
    colored: bool,
}

impl TableLine<'_> {
    fn write<W: Write>(
        &self,
        out: &mut Output<W>,
        cells: impl Iterator<Item = (Safe, &'static str)>,
        is_right: impl Fn(usize) -> bool,
    ) -> io::Result<()> {
        // Blanks are written before the next cell, so that no line ends with any.
        let mut blanks = 0;
        for (place, ((cell, style), &width)) in cells.zip(self.widths).enumerate() {
            if width == 0 {
                continue;
            }
            let cell = cell.fit(width, "…");
            let width = width.min(WIDEST_PADDED);
            let padding = width.saturating_sub(cell.width());
            let before = if is_right(place) { padding } else { 0 };
            if cell.is_empty() {
                blanks += width + GAP;
                continue;
            }
            write_blanks(&mut out.writer, blanks + before)?;
            if self.colored && !style.is_empty() {
                write!(out.writer, "{style}{cell}\x1b[0m")?;
            } else {
                write!(out.writer, "{cell}")?;
            }
            blanks = padding - before + GAP;
        }
        writeln!(out.writer)
    }
}

/// Writes spaces. The width of a format argument ends at 65,535, and one cell may be wider.
fn write_blanks(out: &mut impl Write, mut blanks: usize) -> io::Result<()> {
    const BLANKS: [u8; 64] = [b' '; 64];
    while blanks > 0 {
        let some = BLANKS.get(..blanks).unwrap_or(&BLANKS);
        out.write_all(some)?;
        blanks -= some.len();
    }
    Ok(())
}

fn style(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "",
        Tone::Good => "\x1b[32m",
        Tone::Quiet => "\x1b[2m",
        Tone::Warning => "\x1b[33m",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wide_columns_are_cut_first() {
        let cut = [false, true, true, false];
        assert_eq!(fit(&[16, 60, 20, 4], &cut, None), [16, 60, 20, 4]);
        assert_eq!(fit(&[16, 60, 20, 4], &cut, Some(106)), [16, 60, 20, 4]);
        assert_eq!(fit(&[16, 60, 20, 4], &cut, Some(80)), [16, 34, 20, 4]);
        assert_eq!(fit(&[16, 60, 50, 4], &cut, Some(80)), [16, 27, 27, 4]);
        assert_eq!(fit(&[16, 60, 50, 4], &cut, Some(30)), [16, 8, 2, 0]);
        assert_eq!(fit(&[16, 60], &[false, true], Some(1)), [1, 0]);
    }

    proptest! {
        #[test]
        fn a_line_is_never_wider_than_the_terminal(
            columns in proptest::collection::vec((0_usize..200, any::<bool>()), 0..8),
            limit in 1_usize..250,
        ) {
            let (natural, cut): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
            let widths = fit(&natural, &cut, Some(limit));
            prop_assert_eq!(widths.len(), natural.len());
            let shown: Vec<_> = widths.iter().filter(|&&width| width > 0).collect();
            let gaps = GAP * shown.len().saturating_sub(1);
            prop_assert!(shown.into_iter().sum::<usize>() + gaps <= limit, "{:?}", widths);
        }
    }
}
