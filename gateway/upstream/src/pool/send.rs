//! One request: attempts until one gives an answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use tokio::time::Instant;

use super::{
    Core,
    attempt::{Journey, Missed, Parcel},
    ejection::{is_its_fault, speaks_against},
};
use crate::{
    body::UpstreamBody,
    error::{BoxError, Phase, UpstreamError},
    exchange::{HeadWatch, Outgoing},
    forwarding::Forwarding,
    headers::{Length, rewrite},
    shed::Admission,
    target::{Lease, Target, Wait},
};

impl Core {
    pub(super) async fn send<B>(
        self: &Arc<Self>,
        request: Request<B>,
        mut context: Forwarding,
    ) -> Result<Response<UpstreamBody>, UpstreamError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let admission = self.shedder.admit(context.priority)?;
        let now = Instant::now();
        let (head, body) = request.into_parts();
        let key = self.key(&head.headers, &context);
        let length = match body.size_hint().exact() {
            _ if body.is_end_stream() => Length::None,
            Some(_) => Length::Known,
            None => Length::Unknown,
        };
        let (body, upload) = Outgoing::new(body);
        let head = rewrite(head, length, &mut context, &self.config.forwarded, &self.config.host)?;
        let timeouts = &self.config.timeouts;
        let whole = (!timeouts.whole.is_zero()).then(|| now + timeouts.whole);
        let until = [whole, context.deadline].into_iter().flatten().min();
        let watch = HeadWatch::new(timeouts, until, upload, now);
        let journey = Journey::new(key, until, whole, watch, &head, self.config.retry.attempts);
        self.budget.deposit(now);
        self.travel(Parcel { head, body }, journey, admission).await
    }

    async fn travel(
        self: &Arc<Self>,
        mut parcel: Parcel,
        mut journey: Journey,
        admission: Admission,
    ) -> Result<Response<UpstreamBody>, UpstreamError> {
        loop {
            let now = Instant::now();
            let index = self.pick(journey.key, journey.tried, now).ok_or(UpstreamError::Overloaded)?;
            let target = &self.members[index].target;
            // Another request may have taken the last place.
            let Some(mut lease) = Lease::new(target) else { continue };
            if journey.retries {
                target.figures.retried();
            }
            let wait = lease.wait(now);
            let copy = journey.copy(&parcel.head);
            match self.attempt(&mut lease, parcel, &mut journey).await {
                Ok(arrival) => {
                    let status = arrival.answer.status();
                    self.note_answer(target, wait, status);
                    journey.tried.add(index);
                    let next = copy.filter(|_| self.asks_another(status, &journey));
                    match next {
                        Some(next) => parcel = journey.again(next),
                        None => return self.arrive(lease, arrival, &mut journey, admission).await,
                    }
                }
                Err(missed) => {
                    self.note_miss(target, wait, &missed);
                    if !missed.stale {
                        journey.tried.add(index);
                    }
                    parcel = self.next(missed, copy, &mut journey)?;
                }
            }
        }
    }

    /// Whether another target may know better than this answer.
    fn asks_another(&self, status: StatusCode, journey: &Journey) -> bool {
        let now = Instant::now();
        self.config.retry.statuses.contains(&status.as_u16())
            && self.has_another(journey.tried, now)
            && self.budget.withdraw(now)
    }

    /// What to send after a failure.
    ///
    /// # Errors
    /// The failure, if nothing may be sent again.
    fn next(&self, missed: Missed, copy: Option<Parcel>, journey: &mut Journey) -> Result<Parcel, UpstreamError> {
        let error = missed.fault.error;
        if missed.stale
            && journey.stale > 0
            && let Some(unsent) = missed.parcel
        {
            journey.stale -= 1;
            return Ok(unsent);
        }
        let hopeless = matches!(
            error,
            UpstreamError::RequestBody(_) | UpstreamError::Timeout(Phase::Whole) | UpstreamError::NotForwardable
        );
        match missed.parcel.or(copy) {
            Some(parcel) if !hopeless && journey.left > 0 && self.budget.withdraw(Instant::now()) => {
                Ok(journey.again(parcel))
            }
            _ => Err(error),
        }
    }

    fn note_answer(&self, target: &Arc<Target>, wait: Wait, status: StatusCode) {
        let bad = speaks_against(status);
        let latency = wait.end(Instant::now(), bad);
        self.shedder.observe(latency);
        if bad {
            self.failed(target, &format!("status {}", status.as_u16()));
        } else {
            target.standing.succeeded();
            target.figures.succeeded(latency);
        }
    }

    fn note_miss(&self, target: &Arc<Target>, wait: Wait, missed: &Missed) {
        if !missed.stale && is_its_fault(&missed.fault.error) {
            wait.end(Instant::now(), true);
            self.failed(target, &missed.fault.detail);
        }
    }
}
