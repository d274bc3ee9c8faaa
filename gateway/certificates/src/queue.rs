//! Whose turn it is: names of all tenants wait, and none waits long because another has many.

use std::collections::{HashMap, HashSet};

use crate::{name::Name, store::Waiting};

/// Tenants remembered; beyond that the memory of turns begins anew.
const REMEMBERED: usize = 10_000;

/// Turns of the tenants in this replica.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Names of one tenant at work at once: less than there is room for, so that the next tenant finds a place free
    /// instead of waiting until one of another's orders ends.
    share: u32,
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
    /// A queue for a place where `concurrency` names are worked on at once: a tenant gets three quarters of it.
    pub(crate) fn new(concurrency: usize) -> Self {
        let places = u32::try_from(concurrency).unwrap_or(u32::MAX);
        let (turns, waiting, at_work) = Default::default();
        Self { share: places - places / 4, turns, clock: 0, waiting, at_work }
    }

    /// Replaces the names that wait, but for those at work.
    pub(crate) fn refill(&mut self, mut waiting: Vec<Waiting>) {
        waiting.retain(|record| !self.at_work.contains(&record.name));
        self.waiting = waiting;
    }

    /// Adds a name that is due, unless it waits already or is at work.
    pub(crate) fn add(&mut self, due: Waiting) {
        if !self.at_work.contains(&due.name) && !self.waiting.iter().any(|record| record.name == due.name) {
            self.waiting.push(due);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next name: of the tenant with the fewest at work, then the one served longest ago; its longest due. None
    /// while all that wait belong to tenants that have their share.
    pub(crate) fn pick(&mut self) -> Option<Waiting> {
        let turn = |record: &Waiting| self.turns.get(&record.tenant).copied().unwrap_or_default();
        let waiting = self.waiting.iter().enumerate().filter(|(_, record)| turn(record).running < self.share);
        let best = waiting.min_by_key(|(_, record)| {
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
        let mut queue = Queue::new(16);
        let many = (0..900).map(|n| named("large", n));
        queue.refill(many.chain((0..9).map(|n| named(&format!("small{n}"), n))).collect());

        let first: Vec<_> = (0..10).map(|_| queue.pick().unwrap().tenant).collect();

        let small = first.iter().filter(|tenant| tenant.starts_with("small")).count();
        assert_eq!(small, 9, "{first:?}");
    }

    #[test]
    fn a_tenant_with_one_at_work_comes_after_one_with_none() {
        let mut queue = Queue::new(16);
        queue.refill(vec![waiting("a.example.com", "one"), waiting("b.example.com", "one")]);
        queue.pick();
        queue.refill(vec![waiting("b.example.com", "one"), waiting("c.example.com", "two")]);

        assert_eq!(queue.pick().unwrap().tenant, "two");
        assert!(queue.waits(&Name::parse("b.example.com").unwrap()));
    }

    #[test]
    fn a_tenant_leaves_places_free_for_the_next_one() {
        let mut queue = Queue::new(4);
        queue.refill((0..9).map(|n| waiting(&format!("n{n}.example.com"), "large")).collect());

        let first = std::iter::from_fn(|| queue.pick()).collect::<Vec<_>>();

        assert_eq!(first.len(), 3);
        queue.refill(vec![waiting("n3.example.com", "large"), waiting("a.example.net", "small")]);
        assert_eq!(queue.pick().unwrap().tenant, "small");
        assert!(queue.pick().is_none());
        queue.done(&first[0]);
        assert_eq!(queue.pick().unwrap().tenant, "large");
    }

    #[test]
    fn where_one_name_is_worked_on_at_once_any_tenant_may_have_it() {
        let mut queue = Queue::new(1);
        queue.refill(vec![waiting("a.example.com", "one")]);

        assert!(queue.pick().is_some());
    }

    #[test]
    fn a_name_at_work_is_not_picked_again_until_it_is_done() {
        let mut queue = Queue::new(16);
        queue.refill(vec![waiting("a.example.com", "one")]);
        let picked = queue.pick().unwrap();
        queue.refill(vec![waiting("a.example.com", "one")]);
        assert!(queue.is_empty());

        queue.done(&picked);
        queue.refill(vec![waiting("a.example.com", "one")]);
        assert!(queue.waits(&picked.name));
    }
}
