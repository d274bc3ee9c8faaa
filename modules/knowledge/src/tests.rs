//! What could break: words, models, damaged files, filters, recall.

mod analysis;
mod embed;
mod fusion;
mod quality;
mod text_index;
mod vector_index;
mod vectors;

use uuid::Uuid;

use crate::permitted::{Permitted, Places};

fn id(n: usize) -> Uuid {
    Uuid::from_u64_pair(0x0192_0000_0000_7000, n as u64)
}

fn only_documents(documents: impl IntoIterator<Item = usize>) -> Permitted {
    Permitted::only(Places { documents: documents.into_iter().map(id).collect(), ..Places::default() })
}

fn only_collections(collections: impl IntoIterator<Item = usize>) -> Permitted {
    Permitted::only(Places { collections: collections.into_iter().map(id).collect(), ..Places::default() })
}

fn numbers(found: &[(Uuid, f32)]) -> Vec<usize> {
    found.iter().map(|(id, _)| usize::try_from(id.as_u64_pair().1).unwrap()).collect()
}

/// Turns one byte of a file around, in its middle.
fn damage(file: &std::path::Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(file, bytes).unwrap();
}
