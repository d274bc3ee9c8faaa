//! Settings of routes and their cache. Their defaults stand in `config/holdfast.toml`.

use std::{path::PathBuf, time::Duration};

use edge_cache::DiskConfig;
use serde::Deserialize;

use crate::units;

/// Where routes come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingConfig {
    /// A TOML file with `[[routes]]` and `[pools.NAME]`. Empty: no routes.
    pub file: String,
    /// The longest silence inside an upgraded connection to a service.
    #[serde(deserialize_with = "units::duration")]
    pub tunnel_idle: Duration,
}

/// The bounds of the cache.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheConfig {
    /// What stored answers may take in memory.
    #[serde(deserialize_with = "units::size")]
    pub memory: u64,
    /// The largest body that any route may store, at most an eighth of that.
    #[serde(deserialize_with = "units::size")]
    pub max_object: u64,
    /// What answers under way may hold while they are kept.
    #[serde(deserialize_with = "units::size")]
    pub in_flight: u64,
    /// Background revalidations at once.
    pub max_revalidations: usize,
    /// How long one waits for the head of the answer.
    #[serde(deserialize_with = "units::duration")]
    pub revalidate_timeout: Duration,
    /// The longest silence inside a body that is being stored.
    #[serde(deserialize_with = "units::duration")]
    pub body_timeout: Duration,
    /// What answers may take on the disk beside that. 0: nothing is kept there.
    #[serde(deserialize_with = "units::size")]
    pub disk: u64,
    /// The folder; whoever reads the settings puts one in the place of an empty one.
    pub disk_path: String,
    /// Bodies from this size on are written when they come, smaller ones when memory has no room for them.
    #[serde(deserialize_with = "units::size")]
    pub disk_from: u64,
}

impl From<&CacheConfig> for edge_cache::Config {
    fn from(config: &CacheConfig) -> Self {
        Self {
            memory_bytes: config.memory,
            max_object_bytes: config.max_object,
            in_flight_bytes: config.in_flight,
            max_revalidations: config.max_revalidations,
            revalidate_timeout: config.revalidate_timeout,
            body_timeout: config.body_timeout,
            disk: (config.disk > 0).then(|| DiskConfig {
                path: PathBuf::from(&config.disk_path),
                bytes: config.disk,
                written_from: config.disk_from,
            }),
        }
    }
}
