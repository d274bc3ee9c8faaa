//! What every GraphQL face is made of: who asks, lists as connections, and problems with their code.

use async_graphql::{Context, Error, ErrorExtensions, Value};

use crate::caller::{Actor, Caller};
use crate::list::ListParams;
use crate::problem::Problem;

impl From<Problem> for Error {
    /// Possible only because [`Problem`] has no `Display`; see there.
    fn from(problem: Problem) -> Self {
        let fields: Vec<Value> = problem
            .fields
            .iter()
            .map(|field| {
                let pairs = [("path", field.path.as_str()), ("code", &field.code), ("detail", &field.detail)];
                Value::Object(
                    pairs.map(|(key, text)| (async_graphql::Name::new(key), Value::from(text))).into_iter().collect(),
                )
            })
            .collect();
        Self::new(problem.detail).extend_with(|_, extensions| {
            extensions.set("code", problem.code.as_ref());
            extensions.set("status", problem.kind.status());
            extensions.set("retryable", problem.kind.retryable());
            extensions.set("errors", Value::List(fields));
        })
    }
}

/// The caller, signed in or not.
///
/// # Errors
/// 401 when the credential that came does not hold.
pub fn anyone<'a>(context: &Context<'a>) -> Result<&'a Caller, Problem> {
    context.data::<Caller>().map_err(|error| Problem::internal(error.message))
}

/// The caller, signed in.
///
/// # Errors
/// 401 for anybody else.
pub fn caller<'a>(context: &Context<'a>) -> Result<&'a Caller, Problem> {
    let caller = anyone(context)?;
    match caller.actor {
        Actor::Anonymous => Err(Problem::unauthenticated()),
        _ => Ok(caller),
    }
}

/// The arguments of a connection as parameters of a list.
pub fn list(first: Option<i64>, after: Option<String>, filter: Option<String>, sort: Option<String>) -> ListParams {
    ListParams { limit: first, cursor: after, filter, sort }
}
