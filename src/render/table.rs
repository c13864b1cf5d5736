//! A table that fits the width: a cell that does not is continued below, never cut.

use anstyle::Style;

use crate::render::style;
use crate::render::text::{cell_lines, columns, plain, wrap};

/// Spaces between columns.
const GAP: usize = 2;
/// No column is squeezed below this.
const NARROWEST: usize = 6;

/// One cell.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// Ordinary text; `-` where there is none.
    pub(crate) fn new(text: &str) -> Self {
        Self::styled(text, style::NONE)
    }

    /// A word of the views in its colour.
    pub(crate) fn word(word: &str) -> Self {
        Self::styled(word, style::of_word(word))
    }

    fn styled(text: &str, style: Style) -> Self {
        if text.is_empty() {
            return Self { text: "-".to_owned(), style: style::QUIET };
        }
        Self { text: plain(text).into_owned(), style }
    }
}

/// One row, and what is to be said below it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// One for each heading.
    pub(crate) cells: Vec<Cell>,
    /// Paragraphs below the row.
    pub(crate) notes: Vec<String>,
}

/// Headings and rows.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Row>,
}

impl Table {
    /// An empty table with these headings.
    pub(crate) fn new(heads: &[&'static str]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// Writes the table, every line ended, `width` columns wide.
    pub(crate) fn render(&self, out: &mut String, width: usize) {
        let widths = self.widths(width);
        let head =
            self.heads.iter().map(|head| Cell { text: (*head).to_owned(), style: style::HEAD }).collect::<Vec<_>>();
        render_cells(out, &head, &widths);
        // Notes stand below the second column, unless the first one is wide.
        let indent = widths.first().copied().unwrap_or(0).saturating_add(GAP).min(width / 4);
        let indent = " ".repeat(indent);
        for row in &self.rows {
            render_cells(out, &row.cells, &widths);
            for note in &row.notes {
                out.push_str(&wrap(&plain(note), &indent, &indent, width));
                out.push('\n');
            }
        }
    }

    /// The columns' widths: what they hold, the widest squeezed until all fit.
    fn widths(&self, total: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self.heads.iter().map(|head| columns(head)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(columns(&cell.text)).min(total);
            }
        }
        let gaps = GAP.saturating_mul(widths.len().saturating_sub(1));
        let room = total.saturating_sub(gaps);
        let mut sum: usize = widths.iter().sum();
        while sum > room {
            let Some(widest) = widths.iter_mut().max().filter(|width| **width > NARROWEST) else { break };
            *widest -= 1;
            sum -= 1;
        }
        widths
    }
}

fn render_cells(out: &mut String, cells: &[Cell], widths: &[usize]) {
    let wrapped: Vec<(Vec<String>, Style, usize)> =
        cells.iter().zip(widths).map(|(cell, &width)| (cell_lines(&cell.text, width), cell.style, width)).collect();
    let height = wrapped.iter().map(|(lines, ..)| lines.len()).max().unwrap_or(0);
    for nth in 0..height {
        let mut owed = 0;
        for (lines, style, width) in &wrapped {
            let text = lines.get(nth).map_or("", String::as_str);
            if !text.is_empty() {
                out.push_str(&" ".repeat(owed));
                out.push_str(&format!("{style}{text}{style:#}"));
                owed = 0;
            }
            owed += width.saturating_sub(columns(text)) + GAP;
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rendered(table: &Table, width: usize) -> String {
        let mut out = String::new();
        table.render(&mut out, width);
        anstream::adapter::strip_str(&out).to_string()
    }

    #[test]
    fn a_cell_that_does_not_fit_is_continued_below() {
        let mut table = Table::new(&["NAME", "WHAT"]);
        let cells = vec![Cell::new("a"), Cell::new("one two three four five")];
        table.push(Row { cells, notes: vec!["because of that".to_owned()] });
        table.push(Row { cells: vec![Cell::new("b"), Cell::new("")], notes: Vec::new() });
        let shown = "NAME  WHAT\na     one two three\n      four five\n     because of that\nb     -\n";
        assert_eq!(rendered(&table, 20), shown);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_and_nothing_is_lost(
            names in proptest::collection::vec("[a-z]{1,64}", 1..8), width in 40usize..120,
        ) {
            let mut table = Table::new(&["NAME", "HOLDER", "STATUS"]);
            for name in &names {
                let cells = vec![Cell::new(name), Cell::new(name), Cell::word("running")];
                table.push(Row { cells, notes: Vec::new() });
            }
            let shown = rendered(&table, width);
            prop_assert!(shown.lines().all(|line| columns(line) <= width));
            let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).count();
            let put_in: usize = names.iter().map(|name| 2 * name.len() + "running".len()).sum();
            prop_assert_eq!(letters(&shown), put_in);
        }
    }
}
