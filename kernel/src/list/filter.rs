//! The filter grammar: `status eq "open" and (created_at gt 2026-01-01T00:00:00Z or not kind in ("a", "b"))`.
//!
//! Parsed to a tree, allow-listed by field, bounded in length and depth, and turned into a condition with bound
//! values; no text of the client reaches the SQL.

use sea_orm::sea_query::{Condition, Expr, ExprTrait, LikeExpr, SimpleExpr};
use winnow::ascii::{multispace0, multispace1};
use winnow::combinator::{alt, cut_err, delimited, fail, opt, preceded, repeat, separated, terminated};
use winnow::error::{ContextError, ErrMode};
use winnow::prelude::*;
use winnow::token::{one_of, take_while};

use crate::list::field::{Field, FieldKind, Listing};
use crate::problem::Problem;

/// The longest filter, in bytes.
const MAX_LENGTH: usize = 2048;
/// The deepest nesting of parentheses and negations.
const MAX_DEPTH: usize = 16;
/// The most comparisons.
const MAX_TERMS: usize = 50;

/// A parsed filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Compare { field: String, operator: Operator, values: Vec<Option<String>> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    In,
    StartsWith,
    Contains,
}

/// Parses a filter and turns it into a condition.
///
/// # Errors
/// 400 that says what is wrong: the grammar, an unknown field, or a value that does not fit its field.
pub(super) fn condition(listing: &Listing, text: &str) -> Result<Condition, Problem> {
    build(listing, &parse(text)?)
}

/// Parses a filter, whatever its fields.
///
/// # Errors
/// 400 that says where the grammar is broken.
pub(super) fn parse(text: &str) -> Result<Node, Problem> {
    if text.len() > MAX_LENGTH {
        return Err(invalid(&format!("A filter has at most {MAX_LENGTH} bytes.")));
    }
    let mut rest = text;
    let node = terminated(|input: &mut &str| any(input, 0), multispace0)
        .parse_next(&mut rest)
        .ok()
        .filter(|_| rest.is_empty())
        .ok_or_else(|| {
            let position = text.len() - rest.len();
            invalid(&format!(
                "The filter is not understood near character {position}; write for example name eq \"a\" and created_at gt 2026-01-01T00:00:00Z."
            ))
        })?;
    if terms(&node) > MAX_TERMS {
        return Err(invalid(&format!("A filter has at most {MAX_TERMS} comparisons.")));
    }
    Ok(node)
}

fn invalid(detail: &str) -> Problem {
    Problem::field("filter", "kernel.filter_invalid", detail)
}

fn terms(node: &Node) -> usize {
    match node {
        Node::All(nodes) | Node::Any(nodes) => nodes.iter().map(terms).sum(),
        Node::Not(node) => terms(node),
        Node::Compare { .. } => 1,
    }
}

type Parsed<T> = Result<T, ErrMode<ContextError>>;

fn any(input: &mut &str, depth: usize) -> Parsed<Node> {
    let word = (multispace1, "or", multispace1);
    let nodes: Vec<Node> = separated(1.., |input: &mut &str| all(input, depth), word).parse_next(input)?;
    Ok(single(nodes, Node::Any))
}

fn all(input: &mut &str, depth: usize) -> Parsed<Node> {
    let word = (multispace1, "and", multispace1);
    let nodes: Vec<Node> = separated(1.., |input: &mut &str| term(input, depth), word).parse_next(input)?;
    Ok(single(nodes, Node::All))
}

fn single(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    if nodes.len() == 1 { nodes.remove(0) } else { join(nodes) }
}

fn term(input: &mut &str, depth: usize) -> Parsed<Node> {
    if depth > MAX_DEPTH {
        return cut_err(fail).parse_next(input);
    }
    multispace0.parse_next(input)?;
    if opt(("not", multispace1)).parse_next(input)?.is_some() {
        return Ok(Node::Not(Box::new(term(input, depth + 1)?)));
    }
    if opt('(').parse_next(input)?.is_some() {
        return cut_err(terminated(|input: &mut &str| any(input, depth + 1), (multispace0, ')'))).parse_next(input);
    }
    comparison(input)
}

fn comparison(input: &mut &str) -> Parsed<Node> {
    let field: &str = take_while(1..=64, |c: char| c.is_ascii_alphanumeric() || c == '_').parse_next(input)?;
    let field = field.to_owned();
    let operator = delimited(multispace1, operator, multispace1).parse_next(input)?;
    let values = if operator == Operator::In {
        let list = separated(1..=MAX_TERMS, preceded(multispace0, literal), (multispace0, ','));
        delimited('(', list, (multispace0, ')')).parse_next(input)?
    } else {
        vec![literal.parse_next(input)?]
    };
    Ok(Node::Compare { field, operator, values })
}

fn operator(input: &mut &str) -> Parsed<Operator> {
    alt((
        "eq".value(Operator::Equal),
        "ne".value(Operator::NotEqual),
        "ge".value(Operator::GreaterEqual),
        "gt".value(Operator::Greater),
        "le".value(Operator::LessEqual),
        "lt".value(Operator::Less),
        "in".value(Operator::In),
        "sw".value(Operator::StartsWith),
        "co".value(Operator::Contains),
    ))
    .parse_next(input)
}

/// A quoted text with `\"` and `\\`, a bare word (number, time, true, false), or null.
fn literal(input: &mut &str) -> Parsed<Option<String>> {
    let escaped = preceded('\\', one_of(['"', '\\']));
    let plain = one_of(|c: char| c != '"' && c != '\\' && !c.is_control());
    let quoted = delimited('"', repeat(0.., alt((escaped, plain))).fold(String::new, push), '"').map(Some);
    let bare = take_while(1.., |c: char| c.is_ascii_alphanumeric() || "+-:._".contains(c))
        .map(|word: &str| (word != "null").then(|| word.to_owned()));
    alt((quoted, bare)).parse_next(input)
}

fn push(mut text: String, next: char) -> String {
    text.push(next);
    text
}

fn build(listing: &Listing, node: &Node) -> Result<Condition, Problem> {
    Ok(match node {
        Node::All(nodes) => {
            nodes.iter().try_fold(Condition::all(), |all, node| Ok::<_, Problem>(all.add(build(listing, node)?)))?
        }
        Node::Any(nodes) => {
            nodes.iter().try_fold(Condition::any(), |any, node| Ok::<_, Problem>(any.add(build(listing, node)?)))?
        }
        Node::Not(node) => build(listing, node)?.not(),
        Node::Compare { field, operator, values } => {
            Condition::all().add(compare(known(listing, field)?, *operator, values)?)
        }
    })
}

/// A field that can be filtered by.
///
/// # Errors
/// 400 that names those that there are.
pub(super) fn known(listing: &Listing, field: &str) -> Result<&'static Field, Problem> {
    listing.field(field).filter(|field| field.kind != FieldKind::Opaque).ok_or_else(|| {
        let names: Vec<_> = listing.fields.iter().filter(|f| f.kind != FieldKind::Opaque).map(|f| f.name).collect();
        invalid(&format!("{field:?} is no field to filter by; there are {}.", names.join(", ")))
    })
}

fn compare(field: &Field, operator: Operator, values: &[Option<String>]) -> Result<SimpleExpr, Problem> {
    let column = Expr::cust(field.column);
    let first = values.first().and_then(Option::as_deref);
    let Some(text) = first else {
        return match operator {
            Operator::Equal => Ok(column.is_null()),
            Operator::NotEqual => Ok(column.is_not_null()),
            _ => Err(invalid(&format!("{} can be compared with null by eq and ne only.", field.name))),
        };
    };
    let value = |text: &str| field.kind.read(field.name, text);
    let pattern = |head: &str, text: &str| {
        if field.kind != FieldKind::Text {
            return Err(invalid(&format!("{} is no text; sw and co work on texts.", field.name)));
        }
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        Ok(LikeExpr::new(format!("{head}{escaped}%")).escape('\\'))
    };
    Ok(match operator {
        Operator::Equal => column.eq(value(text)?),
        Operator::NotEqual => column.ne(value(text)?),
        Operator::Greater => column.gt(value(text)?),
        Operator::GreaterEqual => column.gte(value(text)?),
        Operator::Less => column.lt(value(text)?),
        Operator::LessEqual => column.lte(value(text)?),
        Operator::StartsWith => column.like(pattern("", text)?),
        Operator::Contains => column.like(pattern("%", text)?),
        Operator::In => {
            let values: Result<Vec<_>, _> =
                values.iter().map(|text| value(text.as_deref().unwrap_or("null"))).collect();
            column.is_in(values?)
        }
    })
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::{Query, SqliteQueryBuilder};

    use super::*;

    const LISTING: Listing = Listing {
        resource: "test.things",
        fields: &[
            Field::new("id", "id", FieldKind::Id("usr")),
            Field::sorted("name", "name", FieldKind::Text),
            Field::sorted("created_at", "created_at", FieldKind::Time),
            Field::new("size", "size", FieldKind::Integer),
            Field::shown("secret"),
        ],
        default_sort: "-created_at",
        tie_break: "id",
    };

    fn sql(filter: &str) -> Result<String, Problem> {
        let condition = condition(&LISTING, filter)?;
        Ok(Query::select().expr(Expr::val(1)).cond_where(condition).to_string(SqliteQueryBuilder))
    }

    #[test]
    fn comparisons_bind_their_values_and_keep_their_precedence() {
        let text = sql(r#"name eq "it's" and (size gt 3 or not size in (1, 2))"#).unwrap();

        assert_eq!(text, "SELECT 1 WHERE (name) = 'it''s' AND ((size) > 3 OR (NOT (size) IN (1, 2)))");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_reason() {
        for bad in [
            "",
            "name",
            "name eq",
            "name is 3",
            "size eq \"x\"",
            "secret eq 1",
            "other eq 1",
            "name eq \"a",
            "((name eq 1)",
            "name eq 1 or",
            "size sw \"3\"",
            "name gt null",
        ] {
            assert_eq!(sql(bad).unwrap_err().code, "kernel.filter_invalid", "{bad}");
        }
        assert!(sql(&format!("{}name eq 1{}", "(".repeat(40), ")".repeat(40))).is_err());
        assert!(sql(&"not ".repeat(400)).is_err());
    }

    #[test]
    fn signs_of_patterns_in_a_text_are_only_text() {
        assert!(sql(r#"name co "50%_\\""#).unwrap().contains(r"\%"));
    }

    proptest::proptest! {
        #[test]
        fn no_input_panics(text in ".{0,200}") {
            let _verdict = condition(&LISTING, &text);
        }
    }
}
