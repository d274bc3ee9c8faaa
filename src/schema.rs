//! The GraphQL schema: one `Query` and one `Mutation` a module, and a `Subscription` where something streams.

use async_graphql::{MergedObject, MergedSubscription, Schema};

use crate::config::GraphqlConfig;
use crate::house::House;
use crate::overview;

/// All queries.
#[derive(MergedObject)]
pub struct Query(
    identity::graphql::Query,
    tenancy::graphql::Query,
    edge::graphql::Query,
    vault::graphql::Query,
    knowledge::graphql::Query,
    audit::graphql::Query,
    events::graphql::Query,
    jobs::graphql::Query,
    chat::graphql::Query,
    overview::graphql::Query,
);

/// All mutations.
#[derive(MergedObject)]
pub struct Mutation(
    identity::graphql::Mutation,
    tenancy::graphql::Mutation,
    edge::graphql::Mutation,
    vault::graphql::Mutation,
    knowledge::graphql::Mutation,
    audit::graphql::Mutation,
    jobs::graphql::Mutation,
    chat::graphql::Mutation,
);

/// All subscriptions.
#[derive(MergedSubscription)]
pub struct Subscription(chat::graphql::Subscription, edge::graphql::Subscription);

/// The schema with every module in it.
pub type Graph = Schema<Query, Mutation, Subscription>;

/// Builds the schema.
pub fn build(house: &House, limits: &GraphqlConfig) -> Graph {
    let query = Query(
        identity::graphql::Query::new(house.identity.clone()),
        tenancy::graphql::Query::new(house.tenancy.clone()),
        edge::graphql::Query::new(house.edge.clone()),
        vault::graphql::Query::new(house.vault.clone()),
        knowledge::graphql::Query::new(house.knowledge.clone()),
        audit::graphql::Query(house.audit.clone()),
        events::graphql::Query::new(house.events.clone()),
        jobs::graphql::Query::new(house.jobs.clone()),
        chat::graphql::Query::new(house.chat.clone()),
        overview::graphql::Query(house.overview.clone()),
    );
    let mutation = Mutation(
        identity::graphql::Mutation::new(house.identity.clone()),
        tenancy::graphql::Mutation::new(house.tenancy.clone()),
        edge::graphql::Mutation::new(house.edge.clone()),
        vault::graphql::Mutation::new(house.vault.clone()),
        knowledge::graphql::Mutation::new(house.knowledge.clone()),
        audit::graphql::Mutation(house.audit.clone()),
        jobs::graphql::Mutation::new(house.jobs.clone()),
        chat::graphql::Mutation::new(house.chat.clone()),
    );
    let subscription = Subscription(
        chat::graphql::Subscription::new(house.chat.clone()),
        edge::graphql::Subscription::new(house.edge.clone()),
    );
    Schema::build(query, mutation, subscription)
        .data(tenancy::graphql::role_loader(&house.tenancy))
        .limit_depth(limits.max_depth)
        .limit_complexity(limits.max_cost)
        .limit_directives(16)
        .finish()
}
