//! What must hold for every text, and how the structure of some shows.

use proptest::prelude::*;

use super::{ChunkConfig, Passage, chunk};
use crate::extract::{Block, BlockKind, Extracted};

fn small() -> ChunkConfig {
    ChunkConfig { target_chars: 60, max_chars: 80, min_chars: 12, overlap_chars: 20 }
}

/// A document out of blocks.
fn document(blocks: &[(BlockKind, &str)]) -> Extracted {
    let mut extracted = Extracted::default();
    for (kind, body) in blocks {
        if !extracted.text.is_empty() {
            extracted.text.push_str("\n\n");
        }
        let start = extracted.text.len();
        extracted.text.push_str(body);
        extracted.blocks.push(Block { kind: *kind, range: start..extracted.text.len(), page: None });
    }
    extracted
}

fn texts<'t>(extracted: &'t Extracted, passages: &[Passage]) -> Vec<&'t str> {
    passages.iter().map(|passage| &extracted.text[passage.start..passage.end]).collect()
}

fn kinds() -> impl Strategy<Value = BlockKind> {
    prop_oneof![
        (1_u8..=6).prop_map(BlockKind::Heading),
        Just(BlockKind::Paragraph),
        Just(BlockKind::ListItem),
        Just(BlockKind::Term),
        Just(BlockKind::Code),
        Just(BlockKind::Table),
        Just(BlockKind::Row),
    ]
}

fn bodies() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,400}",
        "([a-zé]{1,9}[ ,]){0,60}[a-z]{1,8}[.!?]( [A-Z][a-z]{1,6}( [a-z]{1,8}){0,12}\\.){0,12}",
        "([a-z(){}= ]{0,50}\n){0,20}",
        "[🇦🇧👩\u{200d}🔬e\u{301}\u{20d0}]{0,300}",
        "[ \t\n\u{a0}\u{3000}]{0,200}x",
        "[a-z]{200,400}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_text_is_covered_by_short_passages_in_order(
        blocks in prop::collection::vec((kinds(), bodies(), "[ \n]{0,40}|loose text"), 0..14),
        target in 8_usize..120,
        more in 0_usize..60,
        min in 0_usize..60,
        overlap in 0_usize..60,
    ) {
        let mut extracted = Extracted::default();
        for (kind, body, between) in &blocks {
            extracted.text.push_str(between);
            let start = extracted.text.len();
            extracted.text.push_str(body);
            extracted.blocks.push(Block { kind: *kind, range: start..extracted.text.len(), page: None });
        }
        let config =
            ChunkConfig { target_chars: target, max_chars: target + more, min_chars: min, overlap_chars: overlap };
        let max = config.max_chars.max(16);

        let passages = chunk(&extracted, &config);

        let text = &extracted.text;
        let mut covered = 0;
        let mut before: Option<&Passage> = None;
        for passage in &passages {
            let body = text.get(passage.start..passage.end).expect("on the borders of characters");
            prop_assert!(!body.is_empty() && body.trim() == body);
            prop_assert!(body.chars().count() <= max, "{} > {max}", body.chars().count());
            if let Some(before) = before {
                prop_assert!(passage.start > before.start && passage.end > before.end);
                if passage.start < before.end {
                    prop_assert!(text[passage.start..before.end].chars().count() <= config.overlap_chars.max(1));
                }
            }
            if passage.start > covered {
                prop_assert!(text[covered..passage.start].trim().is_empty(), "lost {:?}", &text[covered..passage.start]);
            }
            covered = passage.end;
            before = Some(passage);
        }
        prop_assert!(text[covered..].trim().is_empty());
        prop_assert_eq!(passages, chunk(&extracted, &config));
    }

    #[test]
    fn lines_of_code_that_fit_are_never_cut(lines in prop::collection::vec("[a-z]{1,30}( [a-z]{1,10}){0,3}", 1..60)) {
        let extracted = document(&[(BlockKind::Code, &lines.join("\n"))]);

        for passage in chunk(&extracted, &small()) {
            prop_assert!(passage.start == 0 || extracted.text[..passage.start].ends_with('\n'));
            prop_assert!(passage.end == extracted.text.len() || extracted.text[passage.end..].starts_with('\n'));
        }
    }

    #[test]
    fn any_blocks_even_unsound_ones_are_survived(
        text in "\\PC{0,200}",
        blocks in prop::collection::vec((kinds(), 0_usize..300, 0_usize..300), 0..8),
    ) {
        let blocks = blocks.into_iter().map(|(kind, start, end)| Block { kind, range: start..end, page: Some(1) });
        let extracted = Extracted { text, title: None, blocks: blocks.collect() };

        chunk(&extracted, &small());
    }
}

#[test]
fn a_passage_knows_its_headings_and_begins_with_its_own() {
    let body = "Words of this section, which are enough for a passage of their own.";
    let extracted = document(&[
        (BlockKind::Heading(1), "Manual"),
        (BlockKind::Heading(2), "Install"),
        (BlockKind::Paragraph, body),
        (BlockKind::Heading(2), "Run"),
        (BlockKind::Paragraph, body),
    ]);

    let passages = chunk(&extracted, &ChunkConfig { target_chars: 120, max_chars: 130, ..small() });

    let paths: Vec<_> = passages.iter().map(|passage| passage.heading.as_deref()).collect();
    assert_eq!(paths, [Some("Manual › Install"), Some("Manual › Run")]);
    let texts = texts(&extracted, &passages);
    assert!(texts[0].starts_with("Manual\n\nInstall\n\nWords") && texts[1].starts_with("Run\n\nWords"), "{texts:?}");
}

#[test]
fn a_long_paragraph_is_cut_between_sentences_and_neighbours_share_one() {
    let extracted = document(&[(
        BlockKind::Paragraph,
        "The first sentence is here, says Dr. Smith. Short one. The third sentence is a little longer than that. \
         A fourth. The fifth sentence ends the paragraph, at last.",
    )]);

    let passages = chunk(&extracted, &small());

    assert_eq!(
        texts(&extracted, &passages),
        [
            "The first sentence is here, says Dr. Smith. Short one.",
            "Short one. The third sentence is a little longer than that.",
            "A fourth. The fifth sentence ends the paragraph, at last.",
        ]
    );
}

#[test]
fn short_sections_share_a_passage_under_what_they_have_in_common() {
    let extracted = document(&[
        (BlockKind::Heading(1), "A"),
        (BlockKind::Heading(2), "B"),
        (BlockKind::Heading(3), "C"),
        (BlockKind::Paragraph, "One."),
        (BlockKind::Heading(3), "D"),
        (BlockKind::Paragraph, "Two."),
    ]);

    let passages = chunk(&extracted, &ChunkConfig { min_chars: 30, ..small() });

    assert_eq!(passages.len(), 1);
    assert_eq!(passages[0].heading.as_deref(), Some("A › B"));
}

#[test]
fn a_heading_or_term_is_never_left_at_the_end() {
    let words = "word ".repeat(11);
    let extracted = document(&[
        (BlockKind::Paragraph, words.trim()),
        (BlockKind::Term, "term"),
        (BlockKind::Paragraph, words.trim()),
    ]);

    let passages = chunk(&extracted, &small());

    assert!(texts(&extracted, &passages)[1].starts_with("term"), "{:?}", texts(&extracted, &passages));
}

#[test]
fn hard_wrapped_lines_are_no_sentences() {
    let extracted = document(&[(
        BlockKind::Paragraph,
        "A sentence that was\nwrapped by hand at twenty\ncharacters. And another\none that was wrapped, too.",
    )]);

    let passages = chunk(&extracted, &small());

    assert!(texts(&extracted, &passages)[0].ends_with("characters."), "{:?}", texts(&extracted, &passages));
}

#[test]
fn a_page_of_a_passage_is_that_of_its_first_own_words() {
    let mut extracted = document(&[(BlockKind::Paragraph, "First page."), (BlockKind::Paragraph, "Second page.")]);
    extracted.blocks[0].page = Some(1);
    extracted.blocks[1].page = Some(2);

    let passages = chunk(&extracted, &ChunkConfig { target_chars: 16, max_chars: 16, ..small() });

    assert_eq!(passages.iter().map(|passage| passage.page).collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[test]
fn the_title_stands_above_the_headings_that_do_not_say_it() {
    let body = "Words of this section, which are enough for a passage of their own.";
    let mut extracted = document(&[
        (BlockKind::Heading(2), "SELECT"),
        (BlockKind::Paragraph, body),
        (BlockKind::Heading(2), "Synopsis"),
        (BlockKind::Paragraph, body),
    ]);
    extracted.title = Some("SELECT".to_owned());

    let passages = chunk(&extracted, &ChunkConfig { target_chars: 90, max_chars: 100, ..small() });

    let paths: Vec<_> = passages.iter().map(|passage| passage.heading.as_deref()).collect();
    assert_eq!(paths, [Some("SELECT"), Some("SELECT › Synopsis")]);
}
