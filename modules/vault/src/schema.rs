//! JSON Schemas of records. A schema comes from a client and is run on what clients send, so it is bounded: no reference
//! out of itself or in a circle, a bounded size when written out, and patterns that take linear time.

use std::collections::HashMap;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::error::Error;

/// The most bytes of a schema.
const MAX_SCHEMA: usize = 32 * 1024;
/// The most places of a schema with its references written out.
const MAX_PLACES: usize = 1024;
/// The deepest nesting, of schemas and of records.
const MAX_DEPTH: usize = 32;
/// The most bytes of a record.
const MAX_RECORD: usize = 256 * 1024;
/// The most values in a record: times the places of a schema, it bounds what measuring takes.
const MAX_VALUES: usize = 20_000;
/// The most complaints that a client is told.
const MAX_COMPLAINTS: usize = 10;
/// What refers to other places, but for `$ref` itself.
const REFUSED: &[&str] = &["$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor"];

/// Checks that a schema can be used.
///
/// # Errors
/// [`Error::SchemaInvalid`] with the reason.
pub(crate) fn check(schema: &Value) -> Result<(), Error> {
    compile(schema).map(|_| ())
}

/// Checks that a record is an object of a size that is taken, and fits the schema.
///
/// # Errors
/// [`Error::RecordShape`], or [`Error::RecordInvalid`] with the places at fault.
pub(crate) fn validate(schema: Option<&Value>, record: &Value) -> Result<(), Error> {
    let fits = record.is_object() && !deeper(record, MAX_DEPTH) && values(record) <= MAX_VALUES;
    let fits = fits && record.to_string().len() <= MAX_RECORD;
    if !fits {
        return Err(Error::RecordShape);
    }
    let Some(schema) = schema else { return Ok(()) };
    let validator = compile(schema)?;
    let complaints: Vec<_> = validator
        .iter_errors(record)
        .take(MAX_COMPLAINTS)
        .map(|error| {
            let place = error.instance_path().to_string();
            let path = format!("data{}", place.replace('/', "."));
            let reason: String = error.masked().to_string().chars().take(300).collect();
            (path, reason)
        })
        .collect();
    if complaints.is_empty() { Ok(()) } else { Err(Error::RecordInvalid(complaints)) }
}

fn compile(schema: &Value) -> Result<Validator, Error> {
    let wrong = |reason: &str| Error::SchemaInvalid(reason.trim_end_matches('.').chars().take(300).collect());
    if !(schema.is_object() || schema.is_boolean()) {
        return Err(wrong("it is an object"));
    }
    if schema.to_string().len() > MAX_SCHEMA {
        return Err(wrong("it has at most 32 KiB"));
    }
    if deeper(schema, MAX_DEPTH) {
        return Err(wrong("it is nested at most 32 deep"));
    }
    let mut walk = Walk { root: schema, known: HashMap::new(), under: Vec::new() };
    let places = walk.places(schema).map_err(|reason| wrong(&reason))?;
    if places > MAX_PLACES {
        return Err(wrong("it is too large when its references are written out"));
    }
    let options = jsonschema::draft202012::options()
        .with_pattern_options(PatternOptions::regex().size_limit(1 << 20).dfa_size_limit(1 << 20))
        .should_validate_formats(true);
    options.offline().build(schema).map_err(|error| wrong(&error.to_string()))
}

fn deeper(value: &Value, levels: usize) -> bool {
    let Some(rest) = levels.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| deeper(item, rest)),
        Value::Object(members) => members.values().any(|member| deeper(member, rest)),
        _ => false,
    }
}

fn values(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(values).sum::<usize>() + 1,
        Value::Object(members) => members.values().map(values).sum::<usize>() + 1,
        _ => 1,
    }
}

/// Counts the places of a schema with its references written out.
struct Walk<'a> {
    root: &'a Value,
    known: HashMap<String, usize>,
    under: Vec<String>,
}

impl<'a> Walk<'a> {
    fn places(&mut self, value: &'a Value) -> Result<usize, String> {
        match value {
            Value::Array(items) => self.sum(items.iter()),
            Value::Object(members) => {
                if let Some(name) = REFUSED.iter().find(|name| members.get(**name).is_some_and(Value::is_string)) {
                    return Err(format!("{name} is not taken; refer by $ref to #/$defs/…"));
                }
                let own = self.sum(members.values())?;
                match members.get("$ref").and_then(Value::as_str) {
                    Some(target) => Ok(own.saturating_add(self.referred(target)?)),
                    None => Ok(own),
                }
            }
            _ => Ok(1),
        }
    }

    fn sum(&mut self, values: impl Iterator<Item = &'a Value>) -> Result<usize, String> {
        values.map(|value| self.places(value)).try_fold(1usize, |sum, places| Ok(sum.saturating_add(places?)))
    }

    fn referred(&mut self, target: &str) -> Result<usize, String> {
        if let Some(places) = self.known.get(target) {
            return Ok(*places);
        }
        let pointer = target.strip_prefix('#').filter(|pointer| pointer.starts_with("/$defs/"));
        let found = pointer.and_then(|pointer| self.root.pointer(pointer));
        let found = found.ok_or("a $ref leads to #/$defs/… of the same schema only")?;
        if self.under.iter().any(|open| open == target) || self.under.len() >= MAX_DEPTH {
            return Err("a $ref must not lead back to itself".to_owned());
        }
        self.under.push(target.to_owned());
        let places = self.places(found)?;
        self.under.pop();
        self.known.insert(target.to_owned(), places);
        Ok(places)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_measured_by_its_schema_and_told_where_it_does_not_fit() {
        let schema = json!({
            "type": "object", "required": ["name"], "additionalProperties": false,
            "properties": { "name": { "$ref": "#/$defs/name" }, "age": { "type": "integer", "minimum": 0 } },
            "$defs": { "name": { "type": "string", "pattern": "^[A-Z][a-z]+$" } },
        });

        assert!(validate(Some(&schema), &json!({ "name": "Ada", "age": 36 })).is_ok());
        let Err(Error::RecordInvalid(places)) = validate(Some(&schema), &json!({ "name": "ada", "age": -1 })) else {
            panic!("it fits")
        };
        let mut paths: Vec<_> = places.iter().map(|(path, _)| path.as_str()).collect();
        paths.sort_unstable();
        assert_eq!(paths, ["data.age", "data.name"]);
        assert!(!places.iter().any(|(_, reason)| reason.contains("ada")), "{places:?}");
    }

    #[test]
    fn a_schema_that_leads_out_round_or_without_end_is_refused() {
        let doubling: Value = (0..30).fold(json!({ "a30": { "type": "string" } }), |mut defs, level| {
            let next = format!("#/$defs/a{}", level + 1);
            defs[format!("a{level}")] = json!({ "allOf": [{ "$ref": next.clone() }, { "$ref": next }] });
            defs
        });
        for wrong in [
            json!({ "$ref": "http://example.org/schema" }),
            json!({ "$ref": "file:///etc/passwd" }),
            json!({ "$ref": "#" }),
            json!({ "allOf": [{ "$ref": "#/$defs/a" }], "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }] } } }),
            json!({ "$ref": "#/$defs/a0", "$defs": doubling }),
            json!({ "$id": "http://example.org/", "type": "object" }),
            json!({ "$dynamicRef": "#a" }),
            json!({ "type": "nothing" }),
            json!({ "pattern": "(" }),
            json!({ "properties": { "a": { "pattern": "^(?=a)" } } }),
            json!({ "description": "x".repeat(40_000) }),
            json!([]),
            json!("a"),
        ] {
            assert!(matches!(check(&wrong), Err(Error::SchemaInvalid(_))), "{wrong:.200}");
        }
    }

    #[test]
    fn what_is_no_object_or_too_much_is_no_record() {
        let deep = (0..40).fold(json!(1), |inner, _| json!({ "a": inner }));
        for wrong in [
            json!(null),
            json!([1]),
            json!("a"),
            deep,
            json!({ "a": "x".repeat(300_000) }),
            json!({ "a": vec![1; 30_000] }),
        ] {
            assert!(matches!(validate(None, &wrong), Err(Error::RecordShape)));
        }
    }
}
