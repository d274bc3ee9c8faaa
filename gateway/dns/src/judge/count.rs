//! How many resolvers say what about one part of the question.

use crate::answers::Heard;
use crate::finding::{Cause, Standing};

/// How one resolver sees one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// As it ought to be.
    Right,
    /// Wrong, and why.
    Wrong(Cause),
    /// Right as far as can be told, and what is in the way of telling more.
    Veiled(Cause),
    /// It says nothing; why, if that is worth a finding.
    Silent(Option<Cause>),
    /// There is nothing to compare with.
    NotChecked,
}

/// How all resolvers see one part.
pub(crate) struct Count(Vec<Seen>);

impl Count {
    pub(crate) fn of(heard: &[Heard], see: impl Fn(&Heard) -> Seen) -> Self {
        Self(heard.iter().map(see).collect())
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = &Seen> {
        self.0.iter()
    }

    fn number(&self, which: impl Fn(&Seen) -> bool) -> usize {
        self.0.iter().filter(|seen| which(seen)).count()
    }

    pub(crate) fn right(&self) -> usize {
        self.number(|seen| *seen == Seen::Right)
    }

    pub(crate) fn wrong(&self) -> usize {
        self.number(|seen| matches!(seen, Seen::Wrong(_)))
    }

    fn veiled(&self) -> usize {
        self.number(|seen| matches!(seen, Seen::Veiled(_)))
    }

    /// How many did not answer.
    pub(crate) fn silent(&self) -> usize {
        self.number(|seen| *seen == Seen::Silent(None))
    }

    /// How many said anything.
    pub(crate) fn told(&self) -> usize {
        self.right() + self.wrong() + self.veiled()
    }

    pub(crate) fn standing(&self) -> Standing {
        let told = self.told();
        if self.0.contains(&Seen::NotChecked) {
            Standing::NotChecked
        } else if told == 0 || told * 2 < self.0.len() {
            Standing::Unknown
        } else if self.right() * 2 > told {
            Standing::Ok
        } else if self.wrong() * 2 > told {
            Standing::Wrong
        } else {
            Standing::Unknown
        }
    }

    /// The cause that most name, unless most say that all is right.
    pub(crate) fn cause(&self) -> Option<Cause> {
        if matches!(self.standing(), Standing::Ok | Standing::NotChecked) {
            return None;
        }
        let causes: Vec<Cause> = self
            .0
            .iter()
            .filter_map(|seen| match seen {
                Seen::Wrong(cause) | Seen::Veiled(cause) | Seen::Silent(Some(cause)) => Some(*cause),
                Seen::Right | Seen::Silent(None) | Seen::NotChecked => None,
            })
            .collect();
        let votes = |cause: &Cause| causes.iter().filter(|other| *other == cause).count();
        // The first of equals, in the order of the causes.
        causes.iter().copied().max_by_key(|cause| (votes(cause), std::cmp::Reverse(*cause)))
    }
}
