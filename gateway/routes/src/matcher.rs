//! One route's condition, made ready to be asked.

use http::{HeaderMap, HeaderName, Method};
use ipnet::IpNet;
use regex_lite::Regex;
use std::net::IpAddr;

use crate::{
    model::PathCondition,
    path::NormalPath,
    pattern::{Parameters, Pattern},
};

/// What is known of a request when its route is looked for.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// In lower case, without a port; empty if there is none.
    pub host: &'a str,
    pub path: &'a NormalPath,
    pub method: &'a Method,
    pub headers: &'a HeaderMap,
    pub client: IpAddr,
}

/// A host condition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Any,
    Exact(String),
    /// All names below this one; kept as `.example`.
    Below(String),
}

impl Host {
    pub(crate) fn matches(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(name) => name == host,
            Self::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        }
    }

    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Below(suffix), Self::Below(below)) => below.ends_with(suffix.as_str()),
            (own, Self::Exact(name)) => own.matches(name),
            _ => false,
        }
    }

    /// The more the narrower.
    pub(crate) fn rank(&self) -> usize {
        match self {
            Self::Any => 0,
            Self::Below(suffix) => suffix.len(),
            Self::Exact(_) => usize::MAX,
        }
    }

    /// A host that it matches.
    pub(crate) fn sample(&self) -> String {
        match self {
            Self::Any => "any.invalid".to_owned(),
            Self::Exact(name) => name.clone(),
            Self::Below(suffix) => format!("x{suffix}"),
        }
    }
}

/// A path condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Paths {
    Any,
    Exact(String),
    /// Without a slash at its end, unless `only_below`.
    Prefix {
        path: String,
        only_below: bool,
    },
    Pattern(Pattern),
}

impl Paths {
    pub(crate) fn of(condition: Option<&PathCondition>) -> Result<Self, String> {
        let normal = |text: &str| match NormalPath::parse(text) {
            Ok(path) if !text.contains(['?', '#', '*', '{', '}']) => Ok(path.as_str().to_owned()),
            Ok(_) => Err("A path has none of ? # * { }; use a pattern for {name}.".to_owned()),
            Err(problem) => Err(problem.to_string()),
        };
        Ok(match condition {
            None => Self::Any,
            Some(PathCondition::Exact(text)) => Self::Exact(normal(text)?),
            Some(PathCondition::Prefix(text)) => {
                let path = normal(text)?;
                let only_below = path.len() > 1 && path.ends_with('/');
                Self::Prefix { path: path.trim_end_matches('/').to_owned(), only_below }
            }
            Some(PathCondition::Pattern(text)) => Self::Pattern(Pattern::parse(text)?),
        })
    }

    pub(crate) fn matches(&self, path: &str) -> Option<Parameters> {
        match self {
            Self::Any => Some(Parameters::new()),
            Self::Exact(own) => (own == path).then(Parameters::new),
            Self::Prefix { path: own, only_below } => {
                let rest = path.strip_prefix(own.as_str())?;
                let matches = rest.starts_with('/') || (rest.is_empty() && !only_below);
                matches.then(Parameters::new)
            }
            Self::Pattern(pattern) => pattern.matches(path),
        }
    }

    /// Where it is looked up: a path that stands at the beginning of all it matches, by whole segments.
    pub(crate) fn anchor(&self) -> String {
        match self {
            Self::Any => String::new(),
            Self::Exact(path) | Self::Prefix { path, .. } => path.clone(),
            Self::Pattern(pattern) => pattern.anchor(),
        }
    }

    pub(crate) fn rank(&self) -> (u8, usize) {
        match self {
            Self::Any => (0, 0),
            Self::Prefix { path, only_below } => (1, path.len() + usize::from(*only_below)),
            Self::Pattern(pattern) => (2, pattern.anchor().len()),
            Self::Exact(path) => (3, path.len()),
        }
    }

    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Prefix { path, only_below: false }, _) if path.is_empty() => true,
            (own, Self::Exact(path)) => own.matches(path).is_some(),
            (Self::Prefix { path, only_below }, Self::Prefix { path: below, only_below: theirs }) => {
                (path == below && (!only_below || *theirs)) || below.starts_with(&format!("{path}/"))
            }
            (Self::Prefix { path, .. }, Self::Pattern(pattern)) => {
                pattern.anchor() == *path && pattern.sample() != *path
                    || pattern.anchor().starts_with(&format!("{path}/"))
            }
            (Self::Pattern(own), Self::Pattern(other)) => own.covers(other),
            _ => false,
        }
    }

    pub(crate) fn sample(&self) -> String {
        match self {
            Self::Any => "/".to_owned(),
            Self::Exact(path) => path.clone(),
            Self::Prefix { path, only_below } => {
                if *only_below || path.is_empty() {
                    format!("{path}/")
                } else {
                    path.clone()
                }
            }
            Self::Pattern(pattern) => pattern.sample(),
        }
    }
}

/// A header condition.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValueCondition,
}

#[derive(Clone, Debug)]
pub(crate) enum HeaderValueCondition {
    Present,
    Exact(String),
    Regex(Regex),
}

impl Header {
    pub(crate) fn matches(&self, headers: &HeaderMap) -> bool {
        headers.get_all(&self.name).iter().any(|value| match &self.value {
            HeaderValueCondition::Present => true,
            HeaderValueCondition::Exact(text) => value.as_bytes() == text.as_bytes(),
            HeaderValueCondition::Regex(regex) => value.to_str().is_ok_and(|value| regex.is_match(value)),
        })
    }

    /// Name and value as one text, for comparing conditions.
    pub(crate) fn signature(&self) -> String {
        match &self.value {
            HeaderValueCondition::Present => format!("{}?", self.name),
            HeaderValueCondition::Exact(text) => format!("{}={text}", self.name),
            HeaderValueCondition::Regex(regex) => format!("{}~{regex}", self.name),
        }
    }
}

/// A whole condition.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    /// At least one.
    pub(crate) hosts: Vec<Host>,
    pub(crate) path: Paths,
    pub(crate) methods: Vec<Method>,
    pub(crate) headers: Vec<Header>,
    pub(crate) clients: Vec<IpNet>,
}

/// The first condition that a request does not meet.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "condition", content = "detail", rename_all = "snake_case")]
pub enum Unmet {
    Host,
    Path,
    Method,
    /// The name of the header.
    Header(String),
    Client,
}

impl Matcher {
    /// What the pattern's names stand for, if all conditions are met.
    pub(crate) fn check(&self, request: &RequestView<'_>) -> Result<Parameters, Unmet> {
        if !self.hosts.iter().any(|host| host.matches(request.host)) {
            return Err(Unmet::Host);
        }
        let parameters = self.path.matches(request.path.as_str()).ok_or(Unmet::Path)?;
        if !self.methods.is_empty() && !self.methods.contains(request.method) {
            return Err(Unmet::Method);
        }
        if let Some(header) = self.headers.iter().find(|header| !header.matches(request.headers)) {
            return Err(Unmet::Header(header.name.to_string()));
        }
        if !self.clients.is_empty() && !self.clients.iter().any(|network| network.contains(&request.client)) {
            return Err(Unmet::Client);
        }
        Ok(parameters)
    }

    pub(crate) fn conditions(&self) -> usize {
        usize::from(!self.methods.is_empty()) + self.headers.len() + usize::from(!self.clients.is_empty())
    }

    /// Whether every request that meets `other` meets this too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let hosts = other.hosts.iter().all(|host| self.hosts.iter().any(|own| own.covers(host)));
        let methods = self.methods.is_empty()
            || (!other.methods.is_empty() && other.methods.iter().all(|method| self.methods.contains(method)));
        let theirs: Vec<String> = other.headers.iter().map(Header::signature).collect();
        let headers = self.headers.iter().all(|header| theirs.contains(&header.signature()));
        let inside = |network: &IpNet| self.clients.iter().any(|own| own.contains(network));
        let clients = self.clients.is_empty() || (!other.clients.is_empty() && other.clients.iter().all(inside));
        hosts && methods && headers && clients && self.path.covers(&other.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Paths {
        let (kind, path) = text.split_once(' ').unwrap();
        let condition = match kind {
            "exact" => PathCondition::Exact(path.to_owned()),
            "prefix" => PathCondition::Prefix(path.to_owned()),
            _ => PathCondition::Pattern(path.to_owned()),
        };
        Paths::of(Some(&condition)).unwrap()
    }

    #[test]
    fn a_prefix_ends_at_a_segment() {
        for (path, plain, below) in
            [("/a", true, false), ("/a/", true, true), ("/a/b", true, true), ("/ab", false, false)]
        {
            assert_eq!(of("prefix /a").matches(path).is_some(), plain, "{path}");
            assert_eq!(of("prefix /a/").matches(path).is_some(), below, "{path}");
        }
    }

    #[test]
    fn a_path_covers_what_it_always_matches() {
        for (wide, narrow) in [
            ("prefix /", "pattern /{a}"),
            ("prefix /a", "exact /a"),
            ("prefix /a", "prefix /a/"),
            ("prefix /a/", "pattern /a/{b}"),
            ("pattern /{a}", "exact /x"),
        ] {
            assert!(of(wide).covers(&of(narrow)), "{wide} {narrow}");
        }
        for (wide, narrow) in [
            ("exact /a", "exact /a/b"),
            ("exact /a", "prefix /a"),
            ("prefix /a/", "exact /a"),
            ("prefix /a/", "prefix /a"),
            ("prefix /a", "exact /ab"),
            ("pattern /{a}", "prefix /x"),
        ] {
            assert!(!of(wide).covers(&of(narrow)), "{wide} {narrow}");
        }
    }
}
