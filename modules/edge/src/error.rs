//! All that can go wrong in this module, each with its code and a sentence that helps.

use std::path::PathBuf;

use edge_certificates::{AcmeError, DnsError, NameError, SnapshotError, StaticError};
use kernel::{Kind, Problem};

/// All that can go wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No issuer is set up.
    #[error("No issuer of certificates is set up; add [[edge.certificates.issuers]] to the settings.")]
    NoIssuer,
    /// Not a name of a route or a pool.
    #[error("A name has 1 to 80 letters, digits, - and _.")]
    NameInvalid,
    /// Another route or pool has it.
    #[error("The name {0:?} is taken; choose another.")]
    NameTaken(String),
    /// More than a route or a pool may say.
    #[error("A route or a pool has at most 256 KiB.")]
    TooLarge,
    /// Not a limit; the member at fault, and why.
    #[error("This limit can't be tried: {1}")]
    LimitInvalid(&'static str, &'static str),
    /// Not an event of the tail.
    #[error("Last-Event-ID takes the id of an event of this stream; leave it out to begin now.")]
    EventIdInvalid,
    /// So many look at once that one more is turned away.
    #[error("Too many are following requests already; close another tail, or try again later.")]
    TooManyTails,
    /// Not a request; why.
    #[error("This can't be asked: {0}")]
    QuestionInvalid(String),
    /// Not a purge; why.
    #[error("This can't be purged. {0}")]
    PurgeInvalid(String),
    /// What the kernel says.
    #[error("{}", .0.detail)]
    Kernel(Problem),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Kernel(problem)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NoIssuer => Self::new(Kind::Conflict, "edge.no_issuer", detail),
            Error::NameInvalid => Self::field("name", "edge.name_invalid", detail),
            Error::NameTaken(_) => Self::new(Kind::Conflict, "edge.name_taken", detail),
            Error::TooLarge => Self::new(Kind::Invalid, "edge.too_large", detail),
            Error::LimitInvalid(field, _) => Self::field(field, "edge.limit_invalid", detail),
            Error::EventIdInvalid => Self::field("Last-Event-ID", "edge.event_id_invalid", detail),
            Error::TooManyTails => Self::new(Kind::Unavailable, "edge.too_many_tails", detail),
            Error::QuestionInvalid(_) => Self::new(Kind::Invalid, "edge.question_invalid", detail),
            Error::PurgeInvalid(_) => Self::new(Kind::Invalid, "edge.purge_invalid", detail),
            Error::Kernel(problem) => problem,
        }
    }
}

/// A setting that can't work.
#[derive(Debug, thiserror::Error)]
pub enum EdgeConfigError {
    /// Not a name.
    #[error("edge.names: {0}")]
    Name(#[from] NameError),
    /// Two issuers with one id.
    #[error("edge.certificates.issuers: the id {0:?} is there twice; ids are kept with orders and accounts.")]
    IssuerTwice(String),
    /// A pair of files.
    #[error("edge.certificate_files: {0}")]
    Files(#[from] StaticError),
    /// The folder of certificates.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// An issuer.
    #[error("edge.certificates.issuers: {0}")]
    Issuer(#[from] AcmeError),
    /// The DNS provider.
    #[error("edge.dns: {0}")]
    Dns(#[from] DnsError),
    /// No HTTP client can be made.
    #[error("edge.dns: no HTTP client can be made: {0}")]
    Client(String),
    /// The store of limits that processes share.
    #[error("edge.shared_limits: {0}")]
    SharedLimits(#[from] SharedLimitsError),
    /// The folder of certificates can't be looked into.
    #[error("Can't look into {}: {cause}.", .path.display())]
    Folder { path: PathBuf, cause: std::io::Error },
}

/// Why the budgets of limits that processes share can't lie where the settings say.
#[derive(Debug, thiserror::Error)]
pub enum SharedLimitsError {
    /// No address for a store that has one.
    #[error("store = {store:?} needs a url such as {example:?}.")]
    NoUrl { store: &'static str, example: &'static str },
    /// An address for a store that has none.
    #[error("url and ca_file are for store = \"redis\" or \"nats\"; remove them, or name the store.")]
    NeedlessUrl,
    /// An address that can't be used. It is not repeated, since it may hold a password.
    #[error(
        "url does not fit store = {store:?}: {why}. Write it like {example:?}; %-encode what a password holds of :/@%."
    )]
    Url { store: &'static str, why: String, example: &'static str },
    /// Authorities without TLS.
    #[error("ca_file is for encrypted connections; write the url with rediss:// (Redis) or tls:// (NATS).")]
    NeedlessCa,
    /// The authorities' file.
    #[error("ca_file {path:?} can't be used: {cause}. It holds certificates in PEM.")]
    Ca { path: String, cause: String },
    /// It does not answer as it should.
    #[error("{store} does not serve: {why}. Until it does, each process has its share of these limits.")]
    Away { store: &'static str, why: String },
}
