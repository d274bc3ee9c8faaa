//! Which content coding a client takes (RFC 9110, section 12.5.3).

use http::{HeaderMap, header};

use crate::modifiers::Encoding;

impl Encoding {
    /// The name in `Content-Encoding`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Br => "br",
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// The ending of a file that was compressed beforehand.
    pub(crate) const fn ending(self) -> &'static str {
        match self {
            Self::Br => ".br",
            Self::Zstd => ".zst",
            Self::Gzip => ".gz",
        }
    }
}

/// What the client takes out of `offered`, best first: by its weights, among equals in our order. Nothing that it
/// likes less than no coding.
pub(crate) fn acceptable(request: &HeaderMap, offered: &[Encoding]) -> Vec<Encoding> {
    let lines = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let members: Vec<(String, f32)> = lines.flat_map(|line| line.split(',').map(member)).collect();
    let weight = |name: &str| members.iter().find(|(known, _)| known == name).map(|(_, weight)| *weight);
    let any = weight("*").unwrap_or(0.0);
    let identity = weight("identity").unwrap_or(0.0);
    let mut taken: Vec<(Encoding, f32)> =
        offered.iter().map(|encoding| (*encoding, weight(encoding.as_str()).unwrap_or(any))).collect();
    taken.retain(|(_, weight)| *weight > 0.0 && *weight >= identity);
    taken.sort_by(|one, other| other.1.total_cmp(&one.1));
    taken.into_iter().map(|(encoding, _)| encoding).collect()
}

fn member(text: &str) -> (String, f32) {
    let mut parts = text.split(';').map(|part| part.trim().to_ascii_lowercase());
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").map(|q| q.parse::<f32>().unwrap_or(0.0)));
    (name, weight.unwrap_or(1.0).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_client_weighs_and_we_break_ties() {
        use Encoding::{Br, Gzip, Zstd};
        for (line, expected) in [
            ("gzip, br, zstd", &[Br, Zstd, Gzip][..]),
            ("gzip;q=1, br;q=0.5", &[Gzip, Br]),
            ("gzip;q=0, *;q=0.3", &[Br, Zstd]),
            ("identity, gzip;q=0.5", &[]),
            ("GZIP", &[Gzip]),
            ("", &[]),
            ("gzip;q=x", &[]),
        ] {
            let request = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_str(line).unwrap())]);
            assert_eq!(acceptable(&request, &[Br, Zstd, Gzip]), expected, "{line}");
        }
    }
}
