use std::path::PathBuf;
use std::sync::Arc;

use crate::embed::{EmbedError, Embedder, MINILM, ModelId, ModelState, Models, Threads, WORDLLAMA};

const RELATED: [(&str, &str); 3] = [
    ("How do I back up a database?", "Making a copy of the data so that it can be restored later"),
    ("A cat sits on the mat", "A kitten is resting on a rug"),
    ("The company's profit grew last year", "Earnings of the firm rose in the previous twelve months"),
];

/// The models that `make models` fetched.
fn models() -> Models {
    let folder = std::env::var_os("HOLDFAST_MODELS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../models"), PathBuf::from);
    Models::open(folder, Threads(2))
}

fn embedder(name: &str) -> Arc<dyn Embedder> {
    models().embedder(&ModelId::new(name)).expect("the models of `make models`")
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn check_model(name: &str) {
    let model = embedder(name);
    let texts: Vec<&str> = RELATED.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let vectors = model.embed(&texts).unwrap();

    for (pair, vectors) in RELATED.iter().zip(vectors.chunks(2)) {
        assert!((cosine(&vectors[0], &vectors[0]) - 1.0).abs() < 1e-4, "length 1");
        let own = cosine(&vectors[0], &vectors[1]);
        let (other, _) = RELATED[(RELATED.iter().position(|it| it == pair).unwrap() + 1) % 3];
        let foreign = cosine(&vectors[0], &model.embed_query(other).unwrap());
        assert!(own > foreign + 0.1, "{pair:?}: {own} beside {foreign}");
    }
}

#[test]
fn related_sentences_are_nearer_than_others_by_static_vectors() {
    check_model(WORDLLAMA);
}

#[test]
fn related_sentences_are_nearer_than_others_by_the_network() {
    check_model(MINILM);
}

#[test]
fn a_text_has_one_vector_alone_or_among_others() {
    let long = "A long sentence about databases and their indexes. ".repeat(30);
    for name in [WORDLLAMA, MINILM] {
        let model = embedder(name);
        let texts = ["short", &long, "Vacuum removes dead rows from tables.", ""];

        let together = model.embed(&texts).unwrap();

        for (text, vector) in texts.iter().zip(&together) {
            assert_eq!(vector.len(), model.dimensions());
            assert!(apart(vector, &model.embed_query(text).unwrap()) < 1e-6, "{name}: {text}");
            assert!(apart(vector, &model.embed(&[text]).unwrap()[0]) < 1e-6, "{name}: {text}");
        }
        assert!(together[3].iter().all(|x| *x == 0.0), "no words, no direction");
    }
}

#[test]
fn the_networks_vectors_are_those_of_the_published_model() {
    // Sentence Transformers' page for all-MiniLM-L6-v2 (32 bit) gives 0.6660 and 0.1411 for these; 8 bits move them.
    let model = embedder(MINILM);
    let vectors =
        model.embed(&["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]).unwrap();

    assert!((cosine(&vectors[0], &vectors[1]) - 0.6660).abs() < 0.06);
    assert!((cosine(&vectors[0], &vectors[2]) - 0.1046).abs() < 0.06);
    assert!((cosine(&vectors[1], &vectors[2]) - 0.1411).abs() < 0.06);
}

#[test]
fn the_network_reads_256_tokens_and_not_128() {
    let model = embedder(MINILM);
    let start = "word ".repeat(180);
    let end = format!("{start} the volcano erupted over the sea");
    let beyond = format!("{} the volcano erupted over the sea", "word ".repeat(300));

    let vectors = model.embed(&[&start, &end, &"word ".repeat(300), &beyond]).unwrap();

    assert!(apart(&vectors[0], &vectors[1]) > 1e-3, "what stands at token 180 counts");
    assert!(apart(&vectors[2], &vectors[3]) < 1e-6, "what stands at token 300 is cut");
}

#[test]
fn questions_are_answered_while_bulk_is_embedded() {
    let model = embedder(MINILM);
    let texts = vec!["Vacuum removes dead rows from tables and indexes."; 24];
    std::thread::scope(|scope| {
        let bulk: Vec<_> = (0..4).map(|_| scope.spawn(|| model.embed(&texts).unwrap())).collect();
        let questions: Vec<_> = (0..4).map(|_| scope.spawn(|| model.embed_query("dead rows").unwrap())).collect();
        let answers: Vec<_> = questions.into_iter().map(|it| it.join().unwrap()).collect();
        assert!(answers.iter().all(|it| it == &answers[0]));
        assert!(bulk.into_iter().all(|it| it.join().unwrap().len() == 24));
    });
}

#[test]
fn hostile_texts_are_embedded_too() {
    let endless = "a".repeat(1 << 20);
    let odd = "\u{0}\u{202e}\u{feff} 👩‍👩‍👧‍👦 \u{10ffff}";
    for name in [WORDLLAMA, MINILM] {
        let vectors = embedder(name).embed(&[&endless, odd, "\n\t "]).unwrap();
        assert!(vectors.iter().flatten().all(|x| x.is_finite()));
    }
}

#[test]
fn a_folder_without_models_says_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let models = Models::open(folder.path().join("none"), Threads(1));

    assert_eq!(models.best(), None);
    let status = models.status();
    assert_eq!(status.len(), 2);
    assert!(status.iter().all(|it| matches!(it.state, ModelState::Unavailable(EmbedError::Missing { .. }))));
    let error = models.embedder(&ModelId::new(WORDLLAMA)).err().unwrap();
    assert!(error.to_string().contains("model.safetensors"), "{error}");
    assert!(matches!(models.embedder(&ModelId::new("gpt")), Err(EmbedError::Unknown(_))));
}

#[test]
fn a_broken_model_is_named_and_the_other_still_works() {
    let folder = tempfile::tempdir().unwrap();
    let wordllama = folder.path().join("wordllama");
    std::fs::create_dir(&wordllama).unwrap();
    std::fs::write(wordllama.join("model.safetensors"), b"not tensors").unwrap();
    std::fs::write(wordllama.join("tokenizer.json"), b"{}").unwrap();
    let models = Models::open(folder.path(), Threads(1));

    assert_eq!(models.best(), Some(ModelId::new(WORDLLAMA)), "its files are there");
    assert!(matches!(models.embedder(&ModelId::new(WORDLLAMA)), Err(EmbedError::Unusable { .. })));
}
