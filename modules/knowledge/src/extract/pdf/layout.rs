//! Joins lines to paragraphs by their distance, size and indentation.

use super::glyphs::Line;

/// Running heads and feet stand in this share of the page's height, at either end.
const MARGIN: f64 = 0.1;

/// Some lines that belong together.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) text: String,
    /// Height of its letters, in points.
    pub(super) size: f64,
    pub(super) lines: usize,
    /// It stands at the very top or bottom of the page.
    pub(super) at_edge: bool,
}

/// The parts of a page, which goes from one height to another, in points.
pub(super) fn parts(lines: &[Line], bottom: f64, top: f64) -> Vec<Part> {
    let margin = MARGIN * (top - bottom);
    let leading = usual_leading(lines);
    let mut parts: Vec<Part> = Vec::new();
    let mut previous: Option<&Line> = None;
    let mut left = 0.0;
    for line in lines {
        let goes_on = previous.is_some_and(|previous| continues(previous, line, leading, left));
        match parts.last_mut() {
            Some(part) if goes_on => {
                join(&mut part.text, line.text.trim());
                part.lines += 1;
                left = if part.lines == 2 { line.x } else { f64::min(left, line.x) };
            }
            _ => {
                let at_edge = line.y < bottom + margin || line.y > top - margin;
                parts.push(Part { text: line.text.trim().to_owned(), size: line.size, lines: 1, at_edge });
                left = line.x;
            }
        }
        previous = Some(line);
    }
    parts
}

/// The distance between two lines that is usual on the page, in points; 0 when there is none.
fn usual_leading(lines: &[Line]) -> f64 {
    let step = |pair: &[Line]| Some(pair[0].y - pair[1].y).filter(|step| *step > 1.0 && *step < 2.2 * pair[0].size);
    let mut steps: Vec<f64> = lines.windows(2).filter_map(step).collect();
    steps.sort_by(f64::total_cmp);
    // The lower third: between paragraphs there is more room than inside them, never less.
    steps.get(steps.len().saturating_sub(1) / 3).copied().unwrap_or(0.0)
}

fn continues(previous: &Line, line: &Line, leading: f64, left: f64) -> bool {
    let size = previous.size.max(line.size).max(0.1);
    if (previous.size - line.size).abs() > 0.12 * size || previous.turned != line.turned || is_item(&line.text) {
        return false;
    }
    let step = previous.y - line.y;
    if step.abs() < 0.3 * size {
        return true; // the same height, further on: a cell or a tab
    }
    let usual = if leading > 0.0 { leading } else { 1.2 * size };
    if step < 0.0 || step > 1.35 * usual.max(size) {
        return false;
    }
    // An indented first line.
    !(line.x - left > 0.8 * size && line.x - left < 4.0 * size && ends_sentence(&previous.text))
}

fn ends_sentence(text: &str) -> bool {
    text.trim_end().ends_with(['.', '!', '?', ':', '”', '"', ')'])
}

/// Whether a line begins as an item of a list.
pub(super) fn is_item(text: &str) -> bool {
    let mut chars = text.trim_start().chars();
    let marked = chars.next().is_some_and(|c| matches!(c, '•' | '◦' | '▪' | '‣' | '∙' | '–' | '●' | '○' | '■'));
    marked && chars.next().is_none_or(char::is_whitespace)
}

/// Appends a line; a word that was parted with a hyphen is made whole.
fn join(text: &mut String, line: &str) {
    let mut ends = text.chars().rev();
    let parted = ends.next() == Some('-') && ends.next().is_some_and(char::is_lowercase);
    if parted && line.starts_with(char::is_lowercase) {
        text.pop();
    } else {
        text.push(' ');
    }
    text.push_str(line);
}
