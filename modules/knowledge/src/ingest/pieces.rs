//! A text cut into passages that can be written and embedded.

use aws_lc_rs::digest::{SHA256, digest};

use crate::chunk::{ChunkConfig, chunk};
use crate::extract::Extracted;
use crate::model::whole;
use crate::store::embeddings::Digest;
use crate::store::passages::Draft;

/// A passage and what of it is embedded.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) draft: Draft,
    /// The passage under its title and headings, which say what it is about.
    pub(crate) context: String,
}

/// Cuts a text. The same text gives the same passages.
pub(crate) fn cut(extracted: &Extracted, name: &str) -> Vec<Piece> {
    let title = extracted.title.as_deref().unwrap_or(name);
    let passages = chunk(extracted, &ChunkConfig::default());
    let pieces = passages.into_iter().enumerate().map(|(ordinal, passage)| {
        let body = extracted.text[passage.start..passage.end].to_owned();
        let heading = passage.heading.unwrap_or_default();
        let context = context(title, &heading, &body);
        let draft = Draft {
            ordinal: i32::try_from(ordinal).unwrap_or(i32::MAX),
            start: whole(passage.start),
            end: whole(passage.end),
            heading,
            page: passage.page.and_then(|page| i32::try_from(page).ok()),
            digest: sha256(context.as_bytes()),
            body,
        };
        Piece { draft, context }
    });
    pieces.collect()
}

/// What of a passage is embedded: it under its document's title and its headings.
pub(super) fn context(title: &str, heading: &str, body: &str) -> String {
    [title, heading, body].join("\n")
}

fn sha256(bytes: &[u8]) -> Digest {
    let mut sum = Digest::default();
    sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sum
}
