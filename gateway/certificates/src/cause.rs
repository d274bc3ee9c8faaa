//! Why a certificate can't be had: a closed list of codes, each with a sentence and what mends it.

use serde::{Deserialize, Serialize};

/// The cause of a failed attempt. Its [`code`](Cause::code) is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// 429, or the problem `rateLimited`.
    CaRateLimited,
    /// 5xx, no connection, or a connection cut.
    CaUnavailable,
    /// No answer within the timeout.
    CaTimeout,
    /// An answer that is cut off or is not what RFC 8555 says.
    CaUnreadable,
    /// Nonces are refused again and again.
    CaNonces,
    /// The account is unknown, suspended, or needs terms or an external binding.
    AccountRefused,
    /// The CA does not issue for this name, by its policy.
    NameRefused,
    /// CAA records forbid this CA.
    CaaForbids,
    /// The CA could not resolve the name.
    DnsProblem,
    /// The CA could not connect to the name's address.
    ConnectionProblem,
    /// The CA reached somebody who gave another answer.
    WrongAnswer,
    /// Any other refused validation.
    ValidationFailed,
    /// The CA offers no challenge that is set up here.
    NoChallenge,
    /// The TXT record could not be set.
    DnsProvider,
    /// The order became invalid or is not known any more.
    OrderLost,
    /// The order stayed `processing` or `pending` for too long.
    OrderStuck,
    /// The CA refused the request for the certificate.
    FinalizeRefused,
    /// The certificate is for other names or another key.
    CertificateWrong,
    /// The certificate is expired or not valid yet by this machine's clock.
    CertificateTime,
    /// What was sealed can't be opened any more.
    Unsealable,
}

impl Cause {
    /// The stable code, such as `ca_rate_limited`.
    pub fn code(self) -> &'static str {
        match self {
            Self::CaRateLimited => "ca_rate_limited",
            Self::CaUnavailable => "ca_unavailable",
            Self::CaTimeout => "ca_timeout",
            Self::CaUnreadable => "ca_unreadable",
            Self::CaNonces => "ca_nonces",
            Self::AccountRefused => "account_refused",
            Self::NameRefused => "name_refused",
            Self::CaaForbids => "caa_forbids",
            Self::DnsProblem => "dns_problem",
            Self::ConnectionProblem => "connection_problem",
            Self::WrongAnswer => "wrong_answer",
            Self::ValidationFailed => "validation_failed",
            Self::NoChallenge => "no_challenge",
            Self::DnsProvider => "dns_provider",
            Self::OrderLost => "order_lost",
            Self::OrderStuck => "order_stuck",
            Self::FinalizeRefused => "finalize_refused",
            Self::CertificateWrong => "certificate_wrong",
            Self::CertificateTime => "certificate_time",
            Self::Unsealable => "unsealable",
        }
    }

    /// What happened, in a sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::CaRateLimited => "The CA asks to wait: a rate limit is reached.",
            Self::CaUnavailable => "The CA can't be reached or reports an error of its own.",
            Self::CaTimeout => "The CA does not answer in time.",
            Self::CaUnreadable => "The CA's answer is cut off or can't be understood.",
            Self::CaNonces => "The CA refuses every nonce, also those it has just given.",
            Self::AccountRefused => "The CA refuses the ACME account.",
            Self::NameRefused => "The CA does not issue certificates for this name.",
            Self::CaaForbids => "A CAA record of the domain forbids this CA.",
            Self::DnsProblem => "The CA could not look the name up in DNS.",
            Self::ConnectionProblem => "The CA could not connect to the address that the name has.",
            Self::WrongAnswer => "The CA reached a server that does not know this challenge.",
            Self::ValidationFailed => "The CA could not validate the name.",
            Self::NoChallenge => "The CA offers no kind of challenge that is set up here.",
            Self::DnsProvider => "The TXT record of the challenge could not be set.",
            Self::OrderLost => "The CA gave the order up; a new one is placed.",
            Self::OrderStuck => "The CA did not finish the order in time.",
            Self::FinalizeRefused => "The CA refused the request for the certificate.",
            Self::CertificateWrong => "The CA sent a certificate for another name or key.",
            Self::CertificateTime => "The CA's certificate is expired or not valid yet by this machine's clock.",
            Self::Unsealable => "A key kept for this order can't be opened any more.",
        }
    }

    /// What to do about it.
    pub fn mend(self) -> &'static str {
        match self {
            Self::CaRateLimited | Self::CaUnavailable | Self::CaTimeout | Self::OrderLost => {
                "Nothing to do: it is tried again at the time given, or with the next issuer."
            }
            Self::CaUnreadable | Self::CaNonces | Self::OrderStuck | Self::CertificateWrong => {
                "If it lasts, add a second issuer to [edge.certificates] and tell the CA."
            }
            Self::AccountRefused => {
                "Check the issuer's contact, terms and external account binding (eab_key_id, eab_key) in the settings."
            }
            Self::NameRefused => "Check the name for a typing error; if it is right, choose another issuer.",
            Self::CaaForbids => "Add a CAA record that names the CA, or remove the CAA records.",
            Self::DnsProblem => "Set the A, AAAA or CNAME record that the domain's page shows, and check DNSSEC.",
            Self::ConnectionProblem => "Let the name point here (AAAA too), and open ports 80 and 443 in the firewall.",
            Self::WrongAnswer => {
                "Let the name point here (AAAA too), and take away a proxy that answers in front of it."
            }
            Self::ValidationFailed => "Read the evidence; most often the name points elsewhere.",
            Self::NoChallenge => {
                "For a wildcard set up DNS-01 (RFC 2136 or webhook); otherwise allow http-01 or tls-alpn-01."
            }
            Self::DnsProvider => "Check the DNS provider's address, zone and key in the settings.",
            Self::FinalizeRefused => "Read the evidence; a new key and a new order are tried at the time given.",
            Self::CertificateTime => "Check this machine's clock (NTP); if it is right, tell the CA.",
            Self::Unsealable => {
                "If the root key was changed by mistake, put the former one back; a new order is placed meanwhile."
            }
        }
    }

    /// Whether the fault is the CA's or the way to it, so that another CA may do better and the circuit counts it.
    pub fn is_the_cas(self) -> bool {
        use Cause::{
            AccountRefused, CaNonces, CaRateLimited, CaTimeout, CaUnavailable, CaUnreadable, CertificateTime,
            CertificateWrong, OrderStuck,
        };
        matches!(
            self,
            CaRateLimited
                | CaUnavailable
                | CaTimeout
                | CaUnreadable
                | CaNonces
                | AccountRefused
                | CertificateWrong
                | CertificateTime
                | OrderStuck
        )
    }

    /// Whether the CA counted a failed validation against the name.
    pub fn is_validation(self) -> bool {
        use Cause::{CaaForbids, ConnectionProblem, DnsProblem, ValidationFailed, WrongAnswer};
        matches!(self, CaaForbids | DnsProblem | ConnectionProblem | WrongAnswer | ValidationFailed)
    }
}
