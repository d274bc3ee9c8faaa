//! Whose turn it is: names of all tenants wait, and none waits long because another has many.

use std::collections::{HashMap, HashSet};

use crate::{name::Name, store::Waiting};

/// Tenants remembered; beyond that the memory of turns begins anew.
const REMEMBERED: usize = 10_000;

/// Turns of the tenants in this replica.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    turns: HashMap<String, Turn>,
    clock: u64,
    waiting: Vec<Waiting>,
    /// Names at work here: the store calls them due until their lease is taken.
    at_work: HashSet<Name>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    running: u32,
    last: u64,
}

impl Queue {
    /// Replaces the names that wait, but for those at work.
    pub(crate) fn refill(&mut self, mut waiting: Vec<Waiting>) {
        waiting.retain(|record| !self.at_work.contains(&record.name));
        self.waiting = waiting;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next name: of the tenant with the fewest at work, then the one served longest ago; its longest due.
    pub(crate) fn pick(&mut self) -> Option<Waiting> {
        let turn = |record: &Waiting| self.turns.get(&record.tenant).copied().unwrap_or_default();
        let best = self.waiting.iter().enumerate().min_by_key(|(_, record)| {
            let turn = turn(record);
            (record.lane, turn.running, turn.last, record.due, &record.name)
        });
        let index = best?.0;
        let record = self.waiting.swap_remove(index);
        self.clock += 1;
        if self.turns.len() >= REMEMBERED {
            self.turns.retain(|_, turn| turn.running > 0);
        }
        let turn = self.turns.entry(record.tenant.clone()).or_default();
        turn.running += 1;
        turn.last = self.clock;
        self.at_work.insert(record.name.clone());
        Some(record)
    }

    /// A name that was picked is done with for now.
    pub(crate) fn done(&mut self, record: &Waiting) {
        self.at_work.remove(&record.name);
        if let Some(turn) = self.turns.get_mut(&record.tenant) {
            turn.running = turn.running.saturating_sub(1);
        }
    }

    /// Takes names out that are not to be picked now.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Waiting) -> bool) {
        self.waiting.retain(keep);
    }

    /// Whether a name waits here.
    #[cfg(test)]
    pub(crate) fn waits(&self, name: &Name) -> bool {
        self.waiting.iter().any(|record| record.name == *name)
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::store::Lane;

    fn waiting(name: &str, tenant: &str) -> Waiting {
        let due = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Waiting { name: Name::parse(name).unwrap(), tenant: tenant.into(), due, lane: Lane::Starting }
    }

    #[test]
    fn a_tenant_with_many_names_holds_nobody_up() {
        let named = |tenant: &str, n: usize| waiting(&format!("n{n}.{tenant}.example.com"), tenant);
        let mut queue = Queue::default();
        let many = (0..900).map(|n| named("large", n));
        queue.refill(many.chain((0..9).map(|n| named(&format!("small{n}"), n))).collect());

        let first: Vec<_> = (0..10).map(|_| queue.pick().unwrap().tenant).collect();

        let small = first.iter().filter(|tenant| tenant.starts_with("small")).count();
        assert_eq!(small, 9, "{first:?}");
    }

    #[test]
    fn a_tenant_with_one_at_work_comes_after_one_with_none() {
        let mut queue = Queue::default();
        queue.refill(vec![waiting("a.example.com", "one"), waiting("b.example.com", "one")]);
        queue.pick();
        queue.refill(vec![waiting("b.example.com", "one"), waiting("c.example.com", "two")]);

        assert_eq!(queue.pick().unwrap().tenant, "two");
        assert!(queue.waits(&Name::parse("b.example.com").unwrap()));
    }

    #[test]
    fn a_name_at_work_is_not_picked_again_until_it_is_done() {
        let mut queue = Queue::default();
        queue.refill(vec![waiting("a.example.com", "one")]);
        let picked = queue.pick().unwrap();
        queue.refill(vec![waiting("a.example.com", "one")]);
        assert!(queue.is_empty());

        queue.done(&picked);
        queue.refill(vec![waiting("a.example.com", "one")]);
        assert!(queue.waits(&picked.name));
    }
}
