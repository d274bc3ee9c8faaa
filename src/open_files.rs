//! How many files and connections this process may hold open. Service managers often begin with 1,024, which is less
//! than the connections that the edge admits.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files beside the connections: the database's, logs, and what runs of its own.
const OWN: u64 = 512;

/// Raises the limit as far as this process may.
pub fn raise() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// The limit that this process can have, if `connections` fit under it.
///
/// # Errors
/// A sentence that says what to set.
pub fn check(connections: usize) -> Result<u64, String> {
    let most = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    let needed = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OWN);
    if most >= needed {
        return Ok(most);
    }
    Err(format!(
        "{most} files may be open, and gateway.max_connections = {connections} needs {needed}; raise the limit \
         (LimitNOFILE= in systemd, ulimit -Hn), or lower the setting."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_connections_than_files_are_named_with_their_cure() {
        assert!(check(1).is_ok());
        assert!(check(usize::MAX).unwrap_err().contains("LimitNOFILE"));
    }
}
