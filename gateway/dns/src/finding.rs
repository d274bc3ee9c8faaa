//! What is wrong, in a closed list of causes, each with its code, a sentence and what mends it.

/// How one part of the question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As it ought to be.
    Ok,
    /// Not as it ought to be.
    Wrong,
    /// It can't be told: too few answers, or answers that don't agree.
    Unknown,
    /// There was nothing to compare with.
    NotChecked,
}

/// Why a name does not lead here, or may not be had. Its [`code`](Cause::code) is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// The registered domain does not exist.
    NoSuchDomain,
    /// No proof at its place.
    ProofMissing,
    /// Something else at the proof's place.
    ProofWrong,
    /// Neither A nor AAAA.
    NoAddress,
    /// All addresses are others'.
    WrongTarget,
    /// Some addresses lead here, others don't.
    PartlyElsewhere,
    /// A leads here, AAAA does not.
    Ipv6Elsewhere,
    /// The addresses are a proxy's.
    Proxied,
    /// CAA names other CAs.
    CaaForbids,
    /// CAA can't be read, so no CA issues.
    CaaUnreadable,
    /// The host to point at has no address itself.
    TargetUnresolved,
    /// Resolvers say different things.
    ResolversDisagree,
    /// No resolver, or too few, gave an answer.
    ResolversUnreachable,
}

impl Cause {
    /// The stable code, such as `dns.wrong_target`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoSuchDomain => "dns.no_such_domain",
            Self::ProofMissing => "dns.proof_missing",
            Self::ProofWrong => "dns.proof_wrong",
            Self::NoAddress => "dns.no_address",
            Self::WrongTarget => "dns.wrong_target",
            Self::PartlyElsewhere => "dns.partly_elsewhere",
            Self::Ipv6Elsewhere => "dns.ipv6_elsewhere",
            Self::Proxied => "dns.proxied",
            Self::CaaForbids => "dns.caa_forbids",
            Self::CaaUnreadable => "dns.caa_unreadable",
            Self::TargetUnresolved => "dns.target_unresolved",
            Self::ResolversDisagree => "dns.resolvers_disagree",
            Self::ResolversUnreachable => "dns.resolvers_unreachable",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Why.
    pub cause: Cause,
    /// What is wrong, in a sentence for people.
    pub sentence: String,
    /// What was seen, a line for each resolver; at most [`MAX_LINES`] of at most [`MAX_LINE`] characters.
    pub evidence: Vec<String>,
    /// What to do about it.
    pub mend: String,
}

/// What DNS says of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Whether the proof is there.
    pub proof: Standing,
    /// Whether the name leads here and nowhere else.
    pub address: Standing,
    /// Whether one of our CAs may issue for it.
    pub caa: Standing,
    /// What is wrong, what matters most first.
    pub findings: Vec<Finding>,
}

/// The most lines of evidence.
pub(crate) const MAX_LINES: usize = 8;
/// The most characters of a line.
pub(crate) const MAX_LINE: usize = 240;

/// A line of evidence: what came from elsewhere loses its control characters and its length.
pub(crate) fn line(text: &str) -> String {
    let mut line: String = text.chars().take(MAX_LINE).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(MAX_LINE).is_some() {
        line.push('…');
    }
    line
}
