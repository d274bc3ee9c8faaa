//! Requests as they come, for one listener, who reads them at a pace of its own. The ring is its queue: whoever falls
//! behind further than that has missed some, and is told how many.

use std::sync::Arc;

use super::{Journal, recent::Place, record::Record};

/// The most that is read at once.
const AT_ONCE: usize = 256;

/// Where one listener stands.
#[derive(Debug)]
pub struct Tail {
    journal: Arc<Journal>,
    next: u64,
}

/// What has come since the last time.
#[derive(Debug, Default)]
pub struct Batch {
    /// So many came and went unread before these.
    pub missed: u64,
    /// In the order of their numbers.
    pub records: Vec<Arc<Record>>,
    /// Whether there is more to be read at once.
    pub more: bool,
}

impl Tail {
    pub(crate) fn new(journal: Arc<Journal>, after: Option<u64>) -> Self {
        let numbers = journal.recent.numbers();
        // A number that was never given is of another process: from now on.
        let next = after.map_or(numbers.end, |after| after.saturating_add(1)).min(numbers.end);
        Self { journal, next }
    }

    /// The number up to which all was read or missed.
    pub fn position(&self) -> u64 {
        self.next.saturating_sub(1)
    }

    /// What has come; empty if nothing has. It never waits.
    pub fn read(&mut self) -> Batch {
        let mut batch = Batch::default();
        let recent = &self.journal.recent;
        if recent.capacity() == 0 {
            return batch;
        }
        let mut numbers = recent.numbers();
        if self.next < numbers.start {
            batch.missed = numbers.start - self.next;
            self.next = numbers.start;
        }
        while self.next < numbers.end && batch.records.len() < AT_ONCE {
            match recent.at(self.next) {
                Place::There(record) => {
                    batch.records.push(record);
                    self.next += 1;
                }
                // It is there the next time.
                Place::Soon => return batch,
                Place::Gone if batch.records.is_empty() => {
                    numbers = recent.numbers();
                    let from = numbers.start.max(self.next + 1);
                    batch.missed += from - self.next;
                    self.next = from;
                }
                // What is missed here is told before what comes after it.
                Place::Gone => break,
            }
        }
        batch.more = self.next < numbers.end;
        batch
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Barrier,
            atomic::{AtomicBool, Ordering},
        },
        thread,
        time::{Duration, SystemTime},
    };

    use super::*;
    use crate::journal::{AccessLog, record::tests_record};

    fn journal(recent: usize) -> Arc<Journal> {
        let log = AccessLog { enabled: false, sample: 1.0, failures_from: 400, slow: Duration::ZERO };
        Journal::new(log, recent, || SystemTime::UNIX_EPOCH + Duration::from_micros(1000), None)
    }

    fn come(journal: &Journal, count: usize) {
        (0..count).for_each(|_| drop(journal.recent.note(tests_record)));
    }

    fn read(tail: &mut Tail) -> (u64, Vec<u64>) {
        let batch = tail.read();
        (batch.missed, batch.records.iter().map(|record| record.number).collect())
    }

    #[test]
    fn a_listener_gets_what_comes_after_it_and_what_comes_after_a_number() {
        let journal = journal(10);
        come(&journal, 3);
        let mut tail = journal.follow(None);
        assert_eq!(read(&mut tail), (0, vec![]));

        come(&journal, 2);

        assert_eq!(read(&mut tail), (0, vec![1003, 1004]));
        assert_eq!(read(&mut tail), (0, vec![]));
        assert_eq!(read(&mut journal.follow(Some(1001))), (0, vec![1002, 1003, 1004]));
        assert_eq!(read(&mut journal.follow(Some(u64::MAX))), (0, vec![]), "of another process");
    }

    #[test]
    fn a_slow_listener_is_told_how_many_it_missed() {
        let journal = journal(10);
        let mut tail = journal.follow(None);

        come(&journal, 25);

        assert_eq!(read(&mut tail), (15, (1015..1025).collect()));
        assert_eq!(read(&mut journal.follow(Some(3))), (1011, (1015..1025).collect()), "of an earlier process");
    }

    #[test]
    fn what_was_read_and_what_was_missed_is_all_there_was_while_64_race() {
        let journal = journal(128);
        let (gate, done) = (Barrier::new(65), AtomicBool::new(false));
        let mut tail = journal.follow(None);

        let (told, last) = thread::scope(|scope| {
            let racers: Vec<_> = (0..64)
                .map(|_| {
                    scope.spawn(|| {
                        gate.wait();
                        come(&journal, 200);
                    })
                })
                .collect();
            let reader = scope.spawn(|| {
                gate.wait();
                let (mut told, mut last) = (0, 999);
                loop {
                    let ended = done.load(Ordering::SeqCst);
                    let (missed, numbers) = read(&mut tail);
                    told += missed + numbers.len() as u64;
                    for number in numbers {
                        assert!(number > last, "in order, each once");
                        last = number;
                    }
                    if ended && told == 64 * 200 {
                        return (told, last);
                    }
                }
            });
            racers.into_iter().for_each(|racer| racer.join().unwrap());
            done.store(true, Ordering::SeqCst);
            reader.join().unwrap()
        });

        assert_eq!((told, last), (64 * 200, 1000 + 64 * 200 - 1));
    }
}
