//! A bounded number of model sessions, of which one is kept for questions.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use ort::session::Session;

/// Sessions made when first needed. Texts in bulk never take the last one.
pub(super) struct Sessions {
    most: usize,
    state: Mutex<State>,
    returned: Condvar,
}

struct State {
    idle: Vec<Session>,
    /// Made and in use, or being made.
    out: usize,
}

/// A session on loan; it goes back when dropped.
pub(super) struct Loan<'a> {
    sessions: &'a Sessions,
    session: Option<Session>,
}

/// Who asks: a question is answered at once, bulk leaves one session for questions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Question,
    Bulk,
}

impl Sessions {
    /// Room for `bulk` sessions and one for questions.
    pub(super) fn new(bulk: usize) -> Self {
        let state = Mutex::new(State { idle: Vec::new(), out: 0 });
        Self { most: bulk.max(1) + 1, state, returned: Condvar::new() }
    }

    /// Runs `work` with a session, which `make` opens if none is idle. Waits while all are out.
    pub(super) fn with<T, E>(
        &self,
        purpose: Purpose,
        make: impl FnOnce() -> Result<Session, E>,
        work: impl FnOnce(&mut Session) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut loan = self.borrow(purpose);
        let session = match loan.session.take() {
            Some(session) => session,
            None => make()?,
        };
        work(loan.session.insert(session))
    }

    fn borrow(&self, purpose: Purpose) -> Loan<'_> {
        let most = if purpose == Purpose::Bulk { self.most - 1 } else { self.most };
        let mut state = self.state();
        while state.out >= most {
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.out += 1;
        Loan { sessions: self, session: state.idle.pop() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut state = self.sessions.state();
        state.out -= 1;
        state.idle.extend(self.session.take());
        drop(state);
        // Not one: who is woken may be bulk, which has to leave the last session alone.
        self.sessions.returned.notify_all();
    }
}
