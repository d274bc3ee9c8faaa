//! What an entry says, as the text that is hashed.

use chrono::{DateTime, Utc};
use kernel::{Problem, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{AuditActor, AuditId, AuditTarget, Outcome};

/// The version of this form. A text of another version is read by code that knows it, or not at all.
pub(crate) const FORMAT: u32 = 1;
/// The longest text; what makes it longer is left out of `details`.
const MAX_TEXT: usize = 32 * 1024;

/// The content of an entry. Its canonical form (RFC 8785) is what the leaf commits to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    pub(crate) format: u32,
    pub(crate) tenant: TenantId,
    pub(crate) id: AuditId,
    #[serde(with = "micros")]
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) actor: AuditActor,
    pub(crate) action: String,
    pub(crate) target: Option<AuditTarget>,
    pub(crate) outcome: Outcome,
    pub(crate) address: Option<String>,
    pub(crate) request_id: String,
    pub(crate) details: Value,
}

impl Content {
    /// The canonical text.
    ///
    /// # Errors
    /// None in practice: everything here has a JSON form.
    pub(crate) fn text(&mut self) -> Result<String, Problem> {
        let text = serde_json_canonicalizer::to_string(self).map_err(Problem::internal)?;
        if text.len() <= MAX_TEXT {
            return Ok(text);
        }
        self.details = json!({ "omitted_bytes": text.len() });
        serde_json_canonicalizer::to_string(self).map_err(Problem::internal)
    }

    /// Reads a text back; `None` when it is not one of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok().filter(|content| content.format == FORMAT)
    }
}

/// Times with six digits and `Z`, always.
mod micros {
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        DateTime::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(details: Value) -> Content {
        Content {
            format: FORMAT,
            tenant: kernel::SYSTEM_TENANT,
            id: "aud_01234567012370008000000000000002".parse().unwrap(),
            occurred_at: "2026-01-31T12:00:00Z".parse().unwrap(),
            actor: AuditActor { kind: "system".to_owned(), id: None, name: "test".to_owned() },
            action: "test.done".to_owned(),
            target: Some(AuditTarget { kind: "thing".to_owned(), id: "é".to_owned() }),
            outcome: Outcome::Denied,
            address: Some("::1".to_owned()),
            request_id: "r".to_owned(),
            details,
        }
    }

    #[test]
    fn the_text_is_canonical_and_reads_back() {
        let mut written = content(json!({ "b": [1, 2.50], "a": "\u{0}" }));

        let text = written.text().unwrap();

        assert_eq!(
            text,
            "{\"action\":\"test.done\",\"actor\":{\"id\":null,\"kind\":\"system\",\"name\":\"test\"},\"address\":\"::1\",\
             \"details\":{\"a\":\"\\u0000\",\"b\":[1,2.5]},\"format\":1,\"id\":\"aud_01234567012370008000000000000002\",\
             \"occurred_at\":\"2026-01-31T12:00:00.000000Z\",\"outcome\":\"denied\",\"request_id\":\"r\",\
             \"target\":{\"id\":\"é\",\"kind\":\"thing\"},\"tenant\":\"ten_00000000000070008000000000000001\"}"
        );
        assert_eq!(Content::parse(&text).unwrap(), written);
    }

    #[test]
    fn details_that_are_too_long_are_left_out_and_their_size_is_told() {
        let mut written = content(json!({ "a": "x".repeat(MAX_TEXT) }));

        let text = written.text().unwrap();

        assert!(text.len() < 1000);
        assert!(Content::parse(&text).unwrap().details["omitted_bytes"].as_u64().unwrap() > MAX_TEXT as u64);
    }

    #[test]
    fn a_text_of_another_form_is_not_read() {
        let text = content(json!({})).text().unwrap();

        assert!(Content::parse(&text.replace("\"format\":1", "\"format\":2")).is_none());
        assert!(Content::parse(&text.replace("\"format\":1", "\"format\":1,\"more\":1")).is_none());
        assert!(Content::parse("").is_none());
    }
}
