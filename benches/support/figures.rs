//! Medians and how they are shown.

use std::time::Duration;

/// Measurements of one thing.
#[derive(Debug, Default, Clone)]
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    /// Adds one, in any unit.
    pub(crate) fn add(&mut self, figure: f64) {
        self.0.push(figure);
        self.0.sort_by(f64::total_cmp);
    }

    /// Adds a time, in milliseconds.
    pub(crate) fn add_time(&mut self, time: Duration) {
        self.add(time.as_secs_f64() * 1000.0);
    }

    /// The middle one; not a number when there is none.
    pub(crate) fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn shown(&self, unit: &str) -> String {
        let end = |figure: Option<&f64>| figure.copied().unwrap_or(f64::NAN);
        let (least, most) = (end(self.0.first()), end(self.0.last()));
        format!("{:8.2} {unit}   ({least:.2} … {most:.2}, {} runs)", self.median(), self.0.len())
    }
}

/// One line: what, and its figures.
pub(crate) fn line(what: &str, unit: &str, figures: &Figures) {
    println!("{what:<58} {}", figures.shown(unit));
}

/// One line that compares two of the same run.
pub(crate) fn ratio(what: &str, this: &Figures, that: &Figures) {
    println!("{what:<58} {:8.2} ×", this.median() / that.median());
}
