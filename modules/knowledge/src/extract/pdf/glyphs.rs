//! Catches the glyphs that a page draws and joins them to lines.

use hayro_cmap::BfString;
use hayro_interpret::font::{Glyph, GlyphRun};
use hayro_interpret::kurbo::{Affine, BezPath, Point, Vec2};
use hayro_interpret::{BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask};

/// A glyph's width where its font doesn't say, in thousandths of its size.
const WIDTH: f64 = 500.0;

/// Text along one baseline.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pub(super) text: String,
    /// Where it begins, in points.
    pub(super) x: f64,
    /// Height of the baseline, in points from the bottom.
    pub(super) y: f64,
    /// Height of most of its letters, in points.
    pub(super) size: f64,
    /// The direction is not left to right.
    pub(super) turned: bool,
}

/// One page being drawn.
pub(super) struct Page {
    lines: Vec<Line>,
    line: Line,
    /// Where the last glyph ended, and which way it ran.
    pen: Option<(Point, Vec2)>,
    /// Where the last run that was not a stroke began.
    last_run: Option<Point>,
    bytes_left: u64,
    full: bool,
}

impl Page {
    pub(super) fn new(bytes_left: u64) -> Self {
        Self { lines: Vec::new(), line: Line::default(), pen: None, last_run: None, bytes_left, full: false }
    }

    /// The lines in the order of drawing; `None` when the text passed its limit.
    pub(super) fn lines(mut self) -> Option<Vec<Line>> {
        self.close_line();
        (!self.full).then_some(self.lines)
    }

    fn close_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if !line.text.trim().is_empty() {
            self.lines.push(line);
        }
    }

    fn glyph(&mut self, transform: Affine, advance: f64, text: &str) {
        let origin = transform * Point::ZERO;
        let run = transform * Point::new(advance, 0.0) - origin;
        let size = (transform * Point::new(0.0, 1000.0) - origin).hypot();
        if !(origin.is_finite() && run.is_finite() && size.is_finite()) {
            return;
        }
        let direction = if run.hypot() > 1e-6 { run / run.hypot() } else { Vec2::new(1.0, 0.0) };
        let is_blank = text.trim().is_empty();
        if let Some((end, along)) = self.pen {
            let step = origin - end;
            let (forward, aside) = (step.dot(along), step.cross(along).abs());
            let size = size.max(self.line.size).max(0.1);
            // A raised or lowered index stays in its line; going back is a new one, but kerning goes back a little.
            if aside > 0.6 * size || forward < -0.8 * size || along.dot(direction) < 0.9 {
                self.close_line();
            } else if forward > 0.17 * size && !is_blank && !self.line.text.ends_with(' ') {
                self.line.text.push(' ');
            }
        }
        if self.line.text.is_empty() {
            if is_blank {
                return;
            }
            self.line = Line { x: origin.x, y: origin.y, size, turned: direction.x < 0.9, ..Line::default() };
        }
        if self.line.text.len() < 8 {
            self.line.size = self.line.size.max(size);
        }
        self.pen = Some((origin + run, direction));
        if self.bytes_left < text.len() as u64 {
            self.full = true;
            return;
        }
        self.bytes_left -= text.len() as u64;
        self.line.text.push_str(text);
    }
}

impl Device<'_> for Page {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, mode: &DrawMode) {
        if self.full {
            return;
        }
        let start = run.glyphs().first().map(|glyph| props.transform * glyph.transform() * Point::ZERO);
        // Letters with an outline are drawn twice: filled and stroked.
        if matches!(mode, DrawMode::Stroke(_)) && start == self.last_run {
            return;
        }
        self.last_run = start;
        for glyph in run.glyphs() {
            let advance = match &**glyph {
                Glyph::Outline(outline) => outline.advance_width(),
                Glyph::Type3(type3) => type3.advance_width(),
            };
            let transform = props.transform * glyph.transform();
            let advance = advance.map_or(WIDTH, f64::from);
            match glyph.as_unicode() {
                Some(BfString::Char(c)) => {
                    self.glyph(transform, advance, unfold(c).unwrap_or(c.encode_utf8(&mut [0; 4])));
                }
                Some(BfString::String(text)) => self.glyph(transform, advance, &text),
                None => {}
            }
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {}
    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

/// The letters of a ligature, so that words with one are found.
fn unfold(c: char) -> Option<&'static str> {
    Some(match c {
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' | 'ﬆ' => "st",
        '\0' => " ",
        _ => return None,
    })
}
