//! What every REST face is made of: who asks, the answers, and problems as RFC 9457 documents.

mod auth;
mod events;
mod payload;
mod problem;
mod reply;
mod strict;

pub use auth::{Anyone, Auth, Identified};
pub use events::EventStream;
pub use payload::Body;
pub use problem::{ProblemBody, on_error, stamp};
pub use reply::{Accepted, Created, Etag, Listed, NoContent, Reply};
pub use strict::parse as strict_json;
