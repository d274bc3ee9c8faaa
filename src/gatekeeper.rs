//! Tells the edge who asks, by the same rule as the front door.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use gateway::{Authenticator, Denial, EdgeInfo, Verdict, Voucher};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use identity::Identity;
use kernel::{Actor, Caller, Kind, Problem, Vigil};

use crate::identify::{self, Identify};

/// The edge's eye on accounts.
pub struct Gatekeeper {
    identify: Identify,
    identity: Identity,
}

impl Gatekeeper {
    /// Asks this one who it is, and has it signed by these keys.
    pub const fn new(identify: Identify, identity: Identity) -> Self {
        Self { identify, identity }
    }

    async fn verdict(&self, method: &Method, headers: &HeaderMap, edge: &EdgeInfo) -> Result<Verdict, Problem> {
        // A WebSocket changes things, whatever its method, so that a page of another origin can't use a browser's cookie.
        let method = if headers.contains_key(header::UPGRADE) { &Method::POST } else { method };
        let caller = self.identify.visitor(method, headers, edge).await.caller?;
        match caller.standing() {
            Some(standing) => {
                let roles = standing.roles().await?;
                Ok(Verdict::Known(known(&caller, roles)))
            }
            None => Ok(Verdict::Anonymous),
        }
    }
}

impl Authenticator for Gatekeeper {
    fn identify<'a>(
        &'a self,
        method: &'a Method,
        headers: &'a HeaderMap,
        edge: &'a EdgeInfo,
    ) -> BoxFuture<'a, Verdict> {
        async move { self.verdict(method, headers, edge).await.unwrap_or_else(refused) }.boxed()
    }

    fn follow(&self, identity: &gateway::Identity) -> BoxStream<'static, gateway::Identity> {
        let Some(caller) = identity.inside.downcast_ref::<Caller>() else { return stream::empty().boxed() };
        let begun = (Vigil::over(caller), Arc::clone(&identity.roles));
        stream::unfold(begun, |(mut vigil, mut roles)| async move {
            vigil.due().await;
            let caller = vigil.look().await.ok()?;
            // While the database is away, what was known holds for as long as the vigil lets it.
            if let Ok(found) = caller.standing()?.roles().await {
                roles = found;
            }
            Some((known(caller, Arc::clone(&roles)), (vigil, roles)))
        })
        .boxed()
    }

    fn vouch<'a>(&'a self, voucher: Voucher<'a>) -> BoxFuture<'a, Option<HeaderValue>> {
        async move {
            let signed = self.identity.vouch(&told(&voucher)?, voucher.lifetime).await;
            let signed = signed.inspect_err(|problem| tracing::warn!(?problem, "can't tell a service who asks"));
            let mut field = HeaderValue::try_from(signed.ok()?).ok()?;
            field.set_sensitive(true);
            Some(field)
        }
        .boxed()
    }

    fn conceal(&self, headers: &mut HeaderMap) {
        identify::conceal(headers);
    }
}

fn known(caller: &Caller, roles: Arc<[String]>) -> gateway::Identity {
    gateway::Identity {
        subject: caller.actor.account().map(|id| id.to_string()).unwrap_or_default().into(),
        kind: caller.actor.kind(),
        credential: match &caller.actor {
            Actor::Account { session, .. } => Some(session.to_string().into()),
            Actor::ApiKey { id, .. } => Some(id.to_string().into()),
            Actor::Anonymous | Actor::System { .. } => None,
        },
        tenant: caller.tenant.to_string().into(),
        scopes: caller.permissions.shared_names(),
        roles,
        inside: Arc::new(caller.clone()),
    }
}

fn told(voucher: &Voucher<'_>) -> Option<identity::Voucher> {
    let identity = voucher.identity;
    let caller = identity.inside.downcast_ref::<Caller>()?;
    let (sid, key) = match &caller.actor {
        Actor::Account { session, .. } => (Some(*session), None),
        Actor::ApiKey { id, .. } => (None, Some(*id)),
        Actor::Anonymous | Actor::System { .. } => (None, None),
    };
    Some(identity::Voucher {
        sub: caller.actor.account()?,
        kind: identity.kind,
        tenant: caller.tenant,
        scope: identity.scopes.join(" "),
        roles: Arc::clone(&identity.roles),
        sid,
        key,
        aud: voucher.audience.into(),
        request_id: voucher.request_id.into(),
    })
}

fn refused(problem: Problem) -> Verdict {
    match problem.kind {
        Kind::Unavailable | Kind::Timeout | Kind::Internal => Verdict::Unavailable,
        kind => {
            let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::FORBIDDEN);
            Verdict::Refused(Denial { status, code: problem.code.into_owned(), detail: problem.detail })
        }
    }
}
