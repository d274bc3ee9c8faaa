//! What is wrong with a table.

use serde::Serialize;

/// One fault, by the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Such as `routes[3].match.hosts[0]`.
    pub path: String,
    /// Stable, such as `routes.host_invalid`.
    pub code: &'static str,
    /// Says what to do.
    pub sentence: String,
}

/// Collects faults below one place of the table.
#[derive(Debug)]
pub(crate) struct Faults<'a> {
    pub(crate) place: String,
    pub(crate) all: &'a mut Vec<Problem>,
}

impl Faults<'_> {
    /// Adds a fault at `field`, a path below this place.
    pub(crate) fn add(&mut self, field: &str, code: &'static str, sentence: impl Into<String>) {
        self.all.push(Problem { path: format!("{}.{field}", self.place), code, sentence: sentence.into() });
    }

    /// Adds a fault unless `holds`.
    pub(crate) fn expect(&mut self, holds: bool, field: &str, code: &'static str, sentence: &str) {
        if !holds {
            self.add(field, code, sentence);
        }
    }
}
