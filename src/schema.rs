//! The GraphQL schema: one `Query` and one `Mutation` a module.

use async_graphql::{EmptySubscription, MergedObject, Schema};

use crate::config::GraphqlConfig;
use crate::house::House;
use crate::overview;

/// All queries.
#[derive(MergedObject)]
pub struct Query(
    identity::graphql::Query,
    tenancy::graphql::Query,
    audit::graphql::Query,
    events::graphql::Query,
    jobs::graphql::Query,
    overview::graphql::Query,
);

/// All mutations.
#[derive(MergedObject)]
pub struct Mutation(
    identity::graphql::Mutation,
    tenancy::graphql::Mutation,
    audit::graphql::Mutation,
    jobs::graphql::Mutation,
);

/// The schema with every module in it.
pub type Graph = Schema<Query, Mutation, EmptySubscription>;

/// Builds the schema.
pub fn build(house: &House, limits: &GraphqlConfig) -> Graph {
    let query = Query(
        identity::graphql::Query::new(house.identity.clone()),
        tenancy::graphql::Query::new(house.tenancy.clone()),
        audit::graphql::Query(house.audit.clone()),
        events::graphql::Query::new(house.events.clone()),
        jobs::graphql::Query::new(house.jobs.clone()),
        overview::graphql::Query(house.overview.clone()),
    );
    let mutation = Mutation(
        identity::graphql::Mutation::new(house.identity.clone()),
        tenancy::graphql::Mutation::new(house.tenancy.clone()),
        audit::graphql::Mutation(house.audit.clone()),
        jobs::graphql::Mutation::new(house.jobs.clone()),
    );
    Schema::build(query, mutation, EmptySubscription)
        .data(tenancy::graphql::role_loader(&house.tenancy))
        .limit_depth(limits.max_depth)
        .limit_complexity(limits.max_cost)
        .limit_directives(16)
        .finish()
}
