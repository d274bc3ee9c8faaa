//! What each arm is worth on a judged collection: `cargo run --release -p knowledge --example quality -- DIR [MODELS]`
#![expect(clippy::print_stdout, reason = "a report for people")]

use std::error::Error;
use std::path::{Path, PathBuf};

use knowledge::{
    Embedder, Fusion, Judgements, MINILM, ModelId, Models, Permitted, Query, Source, Sources, TextChange, TextIndex,
    TextPassage, Threads, VectorChange, VectorIndex, VectorPassage, WORDLLAMA, fuse, joined, measure, query_terms,
    summarize,
};
use uuid::Uuid;

type Ranking = Vec<(Uuid, f32)>;
type Rankings = Result<Vec<Ranking>, Box<dyn Error>>;

/// Results of each arm, which are then fused.
const DEPTH: usize = 100;

struct Set {
    sources: Vec<Source>,
    queries: Vec<Query>,
    judgements: Judgements,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let set = Set::read(&PathBuf::from(arguments.next().ok_or("which folder?")?))?;
    let models = Models::open(arguments.next().unwrap_or_else(|| "models".into()), Threads::default());
    let scratch = std::env::temp_dir().join(format!("holdfast-quality-{}", std::process::id()));

    let by_text = set.by_text(&scratch)?;
    set.judge("text", &by_text);
    for name in [WORDLLAMA, MINILM] {
        let by_vector = set.by_vector(&scratch, &*models.embedder(&ModelId::new(name))?)?;
        set.judge(name, &by_vector);
        for fusion in fusions() {
            let fused: Vec<Ranking> = by_text.iter().zip(&by_vector).map(|(a, b)| fused(fusion, a, b)).collect();
            set.judge(&format!("  {fusion:?}"), &fused);
        }
    }
    std::fs::remove_dir_all(scratch)?;
    Ok(())
}

fn fusions() -> impl Iterator<Item = Fusion> {
    let weighed = [0.4, 0.5, 0.6].map(|vector| [Fusion::MinMax { vector }, Fusion::Distribution { vector }]);
    weighed.into_iter().flatten().chain([10.0, 60.0].map(|k| Fusion::ReciprocalRank { k }))
}

fn fused(fusion: Fusion, text: &Ranking, vector: &Ranking) -> Ranking {
    fuse(fusion, text, vector).iter().map(|hit| (hit.key, hit.score)).collect()
}

impl Set {
    fn read(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let judgements = Judgements::read(folder)?;
        let judged = |query: &Query| judgements.0.contains_key(&query.id);
        Ok(Self {
            sources: Sources::open(folder)?.collect::<Result<_, _>>()?,
            queries: Query::read_all(folder)?.into_iter().filter(judged).collect(),
            judgements,
        })
    }

    fn by_text(&self, scratch: &Path) -> Rankings {
        let index = TextIndex::open_or_create(&scratch.join("text"))?;
        let put = |(at, source): (u64, &Source)| TextChange::Put {
            document: id(at),
            collection: Uuid::nil(),
            passages: vec![TextPassage {
                passage: id(at),
                terms: joined(&source.text),
                heading: joined(&source.title),
            }],
        };
        let changes: Vec<TextChange> = (0..).zip(&self.sources).map(put).collect();
        index.apply(&changes, 1)?;
        let search = |query: &Query| Ok(index.search(&query_terms(&query.text), &Permitted::everything(), DEPTH)?);
        self.queries.iter().map(search).collect()
    }

    fn by_vector(&self, scratch: &Path, model: &dyn Embedder) -> Rankings {
        let index = VectorIndex::recreate(&scratch.join("vectors"), model.model(), model.dimensions())?;
        let texts: Vec<&str> = self.sources.iter().map(|source| source.text.as_str()).collect();
        let put = |(at, vector): (u64, Vec<f32>)| VectorChange::Put {
            document: id(at),
            collection: Uuid::nil(),
            passages: vec![VectorPassage { passage: id(at), vector }],
        };
        let changes: Vec<VectorChange> = (0..).zip(model.embed(&texts)?).map(put).collect();
        index.apply(&changes, 1)?;
        let search = |query: &Query| -> Result<Ranking, Box<dyn Error>> {
            Ok(index.search(&model.embed_query(&query.text)?, &Permitted::everything(), DEPTH)?)
        };
        self.queries.iter().map(search).collect()
    }

    fn judge(&self, name: &str, rankings: &[Ranking]) {
        let each = self.queries.iter().zip(rankings).map(|(query, ranking)| {
            let ranking: Vec<&str> = ranking.iter().filter_map(|(id, _)| self.name(*id)).collect();
            measure(&ranking, &self.judgements.0[&query.id])
        });
        let found = summarize(&each.collect::<Vec<_>>(), 1000, 7);
        println!(
            "{name:34} nDCG@10 {:.3} [{:.3}, {:.3}]  recall@10 {:.3}  recall@100 {:.3}  MRR {:.3}",
            found.ndcg_10.mean,
            found.ndcg_10.low,
            found.ndcg_10.high,
            found.recall_10.mean,
            found.recall_100.mean,
            found.mrr.mean
        );
    }

    fn name(&self, id: Uuid) -> Option<&str> {
        let at = usize::try_from(id.as_u64_pair().1).ok()?;
        self.sources.get(at).map(|source| source.id.as_str())
    }
}

fn id(at: u64) -> Uuid {
    Uuid::from_u64_pair(0, at)
}
