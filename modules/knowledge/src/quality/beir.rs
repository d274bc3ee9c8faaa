//! Judged collections in the BEIR layout (Thakur et al. 2021): `corpus.jsonl`, `queries.jsonl`, and judgements in
//! `qrels.tsv` or `qrels/test.tsv`. Read line by line, so that a corpus may be larger than memory.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Why a collection can't be read, with the place.
#[derive(Debug, thiserror::Error)]
pub enum BeirError {
    /// A file is missing or unreadable.
    #[error("{path}: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A line is not what it should be.
    #[error("{path}, line {line}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// A document of the corpus.
#[derive(Clone, Debug, Deserialize)]
pub struct Source {
    /// Unique in the corpus.
    #[serde(rename = "_id")]
    pub id: String,
    /// May be empty.
    #[serde(default)]
    pub title: String,
    /// The document.
    pub text: String,
}

/// A query.
#[derive(Clone, Debug, Deserialize)]
pub struct Query {
    /// Unique among the queries.
    #[serde(rename = "_id")]
    pub id: String,
    /// As a person wrote it.
    pub text: String,
}

/// The documents of `corpus.jsonl`, one at a time.
pub struct Sources(JsonLines<Source>);

/// By query: the documents that were judged, with their grades (0 is irrelevant).
#[derive(Clone, Debug, Default)]
pub struct Judgements(pub BTreeMap<String, HashMap<String, u32>>);

impl Sources {
    /// Opens the corpus of a folder.
    ///
    /// # Errors
    /// [`BeirError::Unreadable`] if there is none.
    pub fn open(folder: &Path) -> Result<Self, BeirError> {
        JsonLines::open(folder.join("corpus.jsonl")).map(Self)
    }
}

impl Iterator for Sources {
    type Item = Result<Source, BeirError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl Query {
    /// The queries of a folder.
    ///
    /// # Errors
    /// [`BeirError`] with the line at fault.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>, BeirError> {
        JsonLines::open(folder.join("queries.jsonl"))?.collect()
    }
}

impl Judgements {
    /// The judgements of a folder. The first line names the columns.
    ///
    /// # Errors
    /// [`BeirError`] with the line at fault.
    pub fn read(folder: &Path) -> Result<Self, BeirError> {
        let nested = folder.join("qrels").join("test.tsv");
        let path = if nested.is_file() { nested } else { folder.join("qrels.tsv") };
        let mut judged = Self::default();
        for (index, line) in lines(&path)?.enumerate() {
            let line = line.map_err(|cause| BeirError::Unreadable { path: path.clone(), cause })?;
            if index == 0 || line.trim().is_empty() {
                continue;
            }
            let (query, document, grade) = judgement(&line).map_err(|reason| BeirError::Malformed {
                path: path.clone(),
                line: index + 1,
                reason,
            })?;
            judged.0.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
        }
        Ok(judged)
    }
}

fn judgement(line: &str) -> Result<(&str, &str, u32), String> {
    let columns: Vec<&str> = line.split('\t').map(str::trim).collect();
    let [query, document, grade] = columns[..] else {
        return Err(format!("3 columns with a tab between them are expected, not {}", columns.len()));
    };
    let grade: i32 = grade.parse().map_err(|_| format!("the score {grade:?} is not a whole number"))?;
    // Some collections mark what must not count by a negative grade.
    Ok((query, document, u32::try_from(grade).unwrap_or(0)))
}

struct JsonLines<T> {
    path: PathBuf,
    lines: std::iter::Enumerate<Lines<BufReader<File>>>,
    row: PhantomData<T>,
}

impl<T: DeserializeOwned> JsonLines<T> {
    fn open(path: PathBuf) -> Result<Self, BeirError> {
        Ok(Self { lines: lines(&path)?.enumerate(), path, row: PhantomData })
    }
}

impl<T: DeserializeOwned> Iterator for JsonLines<T> {
    type Item = Result<T, BeirError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (index, line) = self.lines.next()?;
            let line = match line {
                Ok(line) if line.trim().is_empty() => continue,
                Ok(line) => line,
                Err(cause) => return Some(Err(BeirError::Unreadable { path: self.path.clone(), cause })),
            };
            return Some(serde_json::from_str(&line).map_err(|error| BeirError::Malformed {
                path: self.path.clone(),
                line: index + 1,
                reason: error.to_string(),
            }));
        }
    }
}

fn lines(path: &Path) -> Result<Lines<BufReader<File>>, BeirError> {
    let file = File::open(path).map_err(|cause| BeirError::Unreadable { path: path.to_owned(), cause })?;
    Ok(BufReader::new(file).lines())
}
