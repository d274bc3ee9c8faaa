//! Which target gets a request.

use http::{HeaderMap, header};
use tokio::time::Instant;

use super::Core;
use crate::{
    balance::{Field, Key},
    config::{Balance, HashBy, MAX_TARGETS},
    forwarding::Forwarding,
};

/// The targets that a request has been sent to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tried([u64; MAX_TARGETS / 64]);

impl Tried {
    pub(super) fn add(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    fn has(&self, index: usize) -> bool {
        self.0[index / 64] & 1 << (index % 64) != 0
    }
}

/// What the balancers see.
struct View<'a> {
    core: &'a Core,
    now: Instant,
    /// None of these.
    tried: Tried,
    /// Even those that are out.
    all: bool,
}

impl Field for View<'_> {
    fn len(&self) -> usize {
        self.core.members.len()
    }

    fn eligible(&self, index: usize) -> bool {
        let target = &self.core.members[index].target;
        !self.tried.has(index) && (self.all || target.standing.available(self.now)) && target.has_room()
    }

    fn share(&self, index: usize) -> f64 {
        let member = &self.core.members[index];
        member.share * member.target.standing.share(self.now, self.core.config.slow_start)
    }

    fn in_flight(&self, index: usize) -> u32 {
        self.core.members[index].target.load.in_flight()
    }

    fn latency(&self, index: usize) -> f64 {
        self.core.members[index].target.load.expected(self.now)
    }

    fn identity(&self, index: usize) -> u64 {
        self.core.members[index].target.identity
    }
}

impl Core {
    /// An available target with room, one that was not tried if there is one. If every target is out, the checks may
    /// be wrong and trying costs little: then any. None if all are full.
    pub(super) fn pick(&self, key: Option<Key>, tried: Tried, now: Instant) -> Option<usize> {
        let among = |tried, all| {
            let view = View { core: self, now, tried, all };
            self.balancer.pick(&self.config.balance, &view, key)
        };
        among(tried, false).or_else(|| among(Tried::default(), false)).or_else(|| {
            let out = !self.members.iter().any(|member| member.target.standing.available(now));
            out.then(|| among(tried, true).or_else(|| among(Tried::default(), true)))?
        })
    }

    /// Whether there is a target that was not tried.
    pub(super) fn has_another(&self, tried: Tried, now: Instant) -> bool {
        let view = View { core: self, now, tried, all: false };
        (0..view.len()).any(|index| view.eligible(index))
    }

    /// What the request is hashed by, if it is.
    pub(super) fn key(&self, headers: &HeaderMap, context: &Forwarding) -> Option<Key> {
        let Balance::ConsistentHash(settings) = &self.config.balance else { return None };
        match &settings.by {
            HashBy::ClientAddress => Some(match context.client.to_canonical() {
                std::net::IpAddr::V4(address) => Key::of(&address.octets()),
                std::net::IpAddr::V6(address) => Key::of(&address.octets()),
            }),
            HashBy::Header(name) => headers.get(name).map(|value| Key::of(value.as_bytes())),
            HashBy::Cookie(name) => headers
                .get_all(header::COOKIE)
                .iter()
                .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
                .map(<[u8]>::trim_ascii)
                .find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
                .map(Key::of),
        }
    }
}
