//! Cursors: opaque, signed, and bound to the resource, the tenant, the filter and the order.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::keys::Mac;
use crate::problem::Problem;

/// Bytes of the signature that are kept.
const TAG: usize = 16;

/// Where a page ends: the sort value of its last row, and the row's id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) value: String,
    pub(super) id: String,
}

/// Makes the text of a cursor.
pub(super) fn encode(mac: &Mac, binding: &[&[u8]], position: &Position) -> String {
    // A position is two texts, which always serialise.
    let body = serde_json::to_vec(position).unwrap_or_default();
    let mut bytes = signature(mac, binding, &body)[..TAG].to_vec();
    bytes.extend_from_slice(&body);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor that was made for the same list.
///
/// # Errors
/// 400 for one that was changed, or made for another filter, order or tenant.
pub(super) fn decode(mac: &Mac, binding: &[&[u8]], text: &str) -> Result<Position, Problem> {
    let wrong = || {
        Problem::field(
            "cursor",
            "kernel.cursor_invalid",
            "This cursor belongs to another list, filter or order; start again without it.",
        )
    };
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let (tag, body) = bytes.split_at_checked(TAG).ok_or_else(wrong)?;
    let mut parts = binding.to_vec();
    parts.push(body);
    if !mac.verify(&parts, tag) {
        return Err(wrong());
    }
    serde_json::from_slice(body).map_err(|_| wrong())
}

fn signature(mac: &Mac, binding: &[&[u8]], body: &[u8]) -> [u8; 32] {
    let mut parts = binding.to_vec();
    parts.push(body);
    mac.tag(&parts)
}
