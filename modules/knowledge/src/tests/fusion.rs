use crate::fusion::{Fusion, fuse};

const TEXT: &[(u32, f32)] = &[(1, 10.0), (2, 8.0), (3, 1.0)];
const VECTOR: &[(u32, f32)] = &[(2, 0.9), (4, 0.8), (1, 0.1)];

#[test]
fn what_both_rank_high_comes_first() {
    for fusion in [Fusion::default(), Fusion::MinMax { vector: 0.5 }, Fusion::ReciprocalRank { k: 10.0 }] {
        let fused = fuse(fusion, TEXT, VECTOR);
        assert_eq!(fused[0].key, 2, "{fusion:?}");
        assert_eq!(fused.len(), 4);
    }
}

#[test]
fn each_hit_tells_what_each_ranker_said() {
    let fused = fuse(Fusion::MinMax { vector: 0.5 }, TEXT, VECTOR);

    let second = fused.iter().find(|hit| hit.key == 2).unwrap();
    let (text, vector) = (second.text.unwrap(), second.vector.unwrap());
    assert_eq!((text.rank, vector.rank), (2, 1));
    assert!((text.score - 8.0).abs() < 1e-6 && (vector.score - 0.9).abs() < 1e-6);
    assert!((text.share + vector.share - second.score).abs() < 1e-6);
    let fourth = fused.iter().find(|hit| hit.key == 4).unwrap();
    assert!(fourth.text.is_none() && fourth.vector.is_some());
}

#[test]
fn one_ranking_alone_keeps_its_order() {
    for fusion in [Fusion::default(), Fusion::MinMax { vector: 0.5 }, Fusion::ReciprocalRank { k: 10.0 }] {
        let keys: Vec<u32> = fuse(fusion, TEXT, &[]).iter().map(|hit| hit.key).collect();
        assert_eq!(keys, [1, 2, 3], "{fusion:?}");
    }
    assert!(fuse::<u32>(Fusion::default(), &[], &[]).is_empty());
}

#[test]
fn equal_scores_are_ordered_by_key_and_never_nan() {
    let flat: Vec<(u32, f32)> = [5, 3, 9, 1].map(|key| (key, 2.0)).into();
    for fusion in [Fusion::default(), Fusion::MinMax { vector: 0.5 }] {
        let fused = fuse(fusion, &flat, &[]);
        assert_eq!(fused.iter().map(|hit| hit.key).collect::<Vec<_>>(), [1, 3, 5, 9]);
        assert!(fused.iter().all(|hit| hit.score.is_finite() && hit.score > 0.0));
    }
}
