//! The field that tells services who asks: no client's own ever passes, and the edge's is signed.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use quick_cache::sync::Cache;

use crate::authenticator::{Authenticator, Identity, Voucher};

/// What services read.
pub(crate) const IDENTITY: HeaderName = HeaderName::from_static("holdfast-identity");

/// How long one holds.
const LIFETIME: Duration = Duration::from_secs(60);
/// Within how long the same is told by the same one, so that each holds for at least the rest.
const WINDOW: Duration = Duration::from_secs(30);
/// Remembered at once.
const KEPT: usize = 10_000;

/// Removes what a client says about its identity, in any spelling that some server may take for ours: to CGI and its
/// heirs `Holdfast_Identity` is `Holdfast-Identity`.
pub(crate) fn strip(headers: &mut HeaderMap) {
    take_off(headers, imitates);
}

/// Removes the fields of a client whose names are `forged`.
pub(crate) fn take_off(headers: &mut HeaderMap, forged: impl Fn(&HeaderName) -> bool) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| forged(name)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// Whether some server may take this name for ours, or for one that begins with it.
fn imitates(name: &HeaderName) -> bool {
    name.as_str().len() >= IDENTITY.as_str().len() && begins_like(name, &IDENTITY)
}

/// Whether some server may take one name for the other.
pub(crate) fn spelled_like(name: &HeaderName, ours: &HeaderName) -> bool {
    name.as_str().len() == ours.as_str().len() && begins_like(name, ours)
}

/// Names are in lower case. Whatever is no letter and no digit may be read as a hyphen.
fn begins_like(name: &HeaderName, ours: &HeaderName) -> bool {
    let sign = |byte: u8| !byte.is_ascii_alphanumeric();
    let alike = |(one, other): (u8, u8)| one == other || (sign(one) && sign(other));
    name.as_str().bytes().zip(ours.as_str().bytes()).all(alike)
}

/// What was signed lately, so that the way of a request has no signature in it.
pub(crate) struct Vouchers {
    /// By a keyed hash of all that is told, and the window in which it was signed.
    kept: Cache<(u64, u64, u64), HeaderValue>,
    keys: (RandomState, RandomState),
    begun: Instant,
}

impl Default for Vouchers {
    fn default() -> Self {
        Self { kept: Cache::new(KEPT), keys: (RandomState::new(), RandomState::new()), begun: Instant::now() }
    }
}

impl Vouchers {
    /// The field that tells `audience` who asks; `None` while it can't be signed. Of requests that ask for the same at
    /// once, one has it signed and the others wait.
    pub(crate) async fn field(
        &self,
        by: &dyn Authenticator,
        identity: &Identity,
        audience: &str,
        request_id: &str,
    ) -> Option<HeaderValue> {
        let window = self.begun.elapsed().as_secs() / WINDOW.as_secs();
        let name = (hashed(&self.keys.0, identity, audience), hashed(&self.keys.1, identity, audience), window);
        let voucher = Voucher { identity, audience, request_id, lifetime: LIFETIME };
        let sign = async { by.vouch(voucher).await.ok_or(()) };
        self.kept.get_or_insert_async(&name, sign).await.ok()
    }
}

fn hashed(key: &RandomState, identity: &Identity, audience: &str) -> u64 {
    let Identity { subject, kind, credential, tenant, scopes, roles, inside: _ } = identity;
    key.hash_one((subject, kind, credential, tenant, scopes, roles, audience))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures_util::{
        FutureExt, StreamExt,
        future::{BoxFuture, join_all},
        stream::{self, BoxStream},
    };
    use http::Method;

    use super::*;
    use crate::{app::EdgeInfo, authenticator::Verdict};

    #[test]
    fn whatever_may_be_read_as_the_identity_is_removed() {
        let mut headers = HeaderMap::new();
        let forged = [
            "Holdfast-Identity",
            "holdfast_identity",
            "HOLDFAST_IDENTITY-Roles",
            "holdfast.identity",
            "Holdfast-Identity-X",
        ];
        let harmless = ["Holdfast-Tenant", "holdfastxidentity", "Holdfast-Identit", "X-Holdfast-Identity"];
        for name in forged.iter().chain(&harmless) {
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static("1"));
            headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static("2"));
        }

        strip(&mut headers);

        let mut left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["holdfast-identit", "holdfast-tenant", "holdfastxidentity", "x-holdfast-identity"]);
    }

    /// Signs by counting.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Authenticator for Counting {
        fn identify<'a>(&'a self, _: &'a Method, _: &'a HeaderMap, _: &'a EdgeInfo) -> BoxFuture<'a, Verdict> {
            std::future::ready(Verdict::Anonymous).boxed()
        }

        fn follow(&self, _: &Identity) -> BoxStream<'static, Identity> {
            stream::pending().boxed()
        }

        fn vouch<'a>(&'a self, voucher: Voucher<'a>) -> BoxFuture<'a, Option<HeaderValue>> {
            let number = self.0.fetch_add(1, Ordering::SeqCst);
            let signed = HeaderValue::from_str(&format!("{number} for {}", voucher.audience)).ok();
            async move {
                tokio::task::yield_now().await;
                signed
            }
            .boxed()
        }

        fn conceal(&self, _: &mut HeaderMap) {}
    }

    fn identity(scope: &str) -> Identity {
        Identity {
            subject: "usr_1".into(),
            kind: "account",
            credential: None,
            tenant: "ten_1".into(),
            scopes: [scope.into()].into(),
            roles: Arc::default(),
            inside: Arc::new(()),
        }
    }

    #[tokio::test]
    async fn the_same_is_signed_once_and_what_differs_apart() {
        let (vouchers, by) = (Vouchers::default(), Counting::default());
        let (reader, writer) = (identity("read"), identity("write"));

        let same = join_all((0..64).map(|_| vouchers.field(&by, &reader, "shop", "req_1"))).await;
        let other_service = vouchers.field(&by, &reader, "till", "req_1").await.unwrap();
        let other_rights = vouchers.field(&by, &writer, "shop", "req_1").await.unwrap();

        assert!(same.iter().all(|field| field.as_ref().unwrap() == "0 for shop"), "{same:?}");
        assert_eq!((other_service, other_rights), ("1 for till".parse().unwrap(), "2 for shop".parse().unwrap()));
    }
}
