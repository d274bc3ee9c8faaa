//! Who is asked what DNS says.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use edge_dns::{Cause, Diagnosis, Finding, Question, Resolvers, Standing};

use crate::domains::config::DomainsConfig;

/// Says what DNS says of a name. Tests bring their own.
#[async_trait]
pub(crate) trait Lookup: Send + Sync + 'static {
    async fn diagnose(&self, question: &Question) -> Diagnosis;
}

/// The configured resolvers, set up when they are first needed.
pub(crate) struct Dns {
    servers: Vec<SocketAddr>,
    time: Duration,
    resolvers: OnceLock<Result<Resolvers, String>>,
}

impl Dns {
    pub(crate) fn new(config: &DomainsConfig) -> Self {
        let servers = config.resolvers.iter().map(|server| server.0).collect();
        Self { servers, time: config.time(), resolvers: OnceLock::new() }
    }
}

#[async_trait]
impl Lookup for Dns {
    async fn diagnose(&self, question: &Question) -> Diagnosis {
        let set_up = || Resolvers::new(&self.servers, self.time).map_err(|error| error.to_string());
        match self.resolvers.get_or_init(set_up) {
            Ok(resolvers) => resolvers.diagnose(question).await,
            Err(why) => nobody_to_ask(why),
        }
    }
}

fn nobody_to_ask(why: &str) -> Diagnosis {
    let finding = Finding {
        cause: Cause::ResolversUnreachable,
        sentence: "No resolver can be asked.".to_owned(),
        evidence: vec![why.to_owned()],
        mend: "For the operator: name resolvers in tenancy.domains.resolvers.".to_owned(),
    };
    let unknown = Standing::Unknown;
    Diagnosis { proof: unknown, address: unknown, caa: unknown, findings: vec![finding] }
}
