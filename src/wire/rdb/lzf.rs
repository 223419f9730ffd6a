//! LZF: the compression of long strings in files of real servers.
//!
//! Invariant: the result is never larger than announced, and an announced size is believed only if
//! so few bytes can make it. Absent on purpose: compressing. The crate `lzf` is deprecated.

/// Most bytes that one byte of LZF can stand for: a reference of 3 bytes copies at most
/// 7 + 255 + 2 = 264, and 264 / 3 = 88. A literal run or a short reference makes less of a byte.
const MAX_RATIO: u64 = 88;

/// The plain bytes of `input`, or what is wrong with it.
pub(super) fn decompress(mut input: &[u8], plain_len: u64) -> Result<Vec<u8>, &'static str> {
    if plain_len > MAX_RATIO * input.len() as u64 {
        return Err("announces more bytes than it can hold");
    }
    let plain_len = usize::try_from(plain_len).map_err(|_| "is too large for this machine")?;
    let mut plain = Vec::with_capacity(plain_len);
    while let Some((&control, rest)) = input.split_first() {
        input = match control {
            0..32 => literal(usize::from(control) + 1, rest, &mut plain),
            _ => reference(control, rest, &mut plain, plain_len),
        }?;
        if plain.len() > plain_len {
            return Err("holds more bytes than announced");
        }
    }
    if plain.len() < plain_len { Err("holds fewer bytes than announced") } else { Ok(plain) }
}

/// Appends the next `len` bytes themselves; gives what follows them.
fn literal<'a>(len: usize, rest: &'a [u8], plain: &mut Vec<u8>) -> Result<&'a [u8], &'static str> {
    let (bytes, rest) = rest.split_at_checked(len).ok_or("ends inside a literal run")?;
    plain.extend_from_slice(bytes);
    Ok(rest)
}

/// Appends bytes that already stand in `plain`: 3 bits of length, 13 bits of distance.
fn reference<'a>(
    control: u8,
    rest: &'a [u8],
    plain: &mut Vec<u8>,
    plain_len: usize,
) -> Result<&'a [u8], &'static str> {
    let (len, low, rest) = match (control >> 5, rest) {
        (7, [more, low, rest @ ..]) => (7 + usize::from(*more), low, rest),
        (short @ 1..7, [low, rest @ ..]) => (usize::from(short), low, rest),
        _ => return Err("ends inside a reference"),
    };
    let len = len + 2;
    let distance = (usize::from(control & 0x1f) << 8 | usize::from(*low)) + 1;
    let start = plain.len().checked_sub(distance).ok_or("refers to bytes before its start")?;
    if plain.len() + len > plain_len {
        return Err("holds more bytes than announced");
    }
    // Byte by byte, because a reference may overlap what it makes: distance 1 repeats the last byte.
    for at in start..start + len {
        plain.push(plain[at]);
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_references() {
        for (input, want) in [
            (&b""[..], &b""[..]),
            (b"\x02abc", b"abc"),
            // Short: length 1 + 2 = 3, distance 2 + 1 = 3.
            (b"\x02abc\x20\x02", b"abcabc"),
            // Overlapping: length 6 + 2 = 8 at distance 1.
            (b"\x00a\xc0\x00", b"aaaaaaaaa"),
            // Long: length 7 + 1 + 2 = 10 at distance 2.
            (b"\x01ab\xe0\x01\x01", b"abababababab"),
        ] {
            assert_eq!(decompress(input, want.len() as u64).as_deref(), Ok(want));
        }
    }

    #[test]
    fn the_best_compression_is_accepted_and_nothing_beyond() {
        // One literal, then references of 264 bytes: 2 + 3 * 200 = 602 bytes hold 1 + 264 * 200 =
        // 52801, which is 87.7 for each.
        let input = [&b"\x00a"[..], &b"\xe0\xff\x00".repeat(200)].concat();
        assert_eq!(decompress(&input, 52801), Ok(vec![b'a'; 52801]));
        let too_much = Err("announces more bytes than it can hold");
        assert_eq!(decompress(&input, 602 * 88 + 1), too_much);
        assert_eq!(decompress(&input, u64::MAX), too_much);
        assert_eq!(decompress(b"", 1), too_much);
    }

    #[test]
    fn broken_input_is_named() {
        for (input, len, want) in [
            (&b"\x02ab"[..], 3, "ends inside a literal run"),
            (b"\x00a\x20", 4, "ends inside a reference"),
            (b"\x00a\xe0\x01", 11, "ends inside a reference"),
            (b"\x20\x00", 3, "refers to bytes before its start"),
            (b"\x00a\x20\x01", 4, "refers to bytes before its start"),
            (b"\x02abc", 2, "holds more bytes than announced"),
            (b"\x00a\xc0\x00", 8, "holds more bytes than announced"),
            (b"\x02abc", 4, "holds fewer bytes than announced"),
        ] {
            assert_eq!(decompress(input, len), Err(want), "{input:?}");
        }
    }
}
