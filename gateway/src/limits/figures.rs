//! How a limit stands, for operators.

use std::sync::Arc;

use super::Subject;

/// A limit in force with its figures, all of this process and since its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitFigures {
    pub name: Arc<str>,
    /// Whether it is one of everything; otherwise routes name it.
    pub everywhere: bool,
    pub by: Vec<Subject>,
    pub per_minute: u32,
    pub burst: u32,
    /// What a request takes, where its route does not say otherwise.
    pub cost: u32,
    pub dry_run: bool,
    pub shared: bool,
    /// Requests that it refused.
    pub refused: u64,
    /// Requests that it would have refused, in a dry run.
    pub would_refuse: u64,
    /// Clients that it remembers.
    pub clients: usize,
}
