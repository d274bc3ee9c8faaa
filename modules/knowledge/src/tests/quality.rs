use std::collections::HashMap;
use std::fs;

use crate::quality::{BeirError, Judgements, Query, Sources, bootstrap, measure, summarize};

fn grades(of: &[(&str, u32)]) -> HashMap<String, u32> {
    of.iter().map(|(id, grade)| ((*id).to_owned(), *grade)).collect()
}

#[test]
fn measures_agree_with_a_calculation_by_hand() {
    let judged = grades(&[("a", 1), ("b", 1), ("c", 0)]);

    let found = measure(&["x", "a", "c", "a", "b"], &judged);

    // Without the twin: x a c b. Gains at ranks 2 and 4 over gains at ranks 1 and 2.
    let expected = (1.0 / 3f64.log2() + 1.0 / 5f64.log2()) / (1.0 + 1.0 / 3f64.log2());
    assert!((found.ndcg_10 - expected).abs() < 1e-12);
    assert!((found.reciprocal_rank - 0.5).abs() < 1e-12);
    assert!((found.recall_10 - 1.0).abs() < 1e-12);
}

#[test]
fn higher_grades_weigh_more_and_nothing_found_is_zero() {
    let judged = grades(&[("good", 2), ("fair", 1)]);
    assert!((measure(&["good", "fair"], &judged).ndcg_10 - 1.0).abs() < 1e-12);
    assert!(measure(&["fair", "good"], &judged).ndcg_10 < 0.9);
    assert!(measure(&[], &judged).ndcg_10.abs() < 1e-12);
    assert!(measure(&["x"], &grades(&[])).ndcg_10.abs() < 1e-12);
}

#[test]
fn recall_is_cut_at_its_depth() {
    let judged = grades(&[("late", 1)]);
    let mut ranking: Vec<String> = (0..50).map(|n| format!("d{n}")).collect();
    ranking.push("late".into());
    let found = measure(&ranking.iter().map(String::as_str).collect::<Vec<_>>(), &judged);
    assert!(found.recall_10.abs() < 1e-12 && (found.recall_100 - 1.0).abs() < 1e-12);
}

#[test]
fn an_interval_holds_its_mean_and_is_the_same_for_the_same_seed() {
    let values: Vec<f64> = (0..100).map(|n| f64::from(n % 2)).collect();
    let interval = bootstrap(&values, 1000, 7);
    assert!((interval.mean - 0.5).abs() < 1e-12);
    // The normal approximation says 0.5 ± 0.098.
    assert!((0.38..0.44).contains(&interval.low) && (0.56..0.62).contains(&interval.high), "{interval:?}");
    assert_eq!(interval, bootstrap(&values, 1000, 7));
    assert_eq!(summarize(&[], 100, 1).queries, 0);
}

#[test]
fn a_folder_is_read_and_a_wrong_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("corpus.jsonl"), "{\"_id\": \"1\", \"text\": \"one\"}\n\n{\"_id\": 2}\n").unwrap();
    fs::write(path.join("queries.jsonl"), "{\"_id\": \"q\", \"text\": \"what\", \"metadata\": {}}\n").unwrap();
    fs::write(path.join("qrels.tsv"), "query-id\tcorpus-id\tscore\nq\t1\t2\nq\t3\t-1\n").unwrap();

    let sources: Vec<_> = Sources::open(path).unwrap().collect();
    assert_eq!(sources[0].as_ref().unwrap().id, "1");
    assert!(matches!(sources[1], Err(BeirError::Malformed { line: 3, .. })), "{:?}", sources[1]);
    assert_eq!(Query::read_all(path).unwrap()[0].text, "what");
    assert_eq!(Judgements::read(path).unwrap().0["q"], grades(&[("1", 2), ("3", 0)]));

    fs::write(path.join("qrels.tsv"), "query-id\tcorpus-id\tscore\nq 1 2\n").unwrap();
    let error = Judgements::read(path).unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("3 columns"), "{error}");
    assert!(Sources::open(&path.join("nowhere")).is_err());
}
