use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::vectors::{DIMENSIONS, DOCUMENT, Random, changes, exact, model, put, vector, vectors};
use super::{damage, id, numbers, only_collections, only_documents};
use crate::embed::ModelId;
use crate::permitted::{Permitted, Places};
use crate::vector_index::{VectorChange, VectorIndex, VectorIndexError};

const ROWS: usize = 6000;

fn index(folder: &Path, vectors: &[Vec<f32>]) -> VectorIndex {
    let index = VectorIndex::open_or_create(folder, &model(), DIMENSIONS).unwrap();
    index.apply(&changes(vectors), 7).unwrap();
    index
}

/// The share of the true ten nearest that come, over 60 questions. Ten come whenever ten are permitted.
fn recall(index: &VectorIndex, vectors: &[Vec<f32>], permitted: &Permitted) -> f64 {
    let mut random = Random(7);
    let (mut hits, mut all) = (0, 0);
    for _ in 0..60 {
        let query = vector(&mut random);
        let expected = exact(vectors, &query, permitted, 10);
        let found = index.search(&query, permitted, 10).unwrap();
        assert_eq!(found.len(), expected.len());
        assert!(found.is_sorted_by(|a, b| a.1 >= b.1));
        hits += found.iter().filter(|(passage, _)| expected.contains(passage)).count();
        all += expected.len();
    }
    f64::from(u32::try_from(hits).unwrap()) / f64::from(u32::try_from(all).unwrap())
}

fn filters() -> [(&'static str, Permitted); 6] {
    let documents = ROWS / DOCUMENT;
    [
        ("all", Permitted::everything()),
        ("half", only_documents((0..documents).filter(|n| n % 2 == 0))),
        ("10 %", only_collections([3])),
        ("1 %", only_documents((0..documents).filter(|n| n % 100 == 1))),
        ("0.1 %", only_documents([5])),
        ("union", Permitted::only(Places { collections: [id(1)].into(), documents: [id(2), id(12)].into() })),
    ]
}

#[test]
fn scan_and_graph_find_the_nearest_at_every_selectivity() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = vectors(ROWS);
    let index = index(folder.path(), &vectors);
    for (name, permitted) in filters() {
        assert!(recall(&index, &vectors, &permitted) >= 0.99, "scan, {name}");
    }
    let index = index.always_walking();
    assert_eq!(index.tend(2500), ROWS - 2500);
    for (name, permitted) in filters() {
        assert!(recall(&index, &vectors, &permitted) >= 0.99, "half a graph, {name}");
    }
    assert_eq!(index.tend(ROWS), 0);
    for (name, permitted) in filters() {
        let recall = recall(&index, &vectors, &permitted);
        assert!(recall >= 0.99, "graph, {name}: {recall}");
    }
}

#[test]
fn the_graph_alone_leads_to_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = vectors(ROWS);
    let index = index(folder.path(), &vectors).always_walking();
    index.tend(usize::MAX);
    let mut random = Random(11);
    let mut hits = 0;
    for _ in 0..50 {
        let query = vector(&mut random);
        let expected = exact(&vectors, &query, &Permitted::everything(), 10);
        hits += index.walked(&query, 10).iter().filter(|(passage, _)| expected.contains(passage)).count();
    }
    assert!(hits >= 480, "{hits} of 500");
}

#[test]
fn a_filter_far_from_the_question_still_gives_all_it_permits() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = vectors(4000);
    let index = index(folder.path(), &vectors).always_walking();
    assert_eq!(index.tend(usize::MAX), 0);
    let query = &vectors[0];
    // What is permitted is exactly what is farthest away.
    let mut documents: Vec<usize> = (0..1000).collect();
    let near = |n: usize| vectors[n * DOCUMENT].iter().zip(query).map(|(a, b)| a * b).sum::<f32>();
    documents.sort_by(|a, b| near(*a).total_cmp(&near(*b)));
    let permitted = only_documents(documents[..300].iter().copied());

    let found = index.search(query, &permitted, 50).unwrap();

    let expected = exact(&vectors, query, &permitted, 50);
    let hits = found.iter().filter(|(passage, _)| expected.contains(passage)).count();
    assert_eq!(found.len(), 50);
    assert!(hits >= 49, "{hits}");
}

#[test]
fn a_document_is_replaced_and_removed_whole() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = vectors(40);
    let index = index(folder.path(), &vectors);
    let query = vectors[0].clone();
    assert_eq!(numbers(&index.search(&query, &Permitted::everything(), 1).unwrap()), [0]);

    index.apply(&[put(0, 100, &[vectors[1].clone()])], 8).unwrap();
    let found = index.search(&query, &Permitted::everything(), 100).unwrap();
    assert_eq!(found.len(), 37);
    assert!(found.iter().all(|(passage, _)| *passage != id(0)));

    index.apply(&[VectorChange::Remove { document: id(0) }, VectorChange::Remove { document: id(99) }], 9).unwrap();
    assert_eq!((index.len(), index.applied_seq()), (36, 9));
}

#[test]
fn rows_that_are_gone_are_cleared_away_and_the_rest_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = vectors(4000);
    let index = index(folder.path(), &vectors).always_walking();
    index.tend(usize::MAX);
    let gone: Vec<VectorChange> = (0..500).map(|n| VectorChange::Remove { document: id(n) }).collect();
    index.apply(&gone, 8).unwrap();
    let left = only_documents(500..1000);
    assert!(recall(&index, &vectors, &left) >= 0.99, "gone rows in the graph");

    index.tend(usize::MAX);

    assert_eq!(index.len(), 2000);
    assert!(recall(&index, &vectors, &left) >= 0.99, "a new graph");
}

#[test]
fn a_saved_index_is_the_same_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors");
    let vectors = vectors(3000);
    let before = index(&path, &vectors).always_walking();
    before.tend(usize::MAX);
    before.apply(&[VectorChange::Remove { document: id(3) }, put(4, 9000, &vectors[..2])], 8).unwrap();
    assert_eq!(before.saved_seq(), 0);
    before.save().unwrap();
    assert_eq!(before.saved_seq(), 8);
    before.apply(&[VectorChange::Remove { document: id(5) }], 9).unwrap();

    let after = VectorIndex::open_or_create(&path, &model(), DIMENSIONS).unwrap();

    assert_eq!((after.applied_seq(), after.saved_seq()), (8, 8), "the last change was not saved");
    after.apply(&[VectorChange::Remove { document: id(5) }], 9).unwrap();
    let mut random = Random(3);
    for _ in 0..20 {
        let query = vector(&mut random);
        let everything = Permitted::everything();
        assert_eq!(before.search(&query, &everything, 20).unwrap(), after.search(&query, &everything, 20).unwrap());
    }
}

#[test]
fn a_damaged_or_foreign_file_asks_for_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = vectors(100);
    index(folder.path(), &vectors).save().unwrap();
    let open = |model: &str, dimensions| VectorIndex::open_or_create(folder.path(), &ModelId::new(model), dimensions);
    assert_eq!(open("test", DIMENSIONS).unwrap().len(), 100);
    assert!(matches!(open("other", DIMENSIONS), Err(VectorIndexError::NeedsRebuild(_))));
    assert!(matches!(open("test", 384), Err(VectorIndexError::NeedsRebuild(_))));

    let file = folder.path().join("vectors.bin");
    let whole = std::fs::read(&file).unwrap();
    damage(&file);
    assert!(matches!(open("test", DIMENSIONS), Err(VectorIndexError::NeedsRebuild(_))));
    for length in [0, 3, 4, 20, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).unwrap();
        assert!(matches!(open("test", DIMENSIONS), Err(VectorIndexError::NeedsRebuild(_))), "{length} bytes");
    }
    assert!(VectorIndex::recreate(folder.path(), &model(), DIMENSIONS).unwrap().is_empty());
}

#[test]
fn odd_vectors_are_refused_or_find_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path(), &vectors(8));
    let everything = Permitted::everything();
    assert!(matches!(index.search(&[1.0], &everything, 5), Err(VectorIndexError::Dimensions { .. })));
    assert!(matches!(index.apply(&[put(1, 1, &[vec![1.0]])], 9), Err(VectorIndexError::Dimensions { .. })));
    assert_eq!(index.applied_seq(), 7);
    assert!(index.search(&[0.0; DIMENSIONS], &everything, 5).unwrap().is_empty());
    assert!(index.search(&[f32::NAN; DIMENSIONS], &everything, 5).unwrap().is_empty());
    assert!(index.search(&vectors(1)[0], &Permitted::only(Places::default()), 5).unwrap().is_empty());
}

#[test]
fn searches_are_complete_while_others_write_and_build() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = vectors(3000);
    let index = index(folder.path(), &vectors[..2000]).always_walking();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for document in 500..750 {
                let first = document * DOCUMENT;
                index.apply(&[put(document, first, &vectors[first..first + DOCUMENT])], 8).unwrap();
            }
        });
        let builder = scope.spawn(|| while index.tend(50) > 0 || !done.load(Ordering::Relaxed) {});
        for n in (0..2000).step_by(10) {
            let found = index.search(&vectors[n], &Permitted::everything(), 10).unwrap();
            assert_eq!(found.len(), 10);
            assert_eq!(found[0].0, id(n), "its own vector is the nearest");
        }
        writer.join().unwrap();
        done.store(true, Ordering::Relaxed);
        builder.join().unwrap();
    });
    assert_eq!(index.len(), 3000);
    assert!(recall(&index, &vectors, &Permitted::everything()) >= 0.99);
}
