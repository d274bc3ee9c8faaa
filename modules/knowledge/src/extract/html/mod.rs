//! HTML, as a stream of tags: no tree is built, so that neither a million nodes nor a great depth costs more than time.
//!
//! What surrounds the content (navigation, tables of contents, scripts, hidden parts) is left out; where the page says
//! which part is the main one, that part alone is kept. Text that a reader of the page can't see must not be found either.

mod noise;
mod walk;

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::error::Unreadable;
use super::writer::{Mark, Writer};
use walk::Walk;

/// A main part with fewer bytes than this says nothing, and the whole page counts.
const SMALLEST_MAIN: usize = 200;

/// A whole page.
pub(super) fn read(text: &str, out: &mut Writer) -> Result<(), Unreadable> {
    let from = out.mark();
    let main = walk(text, true, out)?;
    if out.mark() == from {
        // Nothing but surroundings: then they are the content.
        walk(text, false, out)?;
    } else if let Some((start, end)) = main
        && out.span(start, end) >= SMALLEST_MAIN
    {
        out.keep(start, end);
    }
    Ok(())
}

/// HTML inside another document.
pub(super) fn read_fragment(text: &str, out: &mut Writer) -> Result<(), Unreadable> {
    walk(text, true, out).map(|_| ())
}

/// Where the main part of a page begins and ends.
type Main = Option<(Mark, Mark)>;

fn walk(text: &str, drop_noise: bool, out: &mut Writer) -> Result<Main, Unreadable> {
    let mut walk = Walk::new(out, drop_noise);
    let mut emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| walk.event(&event).err());
    emitter.naively_switch_states(true);
    if let Some(Ok(failure)) = Tokenizer::new_with_emitter(text, emitter).next() {
        return Err(failure);
    }
    Ok(walk.finish())
}
