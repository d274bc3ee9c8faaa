//! Follows an HTTP/1 byte stream message by message and withholds what has not been judged yet.

use super::{
    chunked::{BareLine, Chunked, Next, SectionScan},
    head::{BodyFraming, HeadLimits, MAX_LEADING, judge},
};
use crate::refusal::Refusal;

/// Where the stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Between two messages.
    Between,
    /// Inside a head.
    Head,
    /// Inside a body.
    Body,
    /// Behind a request that asks for an upgrade, until it is answered.
    Upgrade,
    /// No HTTP any more.
    Raw,
    /// Nothing more is believed.
    Dead,
}

/// Why nothing more is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The head right behind the approved bytes is refused.
    Head(Refusal),
    /// The body's framing broke right behind the approved bytes.
    Body,
}

#[derive(Debug)]
enum State {
    Head(SectionScan),
    Length(u64),
    Chunked(Chunked),
    Upgrade,
    Raw,
    Dead,
}

/// The judge of one connection's incoming bytes.
#[derive(Debug)]
pub(crate) struct Framer {
    limits: HeadLimits,
    state: State,
    /// An upgrade was asked for; decided once the body of that request has passed.
    upgrade: bool,
    heads: u64,
    withheld: bool,
}

impl Framer {
    pub(crate) fn new(limits: HeadLimits) -> Self {
        Self { limits, state: State::Head(SectionScan::default()), upgrade: false, heads: 0, withheld: false }
    }

    /// Heads approved so far.
    pub(crate) const fn heads(&self) -> u64 {
        self.heads
    }

    pub(crate) fn stage(&self) -> Stage {
        match self.state {
            State::Head(_) if self.withheld => Stage::Head,
            State::Head(_) => Stage::Between,
            State::Length(_) | State::Chunked(_) => Stage::Body,
            State::Upgrade => Stage::Upgrade,
            State::Raw => Stage::Raw,
            State::Dead => Stage::Dead,
        }
    }

    /// The request that asked for an upgrade was answered.
    pub(crate) fn upgrade_decided(&mut self, accepted: bool) {
        if matches!(self.state, State::Upgrade) {
            self.state = if accepted { State::Raw } else { State::Head(SectionScan::default()) };
        }
    }

    /// Believes nothing more.
    pub(crate) fn kill(&mut self) {
        self.state = State::Dead;
    }

    /// Judges the window, which starts at the first byte not approved yet: how many bytes of it may pass, and
    /// what is wrong behind them. Bytes that did not pass are shown again, with more behind them.
    pub(crate) fn inspect(&mut self, window: &[u8]) -> (usize, Option<Fault>) {
        let mut passed = 0;
        while passed < window.len() {
            match self.step(&window[passed..]) {
                (more, None) => {
                    passed += more;
                    if more == 0 {
                        break;
                    }
                }
                (more, Some(fault)) => {
                    self.state = State::Dead;
                    return (passed + more, Some(fault));
                }
            }
        }
        self.withheld = passed < window.len();
        (passed, None)
    }

    fn step(&mut self, rest: &[u8]) -> (usize, Option<Fault>) {
        match &mut self.state {
            State::Head(scan) => {
                let first_line = scan.in_first_line();
                let judged = match scan.find_end(rest) {
                    Ok(Some(end)) => self.head(&rest[..end]).map(|()| end),
                    Ok(None) => self.unfinished(rest, first_line).map(|()| 0),
                    Err(BareLine) => Err(Refusal::LineEnding),
                };
                judged.map_or_else(|refusal| (0, Some(Fault::Head(refusal))), |passed| (passed, None))
            }
            State::Length(left) => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                *left -= take as u64;
                if *left == 0 {
                    self.message_ended();
                }
                (take, None)
            }
            State::Chunked(chunked) => {
                let (take, next) = chunked.advance(rest, self.limits);
                if next == Next::Ended {
                    self.message_ended();
                }
                (take, (next == Next::Broken).then_some(Fault::Body))
            }
            State::Raw => (rest.len(), None),
            State::Upgrade | State::Dead => (0, None),
        }
    }

    fn head(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if bytes.len() > self.limits.bytes {
            return Err(Refusal::HeadTooLarge);
        }
        let head = judge(bytes, self.limits)?;
        self.heads += 1;
        self.upgrade = head.upgrade;
        match head.body {
            BodyFraming::Length(0) => self.message_ended(),
            BodyFraming::Length(length) => self.state = State::Length(length),
            BodyFraming::Chunked => self.state = State::Chunked(Chunked::new()),
        }
        Ok(())
    }

    fn message_ended(&mut self) {
        let upgrade = std::mem::take(&mut self.upgrade);
        self.state = if upgrade { State::Upgrade } else { State::Head(SectionScan::default()) };
    }

    /// What can be refused before a head has ended. The first line is looked at as long as it is open and once when it
    /// has ended, so that it does not matter in how many pieces it came.
    fn unfinished(&self, rest: &[u8], first_line: bool) -> Result<(), Refusal> {
        let line = rest.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(rest.len());
        let refusal = match () {
            () if first_line && line > MAX_LEADING => Refusal::RequestLine,
            () if first_line && target_so_far(&rest[line..]) > self.limits.target => Refusal::TargetTooLong,
            () if rest.len() > self.limits.bytes => Refusal::HeadTooLarge,
            () => return Ok(()),
        };
        Err(refusal)
    }
}

/// How long the target of a request line has become; more may stand behind the line.
fn target_so_far(rest: &[u8]) -> usize {
    let line = &rest[..rest.iter().position(|&b| b == b'\r').unwrap_or(rest.len())];
    let after_method = line.iter().position(|&b| b == b' ').map_or(line.len(), |space| space + 1);
    let target = &line[after_method..];
    target.iter().position(|&b| b == b' ').unwrap_or(target.len())
}
