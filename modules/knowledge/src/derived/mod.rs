//! Each replica's own indexes, made of the rows and following them by their sequence numbers.
//!
//! A [`Shelf`](shelf::Shelf) holds one tenant's; [`Shelves`](shelves::Shelves) opens them when they are first asked for
//! and forgets those that nobody asks for; [`follow`] feeds one from the rows; the [`keeper`] does so when rows change.
//! All of it may be deleted at any time: it comes back by itself.

mod follow;
pub(crate) mod keeper;
pub(crate) mod shelf;
pub(crate) mod shelves;
