//! Properties of what travels on a link, for any bytes and any chunks (snapshots: wire_snapshots.rs).
//!
//! A failing case prints its seed and its smallest form. Nothing is stored between runs.
#![cfg(not(target_arch = "wasm32"))]

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use psync::wire::*;
use redis_protocol::resp2::decode::decode_bytes;
use redis_protocol::resp2::types::BytesFrame;

/// What a decoder made of some input: what it returned, how that ended, and what is left over.
#[derive(Debug, PartialEq)]
struct Outcome<T, E> {
    items: Vec<T>,
    end: Result<usize, E>,
}

/// Runs one of the decoders over the chunks; `$most` bounds its memory after every chunk.
macro_rules! outcome {
    ($decoder:expr, $chunks:expr, $most:expr) => {{
        let mut decoder = $decoder;
        let (mut items, mut end, mut fed) = (Vec::new(), Ok(()), 0);
        for chunk in $chunks {
            decoder.feed(chunk);
            fed += chunk.len();
            loop {
                match decoder.next() {
                    Ok(Some(item)) => items.push(item),
                    Ok(None) => break,
                    Err(error) => {
                        end = Err(error);
                        break;
                    }
                }
            }
            $most(&decoder, fed);
        }
        (Outcome { items, end: end.map(|()| decoder.buffered()) }, decoder)
    }};
}

fn frames<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome<Frame, RespError> {
    // An argument takes 6 bytes or more of input and 16 of memory; vectors double.
    let most = |d: &CommandDecoder, fed: usize| assert!(d.capacity() <= 10 * fed + 1024);
    outcome!(CommandDecoder::new(), chunks, most).0
}

fn replies<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Outcome<Value, RespError> {
    // An element takes 4 bytes or more of input and 40 of memory; vectors begin with 4 and double.
    let most = |d: &ReplyDecoder, fed: usize| assert!(d.capacity() <= 64 * fed + 1024);
    outcome!(ReplyDecoder::new(), chunks, most).0
}

fn lines<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Outcome<Bytes, RespError>, Bytes) {
    let (outcome, decoder) = outcome!(LineDecoder::new(), chunks, |_: &LineDecoder, _| ());
    (outcome, decoder.into_rest())
}

/// The events without Progress, which may follow the chunks, and all bytes behind the payload.
fn payload<'a>(
    max_bytes: u64,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<PayloadEvent>, Result<(), PayloadError>, Vec<u8>) {
    let most = |d: &PayloadDecoder, fed: usize| assert!(d.capacity() <= 4 * fed + 1024);
    let (outcome, decoder) = outcome!(PayloadDecoder::new(max_bytes), chunks, most);
    let (mut events, mut shown, mut late) = (Vec::new(), 0, Vec::new());
    for event in outcome.items {
        match event {
            PayloadEvent::Progress { received } => {
                assert!(received > shown, "progress goes forward");
                shown = received;
            }
            PayloadEvent::Done { rdb, rest } => {
                assert!(rdb.len() as u64 >= shown, "what was shown belongs to the payload");
                late = rest.to_vec();
                events.push(PayloadEvent::Done { rdb, rest: Bytes::new() });
            }
            event => events.push(event),
        }
    }
    late.extend_from_slice(&decoder.into_rest());
    (events, outcome.end.map(|_| ()), late)
}

/// Cuts `text` into pieces of the given sizes, again and again.
fn cut<'a>(text: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let (mut rest, mut sizes, mut chunks) = (text, sizes.iter().cycle(), Vec::new());
    while !rest.is_empty() {
        let size = sizes.next().map_or(1, |&size| size.clamp(1, rest.len()));
        let (chunk, after) = rest.split_at(size);
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![Just(1usize), 1usize..9, 1usize..200], 1..20)
}

fn text() -> impl Strategy<Value = Bytes> {
    prop_oneof![vec(any::<u8>(), 0..40), vec(Just(b'\r'), 0..4), vec(Just(b'x'), 0..2000)]
        .prop_map(Bytes::from)
}

fn argv() -> impl Strategy<Value = Vec<Bytes>> {
    vec(text(), 1..6)
}

fn line_text() -> impl Strategy<Value = Bytes> {
    "[ -~]{0,30}".prop_map(Bytes::from)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        line_text().prop_map(Value::Simple),
        line_text().prop_map(Value::Error),
        any::<i64>().prop_map(Value::Integer),
        text().prop_map(Value::Bulk),
        Just(Value::NullBulk),
        Just(Value::NullArray),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| vec(inner, 0..6).prop_map(Value::Array))
}

/// Bytes that come near to the protocol: its own words in any order, cut anywhere.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    const WORDS: [&[u8]; 30] = [
        b"*",
        b"$",
        b"+",
        b"-",
        b":",
        b"0",
        b"1",
        b"2",
        b"3",
        b"-1",
        b"\r\n",
        b"\r",
        b"\n",
        b"a",
        b"ab",
        b"\"",
        b"'",
        b"\\x4",
        b" ",
        b"*1\r\n",
        b"*2\r\n",
        b"$1\r\n",
        b"$0\r\n\r\n",
        b"$2\r\nab\r\n",
        b"*1\r\n$1\r\na\r\n",
        b"$-1\r\n",
        b"*1048576\r\n",
        b"$536870912\r\n",
        b"+OK\r\n",
        b":7\r\n",
    ];
    let word = prop_oneof![
        12 => proptest::sample::select(&WORDS[..]).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..6),
        1 => argv().prop_map(|argv| encode_command(&argv).to_vec()),
    ];
    vec(word, 0..25).prop_map(|words| words.concat())
}

/// Bytes that come near to what follows `+FULLRESYNC`.
fn payload_garbage() -> impl Strategy<Value = Vec<u8>> {
    let header = prop_oneof![
        (0u64..60).prop_map(|len| encode_length_header(len).to_vec()),
        Just(encode_eof_header(&[b'm'; 40]).to_vec()),
        Just(b"$9223372036854775807\r\n".to_vec()),
        garbage(),
    ];
    let body = prop_oneof![Just(vec![b'm'; 40]), Just(vec![b'm'; 3]), Just(vec![b'x']), garbage()];
    (0usize..3, header, vec(body, 0..4)).prop_map(|(newlines, header, body)| {
        [vec![b'\n'; newlines], header, body.concat()].concat()
    })
}

/// A reply as the other implementation names it; there is only one null.
fn oracle(value: &Value) -> BytesFrame {
    match value {
        Value::Simple(text) => BytesFrame::SimpleString(text.clone()),
        Value::Error(text) => BytesFrame::Error(String::from_utf8_lossy(text).as_ref().into()),
        Value::Integer(value) => BytesFrame::Integer(*value),
        Value::Bulk(bytes) => BytesFrame::BulkString(bytes.clone()),
        Value::NullBulk | Value::NullArray => BytesFrame::Null,
        Value::Array(items) => BytesFrame::Array(items.iter().map(oracle).collect()),
    }
}

fn encoded(values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    values.iter().for_each(|value| value.encode(&mut out));
    out
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn commands_come_back(commands in vec(argv(), 0..8), sizes in sizes()) {
        let texts: Vec<Bytes> = commands.iter().map(|argv| encode_command(argv)).collect();
        for (argv, text) in commands.iter().zip(&texts) {
            prop_assert_eq!(command_len(argv), text.len() as u64);
        }
        let outcome = frames(cut(&texts.concat(), &sizes));
        let frame = |(argv, raw)| Frame { argv, raw, kind: FrameKind::Array };
        let items = commands.into_iter().zip(texts).map(frame).collect();
        prop_assert_eq!(outcome, Outcome { items, end: Ok(0) });
    }

    #[test]
    fn replies_come_back(values in vec(value(), 0..6), sizes in sizes()) {
        let outcome = replies(cut(&encoded(&values), &sizes));
        prop_assert_eq!(outcome, Outcome { items: values, end: Ok(0) });
    }

    #[test]
    fn inline_words_come_back(argv in argv(), sizes in sizes()) {
        let quote = |arg: &Bytes| {
            let escaped: String = arg.iter().map(|b| format!("\\x{b:02x}")).collect();
            format!("\"{escaped}\"")
        };
        let line = argv.iter().map(quote).collect::<Vec<_>>().join(" ") + "\r\n";
        let outcome = frames(cut(line.as_bytes(), &sizes));
        let raw = Bytes::from(line.clone());
        let items = vec![Frame { argv, raw, kind: FrameKind::Inline }];
        prop_assert_eq!(outcome, Outcome { items, end: Ok(0) });
    }

    #[test]
    fn chunks_never_matter_to_commands(text in garbage(), sizes in sizes()) {
        let whole = frames([&text[..]]);
        let raw: Vec<u8> = whole.items.iter().flat_map(|frame| frame.raw.to_vec()).collect();
        prop_assert_eq!(&raw[..], &text[..raw.len()], "frames are the input");
        match whole.end {
            Ok(waiting) => prop_assert_eq!(raw.len() + waiting, text.len()),
            Err(error) => prop_assert!((raw.len()..text.len()).contains(&(error.at() as usize))),
        }
        prop_assert_eq!(frames(cut(&text, &sizes)), whole);
    }

    #[test]
    fn chunks_never_matter_to_replies(text in garbage(), sizes in sizes()) {
        prop_assert_eq!(replies(cut(&text, &sizes)), replies([&text[..]]));
    }

    #[test]
    fn chunks_never_matter_to_lines(text in garbage(), sizes in sizes()) {
        prop_assert_eq!(lines(cut(&text, &sizes)), lines([&text[..]]));
    }

    #[test]
    fn chunks_never_matter_to_payloads(
        text in payload_garbage(),
        max_bytes in prop_oneof![0u64..100, Just(u64::MAX)],
        sizes in sizes(),
    ) {
        let whole = payload(max_bytes, [&text[..]]);
        prop_assert_eq!(payload(max_bytes, cut(&text, &sizes)), whole);
    }

    #[test]
    fn payloads_come_back(
        keepalives in 0usize..4,
        rdb in text(),
        mark in proptest::option::of("[0-9a-f]{40}"),
        rest in text(),
        sizes in sizes(),
    ) {
        let mark: Option<[u8; 40]> = mark.map(|mark| mark.as_bytes().try_into().unwrap());
        let (header, form) = match &mark {
            Some(mark) => (encode_eof_header(mark), PayloadForm::Eof),
            None => {
                let len = rdb.len() as u64;
                (encode_length_header(len), PayloadForm::Length(len))
            }
        };
        let tail = mark.as_ref().map_or(&[][..], |mark| mark);
        let text = [&vec![b'\n'; keepalives], &header[..], &rdb, tail, &rest].concat();
        let mut want = vec![PayloadEvent::Keepalive; keepalives];
        want.push(PayloadEvent::Started { form });
        want.push(PayloadEvent::Done { rdb: rdb.clone(), rest: Bytes::new() });
        let got = payload(rdb.len() as u64, cut(&text, &sizes));
        prop_assert_eq!(got, (want, Ok(()), rest.to_vec()));
    }

    #[test]
    fn another_implementation_agrees_on_replies(value in value(), command in argv()) {
        let text = Bytes::from(encoded(std::slice::from_ref(&value)));
        prop_assert_eq!(decode_bytes(&text).unwrap(), Some((oracle(&value), text.len())));
        let text = encode_command(&command);
        let bulks = Value::Array(command.into_iter().map(Value::Bulk).collect());
        prop_assert_eq!(decode_bytes(&text).unwrap(), Some((oracle(&bulks), text.len())));
    }

    #[test]
    fn another_implementation_accepts_what_is_accepted(text in garbage()) {
        // It wants UTF-8 in error lines, which the protocol does not.
        let text: Vec<u8> = text.into_iter().filter(u8::is_ascii).collect();
        let outcome = replies([&text[..]]);
        let mut rest = Bytes::from(text);
        for value in &outcome.items {
            let (theirs, used) = decode_bytes(&rest).unwrap().unwrap();
            prop_assert_eq!(theirs, oracle(value));
            rest = rest.slice(used..);
        }
    }
}

/// Every announcement of much, followed by little: memory stays small.
#[test]
fn announced_sizes_are_not_allocated() {
    for text in [
        "$536870912\r\nabc",
        "*1048576\r\n",
        "*1\r\n$536870912\r\nabc",
        "*1048576\r\n$536870912\r\nabc",
    ] {
        let mut commands = CommandDecoder::new();
        commands.feed(text.as_bytes());
        let _ = commands.next();
        assert!(commands.capacity() < 1024, "{text:?}");
        let mut replies = ReplyDecoder::new();
        replies.feed(text.as_bytes());
        let _ = replies.next();
        assert!(replies.capacity() < 4096, "{text:?}");
    }
    let mut payload = PayloadDecoder::new(u64::MAX);
    payload.feed(b"$9223372036854775807\r\nabc");
    while let Ok(Some(_)) = payload.next() {}
    assert!(payload.capacity() < 1024);
}

/// A value of 10 MB in pieces of a network packet: read once, and not kept a second time.
#[test]
fn a_large_value_is_handed_over() {
    let text = encode_command(&[&b"SET"[..], b"k", &vec![b'v'; 10 << 20]]);
    let mut decoder = CommandDecoder::new();
    for chunk in text.chunks(1460) {
        assert_eq!(decoder.next(), Ok(None));
        decoder.feed(chunk);
    }
    let frame = decoder.next().unwrap().unwrap();
    assert_eq!((frame.raw, decoder.buffered()), (text, 0));
    assert!(decoder.capacity() < 1024);
}

/// Lines around the limit, in one piece and in many: the same answer, also with more behind them.
#[test]
fn chunks_never_matter_at_the_line_limit() {
    for head in ["*", "*1\r\n$", "x", "$EOF:", "+", "\n"] {
        for len in MAX_LINE - 2..MAX_LINE + 3 {
            for end in ["", "\r", "\r\n", "\n", "\r\nPING\r\n"] {
                let text = format!("{head}{}{end}", "7".repeat(len)).into_bytes();
                let pieces = || cut(&text, &[MAX_LINE - 3, 1]);
                assert_eq!(frames(pieces()), frames([&text[..]]), "{head} {len} {end:?}");
                assert_eq!(replies(pieces()), replies([&text[..]]), "{head} {len} {end:?}");
                assert_eq!(lines(pieces()), lines([&text[..]]), "{head} {len} {end:?}");
                assert_eq!(payload(9, pieces()), payload(9, [&text[..]]), "{head} {len} {end:?}");
            }
        }
    }
}
