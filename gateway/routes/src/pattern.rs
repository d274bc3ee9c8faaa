//! Patterns of paths: `/users/{id}/files/{*rest}`.

/// A pattern, by segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Name(String),
    Rest(String),
}

/// Names of a pattern and what they stand for in one path.
pub type Parameters = Vec<(String, String)>;

impl Pattern {
    /// Reads a pattern, or says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let body = text.strip_prefix('/').ok_or("A pattern begins with a slash.")?;
        let parts: Vec<&str> = body.split('/').collect();
        let mut segments = Vec::with_capacity(parts.len());
        let mut names: Vec<&str> = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let Some(name) = part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
                if part.contains(['{', '}', '*']) {
                    return Err("A segment is either text, {name}, or, as the last, {*name}.");
                }
                segments.push(Segment::Literal((*part).to_owned()));
                continue;
            };
            let bare = name.strip_prefix('*').unwrap_or(name);
            let valid = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !valid || names.contains(&bare) {
                return Err("A name has letters, digits and _, and stands once.");
            }
            names.push(bare);
            let takes_rest = bare.len() < name.len();
            if takes_rest && at + 1 < parts.len() {
                return Err("{*name} can only be the last segment.");
            }
            let make = if takes_rest { Segment::Rest } else { Segment::Name };
            segments.push(make(bare.to_owned()));
        }
        Ok(Self(segments))
    }

    /// What its names stand for, if the path matches.
    pub(crate) fn matches(&self, path: &str) -> Option<Parameters> {
        let mut found = Vec::new();
        let mut rest = Some(path.strip_prefix('/')?);
        for segment in &self.0 {
            let left = rest?;
            if let Segment::Rest(name) = segment {
                found.push((name.clone(), left.to_owned()));
                return (!left.is_empty()).then_some(found);
            }
            let (part, next) = left.split_once('/').map_or((left, None), |(part, next)| (part, Some(next)));
            match segment {
                Segment::Literal(text) if text == part => {}
                Segment::Name(name) if !part.is_empty() => found.push((name.clone(), part.to_owned())),
                _ => return None,
            }
            rest = next;
        }
        rest.is_none().then_some(found)
    }

    /// The literal segments at its beginning, as a path: where it is looked up.
    pub(crate) fn anchor(&self) -> String {
        let literals = self.0.iter().map_while(|segment| match segment {
            Segment::Literal(text) => Some(format!("/{text}")),
            _ => None,
        });
        literals.collect()
    }

    /// Whether every path of `other` is one of ours too, as far as can be told by segments.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let mut theirs = other.0.iter();
        for segment in &self.0 {
            match (segment, theirs.next()) {
                (Segment::Rest(_), Some(_)) => return true,
                (Segment::Name(_), Some(Segment::Name(_))) => {}
                (Segment::Name(_), Some(Segment::Literal(text))) if !text.is_empty() => {}
                (Segment::Literal(own), Some(Segment::Literal(text))) if own == text => {}
                _ => return false,
            }
        }
        theirs.next().is_none()
    }

    /// The names in it.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|segment| match segment {
            Segment::Literal(_) => None,
            Segment::Name(name) | Segment::Rest(name) => Some(name.as_str()),
        })
    }

    /// A path that it matches.
    pub(crate) fn sample(&self) -> String {
        let part = |segment: &Segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Name(_) | Segment::Rest(_) => "/x".to_owned(),
        };
        self.0.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_by_whole_segments() {
        let pattern = Pattern::parse("/users/{id}/files/{*rest}").unwrap();

        let found = pattern.matches("/users/7/files/a/b").unwrap();
        assert_eq!(found, [("id".to_owned(), "7".to_owned()), ("rest".to_owned(), "a/b".to_owned())]);
        for other in ["/users/7/files", "/users/7/files/", "/users//files/a", "/users/7/file/a", "/"] {
            assert_eq!(pattern.matches(other), None, "{other}");
        }
        assert_eq!(pattern.anchor(), "/users");
        assert!(pattern.matches(&pattern.sample()).is_some());
        for wrong in ["users", "/{}", "/{a}/{a}", "/{*a}/b", "/a{b}", "/{a-b}", "/*"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pattern_covers_what_it_always_matches() {
        let covers = |one: &str, other: &str| Pattern::parse(one).unwrap().covers(&Pattern::parse(other).unwrap());

        assert!(covers("/{a}", "/{b}") && covers("/{a}", "/x") && covers("/{*a}", "/x/{b}/y"));
        assert!(!covers("/x", "/{a}") && !covers("/{a}", "/{*b}") && !covers("/{a}", "/") && !covers("/{a}/b", "/{a}"));
    }
}
