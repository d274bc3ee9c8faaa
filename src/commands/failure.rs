//! Why a command failed, in a sentence that says how to mend it.

use kernel::Problem;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// In its own words.
    #[error("{0}")]
    Text(String),
    /// Settings.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The data folder.
    #[error(transparent)]
    Data(#[from] crate::data_folder::DataFolderError),
    /// The root key.
    #[error(transparent)]
    Key(#[from] kernel::KeyError),
    /// The database does not open.
    #[error(transparent)]
    Connect(#[from] kernel::ConnectError),
    /// A setting of accounts.
    #[error(transparent)]
    Identity(#[from] identity::ConfigError),
    /// Where calls to the outside may go.
    #[error(transparent)]
    Egress(#[from] kernel::EgressError),
    /// The schema.
    #[error(transparent)]
    Migration(#[from] migration::MigrationError),
    /// A listener.
    #[error(transparent)]
    Bind(#[from] gateway::BindError),
    /// The edge's settings.
    #[error(transparent)]
    Edge(#[from] gateway::ConfigError),
    /// The routes.
    #[error(transparent)]
    Routes(#[from] gateway::RoutesError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] gateway::TlsError),
    /// The local certificate authority.
    #[error(transparent)]
    LocalCa(#[from] gateway::LocalCaError),
    /// The edge's certificates.
    #[error(transparent)]
    Certificates(#[from] edge::EdgeConfigError),
    /// Export of traces.
    #[error(transparent)]
    Spans(#[from] crate::telemetry::SpansError),
    /// The operating system.
    #[error("The operating system refused: {0}.")]
    Io(#[from] std::io::Error),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Text(format!("{} ({})", problem.detail, problem.code))
    }
}
