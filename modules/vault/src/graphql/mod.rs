//! The GraphQL face. Bytes go over REST only.

mod mutation;
mod query;

pub use mutation::Mutation;
pub use query::Query;
