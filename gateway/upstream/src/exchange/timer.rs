//! Deadlines that cost next to nothing while all goes well.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

use super::Upload;
use crate::{config::Timeouts, error::Phase};

/// One timer for all waits of a connection. It is left running when a wait ends and moved when it fires too early,
/// so that a busy connection doesn't touch the timer wheel with every request.
#[derive(Debug, Default)]
pub(crate) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Whether the deadline has passed; else the task is woken when it has.
    pub(crate) fn expired(&mut self, cx: &mut Context<'_>, deadline: Instant) -> bool {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() > deadline {
            sleep.as_mut().reset(deadline);
        }
        while sleep.as_mut().poll(cx) == Poll::Ready(()) {
            if Instant::now() >= deadline {
                return true;
            }
            sleep.as_mut().reset(deadline);
        }
        false
    }
}

/// Until when the head of an answer must be there. While the request's body is being sent each part of it starts the
/// time anew.
#[derive(Debug)]
pub(crate) struct HeadWatch {
    pub(crate) upload: Option<Arc<Upload>>,
    response_head: Duration,
    between_frames: Duration,
    whole: Option<Instant>,
    since: Instant,
    frames: u64,
}

impl HeadWatch {
    pub(crate) fn new(timeouts: &Timeouts, whole: Option<Instant>, upload: Option<Arc<Upload>>, now: Instant) -> Self {
        let (response_head, between_frames) = (timeouts.response_head, timeouts.between_frames);
        Self { upload, response_head, between_frames, whole, since: now, frames: 0 }
    }

    /// The request is sent now.
    pub(crate) fn restart(&mut self, now: Instant) {
        self.since = now;
    }

    /// What has run out, if something has.
    pub(crate) fn expired(&mut self, timer: &mut Timer, cx: &mut Context<'_>) -> Option<Phase> {
        let (limit, phase) = match &self.upload {
            Some(upload) => {
                let frames = upload.frames();
                if frames != self.frames {
                    self.frames = frames;
                    self.since = Instant::now();
                }
                if upload.ended() {
                    (self.response_head, Phase::ResponseHead)
                } else {
                    (self.between_frames, Phase::Body)
                }
            }
            None => (self.response_head, Phase::ResponseHead),
        };
        let (deadline, phase) = earlier(self.since + limit, phase, self.whole);
        timer.expired(cx, deadline).then_some(phase)
    }
}

/// The deadline of a phase, unless the whole request's is earlier.
pub(crate) fn earlier(deadline: Instant, phase: Phase, whole: Option<Instant>) -> (Instant, Phase) {
    match whole {
        Some(whole) if whole < deadline => (whole, Phase::Whole),
        _ => (deadline, phase),
    }
}
