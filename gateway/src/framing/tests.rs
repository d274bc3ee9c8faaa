//! The judge without a socket: what passes, what doesn't, and that it never matters how the bytes were cut.

use proptest::{collection::vec, prelude::*};

use super::{Fault, Framer, HeadLimits, Stage};
use crate::refusal::Refusal;

const LIMITS: HeadLimits = HeadLimits { bytes: 2048, headers: 20, target: 200 };

/// What a reader behind the framer would see.
#[derive(Debug, PartialEq)]
struct Seen {
    bytes: Vec<u8>,
    heads: u64,
    /// Whether a head (`true`) or a body (`false`) was refused.
    fault: Option<bool>,
}

fn read(input: &[u8], cuts: &[usize]) -> Seen {
    let mut framer = Framer::new(LIMITS);
    let (mut window, mut bytes, mut fault) = (Vec::new(), Vec::new(), None);
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut % (input.len() + 1)).collect();
    ends.push(input.len());
    ends.sort_unstable();
    let mut start = 0;
    for end in ends {
        window.extend_from_slice(&input[start..end]);
        start = end;
        let (passed, found) = framer.inspect(&window);
        bytes.extend(window.drain(..passed));
        if let Some(found) = found {
            fault = Some(matches!(found, Fault::Head(_)));
            break;
        }
    }
    Seen { bytes, heads: framer.heads(), fault }
}

fn refusal(input: &[u8]) -> Option<Fault> {
    Framer::new(LIMITS).inspect(input).1
}

#[test]
fn several_messages_pass_and_the_next_open_head_is_withheld() {
    let messages = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
        POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n\
        \r\nGET /c HTTP/1.0\r\n\r\n";
    let input = [messages.as_slice(), b"GET /d HTTP/1.1\r\nHos"].concat();
    let mut framer = Framer::new(LIMITS);

    let (passed, fault) = framer.inspect(&input);

    assert_eq!((passed, fault), (messages.len(), None));
    assert_eq!((framer.heads(), framer.stage()), (3, Stage::Head));
}

#[test]
fn bytes_behind_an_upgrade_wait_for_its_answer() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: x\r\n\r\n".as_slice();
    let after = b"GET /smuggled HTTP/1.1\r\n\r\n";
    let input = [head, after].concat();

    for accepted in [true, false] {
        let mut framer = Framer::new(LIMITS);
        assert_eq!(framer.inspect(&input), (head.len(), None));
        framer.upgrade_decided(accepted);
        let (passed, fault) = framer.inspect(after);
        let expected = if accepted { (after.len(), None) } else { (0, Some(Fault::Head(Refusal::HostMissing))) };
        assert_eq!((passed, fault), expected, "accepted: {accepted}");
    }
}

#[test]
fn broken_chunks_end_the_body() {
    let head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice();
    let long = format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(300));
    let many = "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\na\r\n".repeat(200);
    for body in [
        "x\r\n",
        "-3\r\nabc\r\n",
        "0x3\r\nabc\r\n",
        "3 \r\nabc\r\n",
        "3\nabc\r\n0\r\n\r\n",
        "3\r\nabcd\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "ffffffffffffffff\r\n",
        "00000000000000003\r\n",
        "3;a\rb\r\nabc\r\n",
        "3;a\nb\r\nabc\r\n",
        "0\r\nContent-Length: 3\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\nX: y\n\r\n",
        "0\r\n folded\r\n\r\n",
        &long,
        &many,
    ] {
        assert_eq!(refusal(&[head, body.as_bytes()].concat()), Some(Fault::Body), "{body:?}");
    }
}

#[test]
fn what_can_be_refused_early_is() {
    let open_target = format!("GET /{}", "a".repeat(300));
    let open_head_after_it = format!("GET /{}\r\nHost: a\r\n", "a".repeat(300));
    let open_head = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(3000));

    assert_eq!(refusal(open_target.as_bytes()), Some(Fault::Head(Refusal::TargetTooLong)));
    assert_eq!(refusal(open_head_after_it.as_bytes()), Some(Fault::Head(Refusal::TargetTooLong)));
    assert_eq!(refusal(open_head.as_bytes()), Some(Fault::Head(Refusal::HeadTooLarge)));
    assert_eq!(refusal(b"GET / HTTP/1.1\nHost"), Some(Fault::Head(Refusal::LineEnding)));
    assert_eq!(refusal(b"\r\n\r\n\r\n\r\n\r\n"), Some(Fault::Head(Refusal::RequestLine)));
}

/// Fragments that make up good and bad streams alike.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "5\r\nhello\r\n",
        "5;ext=\"1\"\r\nhello\r\n",
        "0\r\n\r\n",
        "0\r\nX-Sum: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "Content-Length: 5\r\n\r\n",
        "\r\n",
        "\n",
        "\r",
        " folded\r\n",
        "hello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ]);
    prop_oneof![
        8 => known.prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 1..8),
        1 => (1..3000_usize).prop_map(|length| vec![b'a'; length]),
    ]
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn the_verdict_does_not_depend_on_how_the_stream_is_cut(
        fragments in vec(fragment(), 1..8),
        cuts in vec(any::<usize>(), 0..40),
    ) {
        let input = fragments.concat();

        prop_assert_eq!(read(&input, &[]), read(&input, &cuts));
    }
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn byte_by_byte_gives_the_same_verdict(fragments in vec(fragment(), 1..4)) {
        let input = fragments.concat();
        let every: Vec<usize> = (0..input.len()).collect();

        prop_assert_eq!(read(&input, &[]), read(&input, &every));
    }
}
