//! A pool's settings are judged as a whole: everything that is wrong, each by its place.

use std::{collections::HashSet, fmt, time::Duration};

use http::{HeaderName, HeaderValue, uri::Authority, uri::PathAndQuery};
use rustls_pki_types::ServerName;

use super::{Balance, HashBy, HostHeader, MAX_TARGETS, Place, PoolConfig, Shedding};
use crate::tls;

/// One setting that can't work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Where it stands, such as `targets[2].url`.
    pub path: String,
    /// What is wrong with it.
    pub sentence: String,
}

/// Everything that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(pub Vec<Invalid>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Invalid { path, sentence }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{path} {sentence}.")?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Findings(Vec<Invalid>);

impl Findings {
    fn add(&mut self, path: impl Into<String>, sentence: impl Into<String>) {
        self.0.push(Invalid { path: path.into(), sentence: sentence.into() });
    }

    fn demand(&mut self, right: bool, path: &str, sentence: &str) {
        if !right {
            self.add(path, sentence);
        }
    }
}

impl PoolConfig {
    /// Judges the settings.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut found = Findings::default();
        self.check_targets(&mut found);
        self.check_balance(&mut found);
        self.check_names(&mut found);
        self.check_times(&mut found);
        self.check_limits(&mut found);
        if let Err(sentence) = tls::check(&self.tls) {
            found.add("tls", sentence);
        }
        if found.0.is_empty() { Ok(()) } else { Err(ConfigError(found.0)) }
    }

    fn check_targets(&self, found: &mut Findings) {
        let count = self.targets.len();
        found.demand((1..=MAX_TARGETS).contains(&count), "targets", "must hold 1 to 256 servers");
        let mut seen = HashSet::new();
        for (index, target) in self.targets.iter().enumerate() {
            match Place::parse(&target.url) {
                Err(error) => found.add(format!("targets[{index}].url"), error.to_string()),
                Ok(place) if !seen.insert(place.clone()) => {
                    found.add(format!("targets[{index}].url"), "is there twice");
                }
                Ok(_) => {}
            }
            if !(1..=100).contains(&target.weight) {
                found.add(format!("targets[{index}].weight"), "must be 1 to 100");
            }
        }
    }

    fn check_balance(&self, found: &mut Findings) {
        let Balance::ConsistentHash(hash) = &self.balance else { return };
        let factor = (1.0..=10.0).contains(&hash.load_factor);
        found.demand(factor, "balance.consistent_hash.load_factor", "must be 1.0 to 10.0");
        if let HashBy::Header(name) | HashBy::Cookie(name) = &hash.by {
            let token = HeaderName::from_bytes(name.as_bytes()).is_ok();
            found.demand(token, "balance.consistent_hash.by", "must be a name of letters, digits and hyphens");
        }
    }

    fn check_names(&self, found: &mut Findings) {
        if let HostHeader::Fixed(host) = &self.host {
            found.demand(is_host(host), "host.fixed", "must be a host, with a port if need be");
        }
        let token = HeaderName::from_bytes(self.forwarded.via.as_bytes()).is_ok();
        found.demand(token, "forwarded.via", "must be a name of letters, digits and hyphens");
        if let Some(name) = &self.tls.server_name {
            let valid = ServerName::try_from(name.as_str()).is_ok();
            found.demand(valid, "tls.server_name", "must be a host name or an address");
        }
        let Some(health) = &self.health else { return };
        let path = health.path.starts_with('/') && health.path.parse::<PathAndQuery>().is_ok();
        found.demand(path, "health.path", "must be a path that begins with /");
        found.demand(health.host.as_deref().is_none_or(is_host), "health.host", "must be a host");
        let range = health.expect;
        let statuses = 100 <= range.from && range.from <= range.to && range.to <= 599;
        found.demand(statuses, "health.expect", "must be a range within 100 to 599");
        found.demand(health.healthy_after > 0, "health.healthy_after", "must not be 0");
        found.demand(health.unhealthy_after > 0, "health.unhealthy_after", "must not be 0");
    }

    fn check_times(&self, found: &mut Findings) {
        let health = self.health.as_ref();
        let times = [
            ("timeouts.connect", self.timeouts.connect),
            ("timeouts.response_head", self.timeouts.response_head),
            ("timeouts.between_frames", self.timeouts.between_frames),
            ("connections.idle_timeout", self.connections.idle_timeout),
            ("ejection.interval", self.ejection.interval),
            ("ejection.base_time", self.ejection.base_time),
            ("health.interval", health.map_or(Duration::MAX, |health| health.interval)),
            ("health.timeout", health.map_or(Duration::MAX, |health| health.timeout)),
        ];
        for (path, time) in times {
            found.demand(!time.is_zero(), path, "must not be 0");
        }
        let ordered = self.ejection.base_time <= self.ejection.max_time;
        found.demand(ordered, "ejection.max_time", "must not be below ejection.base_time");
    }

    fn check_limits(&self, found: &mut Findings) {
        found.demand(self.connections.max_streams > 0, "connections.max_streams", "must not be 0");
        let connections = self.breaker.max_connections;
        found.demand((1..=1_000_000).contains(&connections), "breaker.max_connections", "must be 1 to 1000000");
        found.demand(self.breaker.max_requests > 0, "breaker.max_requests", "must not be 0");
        let gap = (0.0..=1.0).contains(&self.ejection.success_rate_gap);
        found.demand(gap, "ejection.success_rate_gap", "must be 0 to 1");
        let percent = (1..=100).contains(&self.ejection.max_percent);
        found.demand(percent, "ejection.max_percent", "must be 1 to 100");
        found.demand(self.retry.attempts <= 5, "retry.attempts", "must be at most 5");
        found.demand(self.retry.budget_percent <= 100, "retry.budget_percent", "must be at most 100");
        let statuses = self.retry.statuses.iter().all(|status| (500..=599).contains(status) || *status == 429);
        found.demand(statuses, "retry.statuses", "may hold 429 and 500 to 599");
        let limits = match self.shedding {
            Shedding::Off => true,
            Shedding::Limit(limit) => limit > 0,
            Shedding::Adaptive { min, max } => 0 < min && min <= max,
        };
        found.demand(limits, "shedding", "must have limits above 0, the smaller one first");
    }
}

fn is_host(text: &str) -> bool {
    let plain = text.parse::<Authority>().is_ok_and(|authority| !authority.as_str().contains('@'));
    plain && HeaderValue::from_str(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> PoolConfig {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn targets_alone_make_a_pool() {
        let config = read(r#"{"targets": [{"url": "http://127.0.0.1:3000"}]}"#);

        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.balance, Balance::P2cEwma);
        assert_eq!(config.timeouts.connect, Duration::from_secs(3));
    }

    #[test]
    fn everything_wrong_is_told_at_once_and_by_its_place() {
        let config = read(
            r#"{"targets": [{"url": "http://a"}, {"url": "http://a:80", "weight": 0}, {"url": "gopher://b"}],
                "balance": {"consistent_hash": {"by": {"header": "x y"}, "load_factor": 0.5}},
                "host": {"fixed": "a b"},
                "timeouts": {"connect": 0, "response_head": "5s"},
                "health": {"path": "ok", "expect": {"from": 300, "to": 200}},
                "retry": {"attempts": 9, "statuses": [200]},
                "shedding": {"adaptive": {"min": 9, "max": 3}},
                "tls": {"ca": "no certificate", "server_name": "-"}}"#,
        );

        let ConfigError(found) = config.check().unwrap_err();

        let paths: Vec<_> = found.iter().map(|invalid| invalid.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "targets[1].url",
                "targets[1].weight",
                "targets[2].url",
                "balance.consistent_hash.load_factor",
                "balance.consistent_hash.by",
                "host.fixed",
                "tls.server_name",
                "health.path",
                "health.expect",
                "timeouts.connect",
                "retry.attempts",
                "retry.statuses",
                "shedding",
                "tls",
            ]
        );
    }

    #[test]
    fn an_unknown_setting_is_an_error() {
        for json in [
            r#"{"targets": [], "balancer": "x"}"#,
            r#"{"targets": [{"url": "http://a", "wieght": 2}]}"#,
            r#"{"targets": [], "timeouts": {"conect": "1s"}}"#,
        ] {
            assert!(serde_json::from_str::<PoolConfig>(json).is_err(), "{json}");
        }
    }
}
