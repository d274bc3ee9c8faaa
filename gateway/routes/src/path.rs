//! The path that routes are matched by: one spelling, so that no other one slips past a route.

use percent_encoding::percent_decode_str;

const LONGEST: usize = 8 * 1024;

/// A path in normal form: repeated slashes are one, encoded letters, digits, `-._~` are decoded, other octets are in
/// upper case. An encoded slash stays encoded: it parts no segments.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NormalPath(String);

/// Why a path is refused; answer with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    #[error("The path must begin with a slash.")]
    NotAbsolute,
    #[error("The path is longer than 8192 bytes.")]
    TooLong,
    #[error("The path has a percent sign without two hexadecimal digits.")]
    BrokenEncoding,
    #[error("The path has a control character, a backslash, or octets that are not UTF-8.")]
    Unsafe,
    #[error("The path has a segment `.` or `..`.")]
    DotSegment,
}

impl NormalPath {
    /// Reads the path of a request target, without its query.
    ///
    /// # Errors
    /// Where two readers could understand it differently: see [`PathProblem`].
    pub fn parse(raw: &str) -> Result<Self, PathProblem> {
        if raw.len() > LONGEST {
            return Err(PathProblem::TooLong);
        }
        if !raw.starts_with('/') {
            return Err(PathProblem::NotAbsolute);
        }
        let mut normal = String::with_capacity(raw.len());
        let mut rest = raw.bytes();
        while let Some(byte) = rest.next() {
            let (octet, encoded) = match byte {
                b'%' => (octet(rest.next(), rest.next())?, true),
                byte => (byte, false),
            };
            let plain = octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
            match octet {
                0..0x20 | 0x7f | b'\\' => return Err(PathProblem::Unsafe),
                b'/' if !encoded && normal.ends_with('/') => {}
                _ if encoded && !plain => push_octet(&mut normal, octet),
                0x80.. => return Err(PathProblem::Unsafe),
                _ => normal.push(char::from(octet)),
            }
        }
        let decoded = percent_decode_str(&normal).decode_utf8().map_err(|_| PathProblem::Unsafe)?;
        if decoded.split('/').any(|segment| segment == "." || segment == "..") {
            return Err(PathProblem::DotSegment);
        }
        Ok(Self(normal))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn push_octet(text: &mut String, octet: u8) {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase();
    text.extend(['%', digit(octet >> 4), digit(octet & 15)]);
}

fn octet(high: Option<u8>, low: Option<u8>) -> Result<u8, PathProblem> {
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
    let (high, low) = digit(high).zip(digit(low)).ok_or(PathProblem::BrokenEncoding)?;
    u8::try_from(high * 16 + low).map_err(|_| PathProblem::BrokenEncoding)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_paths_are_refused_or_made_plain() {
        for (raw, normal) in [
            ("/", "/"),
            ("//a///b/", "/a/b/"),
            ("/%61%2Dmin", "/a-min"),
            ("/a%2fb", "/a%2Fb"),
            ("/gr%c3%bc%c3%9fe", "/gr%C3%BC%C3%9Fe"),
            ("/a..b/...", "/a..b/..."),
            ("/a;b=c@d", "/a;b=c@d"),
        ] {
            assert_eq!(NormalPath::parse(raw).as_ref().map(NormalPath::as_str), Ok(normal), "{raw}");
        }
        for (raw, problem) in [
            ("", PathProblem::NotAbsolute),
            ("a", PathProblem::NotAbsolute),
            ("/..", PathProblem::DotSegment),
            ("/a/../b", PathProblem::DotSegment),
            ("/a/%2e%2E/b", PathProblem::DotSegment),
            ("/a/.%2e", PathProblem::DotSegment),
            ("/a%2f..%2fb", PathProblem::DotSegment),
            ("/./a", PathProblem::DotSegment),
            ("/a%00", PathProblem::Unsafe),
            ("/a%0d%0a", PathProblem::Unsafe),
            ("/a\\..\\b", PathProblem::Unsafe),
            ("/a%5cb", PathProblem::Unsafe),
            ("/%ff", PathProblem::Unsafe),
            ("/%c0%ae%c0%ae/", PathProblem::Unsafe),
            ("/é", PathProblem::Unsafe),
            ("/%", PathProblem::BrokenEncoding),
            ("/%4", PathProblem::BrokenEncoding),
            ("/%zz", PathProblem::BrokenEncoding),
            ("/%+1", PathProblem::BrokenEncoding),
        ] {
            assert_eq!(NormalPath::parse(raw), Err(problem), "{raw}");
        }
        assert_eq!(NormalPath::parse(&format!("/{}", "a".repeat(LONGEST))), Err(PathProblem::TooLong));
    }

    proptest! {
        #[test]
        fn a_normal_path_is_its_own_normal_form(raw in "/[ -~]{0,40}") {
            if let Ok(normal) = NormalPath::parse(&raw) {
                prop_assert_eq!(NormalPath::parse(normal.as_str()), Ok(normal.clone()));
                prop_assert!(!normal.as_str().contains("//"));
            }
        }
    }
}
