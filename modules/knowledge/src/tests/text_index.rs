use std::path::Path;

use super::{damage, id, numbers, only_collections, only_documents};
use crate::analysis::{joined, query_terms};
use crate::permitted::{Permitted, Places};
use crate::text_index::{TextChange, TextIndex, TextIndexError, TextPassage};

/// Document `n` in collection `n % 10`, with one passage of the same number.
fn put(n: usize, text: &str, heading: &str) -> TextChange {
    let passages = vec![TextPassage { passage: id(n), terms: joined(text), heading: joined(heading) }];
    TextChange::Put { document: id(n), collection: id(n % 10), passages }
}

fn search(index: &TextIndex, query: &str, permitted: &Permitted, limit: usize) -> Vec<usize> {
    numbers(&index.search(&query_terms(query), permitted, limit).unwrap())
}

fn filled(folder: &Path) -> TextIndex {
    let index = TextIndex::open_or_create(folder).unwrap();
    let changes: Vec<TextChange> =
        (0..3000).map(|n| put(n, &format!("common words about tables {}", "filler ".repeat(n % 7)), "")).collect();
    index.apply(&changes, 1).unwrap();
    index
}

#[test]
fn rare_words_weigh_more_and_headings_count() {
    let folder = tempfile::tempdir().unwrap();
    let index = TextIndex::open_or_create(folder.path()).unwrap();
    let changes = [
        put(1, "the table holds rows", ""),
        put(2, "the table has an index on rows", ""),
        put(3, "the table holds rows", "Vacuum"),
        put(4, "vacuum removes rows", "Vacuum"),
    ];
    index.apply(&changes, 1).unwrap();

    assert_eq!(search(&index, "table with indexes", &Permitted::everything(), 10)[0], 2);
    assert_eq!(search(&index, "vacuuming", &Permitted::everything(), 10), [4, 3]);
    assert_eq!(search(&index, "nothing like it", &Permitted::everything(), 10), Vec::<usize>::new());
}

#[test]
fn a_filter_lets_all_permitted_through_at_any_selectivity() {
    let folder = tempfile::tempdir().unwrap();
    let index = filled(folder.path());
    let all = search(&index, "common tables", &Permitted::everything(), 3000);
    assert_eq!(all.len(), 3000);

    for permitted in
        [only_documents([7]), only_documents((0..30).map(|n| n * 100)), only_documents(0..1500), only_collections([3])]
    {
        let expected: Vec<usize> =
            all.iter().copied().filter(|n| permitted.allows(id(n % 10), id(*n))).take(10).collect();
        assert_eq!(search(&index, "common tables", &permitted, 10), expected);
    }
    assert!(search(&index, "common", &Permitted::only(Places::default()), 10).is_empty());
    let narrowed = only_collections([3]).narrowed(Places { documents: [id(13), id(14)].into(), ..Places::default() });
    assert_eq!(search(&index, "common", &narrowed, 10), [13]);
}

#[test]
fn a_score_does_not_depend_on_the_filter_taken() {
    let folder = tempfile::tempdir().unwrap();
    let index = filled(folder.path());
    let terms = query_terms("common filler");
    let score = |permitted: &Permitted| {
        let found = index.search(&terms, permitted, 3000).unwrap();
        found.into_iter().find(|(passage, _)| *passage == id(5)).unwrap().1
    };
    let expected = score(&Permitted::everything());
    for permitted in [only_documents([5]), only_documents(0..1500)] {
        assert!((score(&permitted) - expected).abs() < 1e-5);
    }
}

#[test]
fn a_document_is_replaced_and_removed_whole() {
    let folder = tempfile::tempdir().unwrap();
    let index = TextIndex::open_or_create(folder.path()).unwrap();
    index.apply(&[put(1, "old words", ""), put(2, "other words", "")], 1).unwrap();

    index.apply(&[put(1, "new words", "")], 2).unwrap();
    assert!(search(&index, "old", &Permitted::everything(), 10).is_empty());
    assert_eq!(search(&index, "new", &Permitted::everything(), 10), [1]);

    index
        .apply(
            &[put(3, "brief", ""), TextChange::Remove { document: id(3) }, TextChange::Remove { document: id(1) }],
            3,
        )
        .unwrap();
    assert_eq!(search(&index, "words brief", &Permitted::everything(), 10), [2]);
    assert_eq!(index.len(), 1);
}

#[test]
fn what_was_applied_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text");
    let index = TextIndex::open_or_create(&path).unwrap();
    assert_eq!(index.applied_seq(), 0);
    index.apply(&[put(1, "some words", "")], 41).unwrap();
    index.apply(&[], 42).unwrap();
    drop(index);

    let index = TextIndex::open_or_create(&path).unwrap();
    assert_eq!((index.applied_seq(), index.len()), (42, 1));
    index.rest().unwrap();
    index.apply(&[put(2, "more words", "")], 43).unwrap();
    assert_eq!(search(&index, "words", &Permitted::everything(), 10).len(), 2);

    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o700);
    }
}

#[test]
fn damage_to_any_file_asks_for_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    drop(filled(folder.path()));
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().path()).collect();
    let mut damaged = 0;
    for file in files.iter().filter(|file| file.metadata().unwrap().len() > 60 && !file.ends_with(".managed.json")) {
        let whole = std::fs::read(file).unwrap();
        damage(file);
        let opened = TextIndex::open_or_create(folder.path());
        assert!(matches!(opened, Err(TextIndexError::NeedsRebuild(_))), "{}", file.display());
        std::fs::write(file, whole).unwrap();
        damaged += 1;
    }
    assert!(damaged >= 5);
    assert_eq!(TextIndex::open_or_create(folder.path()).unwrap().len(), 3000);

    std::fs::remove_file(files.iter().find(|file| file.extension().is_some_and(|it| it == "idx")).unwrap()).unwrap();
    assert!(matches!(TextIndex::open_or_create(folder.path()), Err(TextIndexError::NeedsRebuild(_))));
    let index = TextIndex::recreate(folder.path()).unwrap();
    assert_eq!((index.applied_seq(), index.len()), (0, 0));
}

#[test]
fn equal_passages_come_in_one_order() {
    let folder = tempfile::tempdir().unwrap();
    let index = TextIndex::open_or_create(folder.path()).unwrap();
    for (seq, n) in (1..).zip([9, 4, 7, 1, 8]) {
        index.apply(&[put(n, "the same words", "")], seq).unwrap();
    }
    assert_eq!(search(&index, "same", &Permitted::everything(), 3), [1, 4, 7]);
}

#[test]
fn nothing_of_removed_passages_is_left_after_expunging() {
    let folder = tempfile::tempdir().unwrap();
    let index = filled(folder.path());
    let size = || -> u64 {
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum()
    };
    let changes: Vec<TextChange> = (1..3000).map(|n| TextChange::Remove { document: id(n) }).collect();
    let full = size();
    index.apply(&changes, 2).unwrap();
    let marked = size();

    index.expunge().unwrap();

    assert!(marked >= full && size() < full / 2, "{full} bytes, {marked} after removing, {} after expunging", size());
    assert_eq!(search(&index, "common tables", &Permitted::everything(), 10), [0]);
    assert_eq!((index.applied_seq(), index.len()), (2, 1));
    index.apply(&[put(5000, "common sense", "")], 3).unwrap();
    assert_eq!(search(&index, "common", &Permitted::everything(), 10), [5000, 0]);
}
