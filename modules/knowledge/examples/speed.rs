//! How fast the parts of search are on real text: `cargo run --release -p knowledge --example speed -- FOLDER [MODELS] [PASSAGES]`
//!
//! FOLDER is searched for `.html` and `.txt` files, whose words are cut into passages of about 120 words.
#![expect(clippy::print_stdout, reason = "a report for people")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use knowledge::{
    Embedder, Fusion, MINILM, ModelId, Models, Permitted, Places, TextChange, TextIndex, TextPassage, Threads,
    VectorChange, VectorIndex, VectorPassage, WORDLLAMA, fuse, joined, query_terms,
};
use uuid::Uuid;

const WORDS: usize = 120;
/// Passages of one document.
const DOCUMENT: usize = 50;
const QUERIES: usize = 500;
const GRAPH_FROM: usize = 20_000;

struct Bench {
    passages: Vec<String>,
    queries: Vec<String>,
    scratch: PathBuf,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which folder?")?);
    let models = Models::open(arguments.next().unwrap_or_else(|| "models".into()), Threads::default());
    let count: usize = arguments.next().map_or(Ok(100_000), |count| count.parse())?;
    let scratch = std::env::temp_dir().join(format!("holdfast-speed-{}", std::process::id()));
    let mut passages = Vec::new();
    read(&folder, &mut passages)?;
    println!("{} passages of real text, repeated with other numbers up to {count}", passages.len());
    let real = passages.len().max(1);
    for at in passages.len()..count {
        let again = format!("{} n{at}", passages[at % real]);
        passages.push(again);
    }
    passages.truncate(count);
    let queries = (0..QUERIES).map(|n| question(&passages[n * 7919 % real.min(count)], n)).collect();
    let bench = Bench { passages, queries, scratch };

    let text = bench.index_text()?;
    bench.embed(&*models.embedder(&ModelId::new(MINILM))?, 100)?;
    let static_model = models.embedder(&ModelId::new(WORDLLAMA))?;
    bench.embed(&*static_model, 20_000)?;
    let vectors = bench.index_vectors(&*static_model)?;
    bench.search(&text, &vectors, &*static_model)?;
    bench.hybrid(&text, &vectors, &*static_model, &*models.embedder(&ModelId::new(MINILM))?)?;
    println!("resident memory at the end {} MB", resident());
    std::fs::remove_dir_all(&bench.scratch)?;
    Ok(())
}

impl Bench {
    fn index_text(&self) -> Result<TextIndex, Box<dyn Error>> {
        let start = Instant::now();
        let terms: Vec<String> = self.passages.iter().map(|passage| joined(passage)).collect();
        rate("analysis", self.passages.len(), start.elapsed());
        let before = resident();
        let index = TextIndex::open_or_create(&self.scratch.join("text"))?;
        let start = Instant::now();
        for (seq, part) in (1..).zip(terms.chunks(5000)) {
            let first = (usize::try_from(seq)? - 1) * 5000 / DOCUMENT;
            let changes: Vec<TextChange> =
                part.chunks(DOCUMENT).enumerate().map(|(n, part)| put(first + n, part)).collect();
            index.apply(&changes, seq)?;
        }
        rate("text index, a commit every 5,000", self.passages.len(), start.elapsed());
        let start = Instant::now();
        index.rest()?;
        println!(
            "text index: merges afterwards {:?}, memory + {} MB",
            start.elapsed(),
            resident().saturating_sub(before)
        );
        drop(index);
        let start = Instant::now();
        let index = TextIndex::open_or_create(&self.scratch.join("text"))?;
        println!(
            "text index: opened with checksums in {:?}, on disk {} MB",
            start.elapsed(),
            size(index.folder())? >> 20
        );
        Ok(index)
    }

    fn embed(&self, model: &dyn Embedder, count: usize) -> Result<(), Box<dyn Error>> {
        let texts: Vec<&str> = self.passages.iter().take(count).map(String::as_str).collect();
        let before = resident();
        let start = Instant::now();
        model.embed(&texts)?;
        rate(&format!("{} passages", model.model()), texts.len(), start.elapsed());
        let times = timed(self.queries.iter().take(300), |query| model.embed_query(query).map(drop))?;
        percentiles(&format!("{} query", model.model()), times);
        println!("{}: memory + {} MB", model.model(), resident().saturating_sub(before));
        Ok(())
    }

    fn index_vectors(&self, model: &dyn Embedder) -> Result<VectorIndex, Box<dyn Error>> {
        let folder = self.scratch.join("vectors");
        let index = VectorIndex::open_or_create(&folder, model.model(), model.dimensions())?;
        let before = resident();
        let mut taken = Duration::ZERO;
        for (n, part) in self.passages.chunks(DOCUMENT).enumerate() {
            let texts: Vec<&str> = part.iter().map(String::as_str).collect();
            let passages = (n * DOCUMENT..)
                .zip(model.embed(&texts)?)
                .map(|(at, vector)| VectorPassage { passage: id(at), vector });
            let change = VectorChange::Put { document: id(n), collection: id(n % 10), passages: passages.collect() };
            let start = Instant::now();
            index.apply(&[change], 1)?;
            taken += start.elapsed();
        }
        rate("vector index", self.passages.len(), taken);
        let times = timed(self.queries.iter(), |query| {
            index
                .search(&model.embed_query(query)?, &Permitted::everything(), 100)
                .map(drop)
                .map_err(Box::<dyn Error>::from)
        })?;
        percentiles("vector search by scan, query embedded", times);
        let by_scan = self.nearest(&index, model)?;
        // The measured set is below the size from which on a graph is built by itself.
        let index = index.with_graph_from(GRAPH_FROM);
        let start = Instant::now();
        while index.tend(10_000) > 0 {}
        rate("graph", self.passages.len(), start.elapsed());
        println!("vector index: memory + {} MB", resident().saturating_sub(before));
        let by_graph = self.nearest(&index, model)?;
        let hits: usize =
            by_scan.iter().zip(&by_graph).map(|(a, b)| b.iter().filter(|it| a.contains(it)).count()).sum();
        println!("graph: {hits} of the {} that a scan finds in the first ten", by_scan.len() * 10);
        let start = Instant::now();
        index.save()?;
        println!("vector index: saved in {:?}, {} MB", start.elapsed(), size(&folder)? >> 20);
        drop(index);
        let start = Instant::now();
        let index = VectorIndex::open_or_create(&folder, model.model(), model.dimensions())?;
        println!("vector index: opened in {:?}", start.elapsed());
        Ok(index)
    }

    fn nearest(&self, index: &VectorIndex, model: &dyn Embedder) -> Result<Vec<Vec<Uuid>>, Box<dyn Error>> {
        let ten = |query: &String| -> Result<Vec<Uuid>, Box<dyn Error>> {
            let found = index.search(&model.embed_query(query)?, &Permitted::everything(), 10)?;
            Ok(found.into_iter().map(|(passage, _)| passage).collect())
        };
        self.queries.iter().map(ten).collect()
    }

    fn search(&self, text: &TextIndex, vectors: &VectorIndex, model: &dyn Embedder) -> Result<(), Box<dyn Error>> {
        let documents = self.passages.len() / DOCUMENT;
        for (name, permitted) in [
            ("all", Permitted::everything()),
            ("50 % of the documents", only(documents / 2)),
            ("10 % of the documents", only(documents / 10)),
            ("1 % of the documents", only(documents / 100)),
            ("0.1 % of the documents", only((documents / 1000).max(1))),
            ("1 of 10 collections", Permitted::only(Places { collections: [id(3)].into(), ..Places::default() })),
        ] {
            for limit in [10, 100] {
                let times =
                    timed(self.queries.iter(), |query| text.search(&query_terms(query), &permitted, limit).map(drop))?;
                percentiles(&format!("text search, {limit} of {name}"), times);
            }
            let embedded = self.queries.iter().map(|query| model.embed_query(query)).collect::<Result<Vec<_>, _>>()?;
            let times = timed(embedded.iter(), |query| vectors.search(query, &permitted, 100).map(drop))?;
            percentiles(&format!("vector search, 100 of {name}"), times);
        }
        Ok(())
    }

    fn hybrid(
        &self,
        text: &TextIndex,
        vectors: &VectorIndex,
        small: &dyn Embedder,
        large: &dyn Embedder,
    ) -> Result<(), Box<dyn Error>> {
        let permitted = Permitted::everything();
        for model in [small, large] {
            let times = timed(self.queries.iter(), |query| -> Result<(), Box<dyn Error>> {
                let by_text = text.search(&query_terms(query), &permitted, 100)?;
                let mut vector = model.embed_query(query)?;
                // The index holds the small model's vectors: the time is that of searching, whatever is found.
                vector.truncate(small.dimensions());
                fuse(Fusion::default(), &by_text, &vectors.search(&vector, &permitted, 100)?);
                Ok(())
            })?;
            percentiles(&format!("hybrid, {}", model.model()), times);
        }
        Ok(())
    }
}

fn put(document: usize, terms: &[String]) -> TextChange {
    let passages = (document * DOCUMENT..).zip(terms).map(|(at, terms)| TextPassage {
        passage: id(at),
        terms: terms.clone(),
        heading: terms.split(' ').take(5).collect::<Vec<_>>().join(" "),
    });
    TextChange::Put { document: id(document), collection: id(document % 10), passages: passages.collect() }
}

fn only(documents: usize) -> Permitted {
    let documents = (0..documents).map(|n| id(n * 7)).collect();
    Permitted::only(Places { documents, ..Places::default() })
}

/// Four to nine words that stand together, as a question would quote them.
fn question(passage: &str, n: usize) -> String {
    let words: Vec<&str> = passage.split_whitespace().collect();
    let from = n * 31 % words.len().max(1);
    format!("how does {}", words[from..(from + 4 + n % 6).min(words.len())].join(" "))
}

fn read(folder: &Path, passages: &mut Vec<String>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.is_symlink() {
            read(&path, passages)?;
        } else if path.extension().is_some_and(|end| end == "html" || end == "txt") {
            let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
            let words: Vec<&str> = plain(&text);
            passages.extend(words.chunks(WORDS).filter(|part| part.len() > 20).map(|part| part.join(" ")));
        }
    }
    Ok(())
}

/// The words outside of tags; good enough to measure with.
fn plain(html: &str) -> Vec<&str> {
    html.split('<').filter_map(|part| part.rsplit('>').next()).flat_map(str::split_whitespace).collect()
}

fn timed<T, E>(inputs: impl Iterator<Item = T>, mut work: impl FnMut(T) -> Result<(), E>) -> Result<Vec<Duration>, E> {
    inputs
        .map(|input| {
            let start = Instant::now();
            work(input).map(|()| start.elapsed())
        })
        .collect()
}

fn percentiles(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    println!("{name:48} p50 {:>9.1?}  p95 {:>9.1?}  p99 {:>9.1?}", at(50), at(95), at(99));
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(name: &str, count: usize, taken: Duration) {
    println!("{name:48} {:.0} passages/s ({taken:.1?})", count as f64 / taken.as_secs_f64());
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kb| kb.parse().ok()).unwrap_or(0) / 1024
}

fn size(folder: &Path) -> std::io::Result<u64> {
    std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

fn id(at: usize) -> Uuid {
    Uuid::from_u64_pair(0x0192_0000_0000_7000, at as u64)
}
