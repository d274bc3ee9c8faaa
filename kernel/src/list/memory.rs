//! Lists of what lies in memory, in the same dialect as those of rows: the filter grammar decides item by item, with the
//! three values of SQL, and the cursor is a position in the order of one whole number.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use sea_orm::Value;

use crate::list::field::{FieldKind, Listing};
use crate::list::filter::{self, Node, Operator};
use crate::problem::Problem;

/// The value of an item's field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datum<'a> {
    /// There is none.
    Null,
    /// Text, compared byte by byte.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// A time.
    Time(DateTime<Utc>),
    /// True or false.
    Boolean(bool),
}

/// A filter over items in memory: checked once, asked often.
#[derive(Clone, Debug)]
pub struct Filter(Test);

#[derive(Clone, Debug)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Compare { field: &'static str, operator: Operator, literals: Vec<Literal> },
}

#[derive(Clone, Debug)]
enum Literal {
    Null,
    Text(String),
    Integer(i64),
    Time(DateTime<Utc>),
    Boolean(bool),
}

impl Filter {
    /// Reads a filter of this listing; none, or only blanks, lets everything pass.
    ///
    /// # Errors
    /// 400 that says what is wrong, as for lists of rows.
    pub fn parse(listing: &'static Listing, text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Self(Test::All(Vec::new()))) };
        // The very same checks as for rows: what is refused there is refused here.
        filter::condition(listing, text)?;
        Ok(Self(test(listing, &filter::parse(text)?)?))
    }

    /// Whether an item passes; `field` gives the item's values by their names.
    pub fn passes<'a>(&self, field: impl Fn(&str) -> Datum<'a>) -> bool {
        self.0.holds(&field) == Some(true)
    }
}

fn test(listing: &'static Listing, node: &Node) -> Result<Test, Problem> {
    let each = |nodes: &[Node]| nodes.iter().map(|node| test(listing, node)).collect::<Result<Vec<_>, _>>();
    Ok(match node {
        Node::All(nodes) => Test::All(each(nodes)?),
        Node::Any(nodes) => Test::Any(each(nodes)?),
        Node::Not(node) => Test::Not(Box::new(test(listing, node)?)),
        Node::Compare { field, operator, values } => {
            let known = filter::known(listing, field)?;
            let literals = values.iter().map(|text| literal(known.kind, known.name, text.as_deref()));
            Test::Compare { field: known.name, operator: *operator, literals: literals.collect::<Result<_, _>>()? }
        }
    })
}

fn literal(kind: FieldKind, name: &str, text: Option<&str>) -> Result<Literal, Problem> {
    let Some(text) = text else { return Ok(Literal::Null) };
    Ok(match kind.read(name, text)? {
        Value::BigInt(Some(number)) => Literal::Integer(number),
        Value::ChronoDateTimeUtc(Some(time)) => Literal::Time(time),
        Value::Bool(Some(flag)) => Literal::Boolean(flag),
        _ => Literal::Text(text.to_owned()),
    })
}

impl Test {
    /// None is SQL's unknown: of what is not there, nothing can be said.
    fn holds<'a>(&self, field: &impl Fn(&str) -> Datum<'a>) -> Option<bool> {
        match self {
            Self::All(tests) => decided(tests.iter().map(|test| test.holds(field)), false),
            Self::Any(tests) => decided(tests.iter().map(|test| test.holds(field)), true),
            Self::Not(test) => test.holds(field).map(|holds| !holds),
            Self::Compare { field: name, operator, literals } => {
                let datum = field(name);
                match operator {
                    Operator::In => decided(literals.iter().map(|one| compare(datum, Operator::Equal, one)), true),
                    _ => literals.first().and_then(|literal| compare(datum, *operator, literal)),
                }
            }
        }
    }
}

/// `by` as soon as one says so, unknown if one is unknown, else the other.
fn decided(verdicts: impl Iterator<Item = Option<bool>>, by: bool) -> Option<bool> {
    let mut unknown = false;
    for verdict in verdicts {
        match verdict {
            Some(verdict) if verdict == by => return Some(by),
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(!by)
}

fn compare(datum: Datum<'_>, operator: Operator, literal: &Literal) -> Option<bool> {
    if matches!(literal, Literal::Null) {
        return match operator {
            Operator::Equal => Some(datum == Datum::Null),
            Operator::NotEqual => Some(datum != Datum::Null),
            _ => None,
        };
    }
    if let (Datum::Text(text), Literal::Text(part)) = (datum, literal) {
        match operator {
            Operator::StartsWith => return Some(text.starts_with(part.as_str())),
            Operator::Contains => return Some(text.contains(part.as_str())),
            _ => {}
        }
    }
    let order = match (datum, literal) {
        (Datum::Text(text), Literal::Text(other)) => text.cmp(other.as_str()),
        (Datum::Integer(number), Literal::Integer(other)) => number.cmp(other),
        (Datum::Time(time), Literal::Time(other)) => time.cmp(other),
        (Datum::Boolean(flag), Literal::Boolean(other)) => flag.cmp(other),
        _ => return None,
    };
    Some(match operator {
        Operator::Equal => order == Ordering::Equal,
        Operator::NotEqual => order != Ordering::Equal,
        Operator::Greater => order == Ordering::Greater,
        Operator::GreaterEqual => order != Ordering::Less,
        Operator::Less => order == Ordering::Less,
        Operator::LessEqual => order != Ordering::Greater,
        Operator::In | Operator::StartsWith | Operator::Contains => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::field::Field;

    const LISTING: Listing = Listing {
        resource: "test.things",
        fields: &[
            Field::sorted("number", "number", FieldKind::Integer),
            Field::new("name", "name", FieldKind::Text),
            Field::new("kind", "kind", FieldKind::OneOf(&["a", "b"])),
            Field::new("at", "at", FieldKind::Time),
            Field::new("whole", "whole", FieldKind::Boolean),
            Field::new("missing", "missing", FieldKind::Text),
            Field::shown("secret"),
        ],
        default_sort: "-number",
        tie_break: "number",
    };

    fn passes(text: &str) -> bool {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Filter::parse(&LISTING, Some(text)).unwrap().passes(|field| match field {
            "number" => Datum::Integer(7),
            "name" => Datum::Text("shop/cart"),
            "kind" => Datum::Text("a"),
            "at" => Datum::Time(at),
            "whole" => Datum::Boolean(true),
            _ => Datum::Null,
        })
    }

    #[test]
    fn items_pass_as_rows_would() {
        for yes in [
            "",
            "number eq 7 and name sw \"shop/\"",
            "number ge 7 and number le 7 and number gt 6 and not number gt 7",
            "name co \"p/c\" and kind in (\"b\", \"a\")",
            "at gt 2026-01-01T00:00:00Z and whole eq true",
            "missing eq null and name ne null",
            "number eq 8 or (name eq \"shop/cart\" and number lt 8)",
        ] {
            assert!(passes(yes), "{yes}");
        }
        for no in
            ["number ne 7", "name sw \"/shop\"", "kind eq \"b\"", "at lt 2026-01-01T00:00:00Z", "number in (1, 2)"]
        {
            assert!(!passes(no), "{no}");
        }
    }

    #[test]
    fn of_what_is_not_there_nothing_can_be_said() {
        assert!(!passes("missing eq \"x\""));
        assert!(!passes("not missing eq \"x\""), "as SQL has it");
        assert!(!passes("missing sw \"x\" and number eq 7"));
        assert!(passes("missing eq \"x\" or number eq 7"));
    }

    #[test]
    fn what_is_refused_for_rows_is_refused_here() {
        for bad in
            ["name", "number eq \"x\"", "secret eq 1", "other eq 1", "number sw \"3\"", "kind eq \"c\"", "name gt null"]
        {
            let refused = Filter::parse(&LISTING, Some(bad)).unwrap_err();
            assert_eq!(refused.code, "kernel.filter_invalid", "{bad}");
        }
        assert!(Filter::parse(&LISTING, Some(&"not ".repeat(400))).is_err());
    }
}
