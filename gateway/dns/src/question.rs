//! What is to be found out about a name.

use std::net::IpAddr;

/// What the value of a proof begins with.
pub const PROOF_PREFIX: &str = "holdfast-verification=";
/// The label under which a proof stands.
const PROOF_LABEL: &str = "_holdfast";
/// Asked in place of `*`: whatever a wildcard says, it says for this one, too.
const PROBE_LABEL: &str = "holdfast-check";

/// A name, and how its records ought to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name in lower case and A-labels without a final dot, or `*.` and such a name.
    pub name: String,
    /// The token after [`PROOF_PREFIX`] that proves who may have the name.
    pub token: String,
    /// Where the name is to lead.
    pub targets: Targets,
    /// The issuer domain names by which CAA records may name our CAs; none: CAA is not looked at.
    pub issuers: Vec<String>,
}

/// Where names are to lead. Without any, addresses are not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// For A and AAAA records.
    pub addresses: Vec<IpAddr>,
    /// For CNAME records, in lower case.
    pub host: Option<String>,
}

impl Targets {
    /// Whether there is nothing to compare with.
    pub const fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.host.is_none()
    }
}

impl Question {
    /// The name without `*.`.
    pub fn base(&self) -> &str {
        self.name.strip_prefix("*.").unwrap_or(&self.name)
    }

    /// Whether it is for all names one label below.
    pub fn is_wildcard(&self) -> bool {
        self.name.starts_with("*.")
    }

    /// Where the proof stands.
    pub fn proof_name(&self) -> String {
        format!("{PROOF_LABEL}.{}", self.base())
    }

    /// What the proof says.
    pub fn proof_value(&self) -> String {
        format!("{PROOF_PREFIX}{}", self.token)
    }

    /// The name whose addresses are asked for.
    pub fn asked_name(&self) -> String {
        if self.is_wildcard() { format!("{PROBE_LABEL}.{}", self.base()) } else { self.name.clone() }
    }

    /// The domain that is registered below a public suffix.
    pub fn registered(&self) -> &str {
        psl::domain_str(self.base()).unwrap_or_else(|| self.base())
    }

    /// The names whose CAA records count, in their order: the name and all above it (RFC 8659, section 3).
    pub fn caa_names(&self) -> Vec<&str> {
        let mut rest = Some(self.base());
        std::iter::from_fn(|| {
            let name = rest?;
            rest = name.split_once('.').map(|(_, above)| above);
            Some(name)
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_proved_at_its_base_and_asked_by_a_label_below_it() {
        let question = Question {
            name: "*.shop.example.co.uk".to_owned(),
            token: "t".to_owned(),
            targets: Targets::default(),
            issuers: Vec::new(),
        };

        assert_eq!(question.proof_name(), "_holdfast.shop.example.co.uk");
        assert_eq!(question.proof_value(), "holdfast-verification=t");
        assert_eq!(question.asked_name(), "holdfast-check.shop.example.co.uk");
        assert_eq!(question.registered(), "example.co.uk");
        assert_eq!(question.caa_names(), ["shop.example.co.uk", "example.co.uk", "co.uk", "uk"]);
    }
}
