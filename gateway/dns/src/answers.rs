//! What resolvers said, before anybody judges it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a resolver said to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// These records, at least one.
    Records(Vec<T>),
    /// The name is there, without records of this kind.
    Nothing,
    /// The name is not there.
    NoSuchName,
    /// Nothing that tells anything; why, in a few words.
    Failed(String),
}

impl<T> Answer<T> {
    /// The records, if there are any.
    pub fn records(&self) -> &[T] {
        match self {
            Self::Records(records) => records,
            Self::Nothing | Self::NoSuchName | Self::Failed(_) => &[],
        }
    }

    /// Why it tells nothing, if so.
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Failed(why) => Some(why),
            Self::Records(_) | Self::Nothing | Self::NoSuchName => None,
        }
    }
}

/// A CAA record (RFC 8659, section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caa {
    /// Whether who does not understand the tag must not issue.
    pub critical: bool,
    /// `issue`, `issuewild`, `iodef`, …
    pub tag: String,
    /// As it stands there, such as `letsencrypt.org; validationmethods=http-01`.
    pub value: String,
}

/// All that one resolver said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Which one, as people know it: its address.
    pub resolver: String,
    /// The texts at the proof's name, each record's parts put together.
    pub proof: Answer<String>,
    /// The IPv4 addresses.
    pub ipv4: Answer<Ipv4Addr>,
    /// The IPv6 addresses.
    pub ipv6: Answer<Ipv6Addr>,
    /// The name that the name is an alias for, in lower case without a final dot.
    pub alias: Answer<String>,
    /// The addresses of the host that names are to be aliases for.
    pub target: Vec<IpAddr>,
    /// What each name said whose CAA records count, from the name upwards, up to the first with records or a failure.
    pub caa: Vec<(String, Answer<Caa>)>,
}

impl Heard {
    /// All addresses.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let four = self.ipv4.records().iter().copied().map(IpAddr::V4);
        four.chain(self.ipv6.records().iter().copied().map(IpAddr::V6))
    }

    /// Whether this resolver says that the name with this text does not exist, among those whose CAA was asked for.
    pub(crate) fn lacks(&self, name: &str) -> bool {
        self.caa.iter().any(|(asked, answer)| asked == name && *answer == Answer::NoSuchName)
    }
}
