//! Texts with `{name}` in them.

/// A text whose names are filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

impl Template {
    /// Reads a text, of which the names must be among `allowed`.
    pub(crate) fn parse(text: &str, allowed: &[&str]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, next) = after.split_once('}').ok_or("A { lacks its }.")?;
            if !allowed.contains(&name) {
                return Err(format!("{{{name}}} is none of the names that are known here: {}.", allowed.join(", ")));
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Name(name.to_owned()));
            rest = next;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// The text with `value` for each name.
    pub(crate) fn fill<'a>(&'a self, value: impl Fn(&'a str) -> Option<&'a str>) -> String {
        let part = |part: &'a Part| match part {
            Part::Text(text) => text.as_str(),
            Part::Name(name) => value(name).unwrap_or_default(),
        };
        self.0.iter().map(part).collect()
    }
}
