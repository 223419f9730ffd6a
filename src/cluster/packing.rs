//! A zlib stream of a text, as small as one block of deflate's fixed codes makes it.
//!
//! A crate's compressor brings 6 kB into a page that has 350 for everything. For a link with a few
//! actions it would win little, for one with hundreds a third of its length. Unpacking is left to
//! the crate, which reads what others made too, and with which the tests compare.
//!
//! Absent on purpose: codes of its own for each text, lazy matching, more than one block.

/// How far back a match may lie, and how long it may be: deflate's own bounds.
const WINDOW: usize = 32_768;
const SHORTEST: usize = 3;
const LONGEST: usize = 258;
/// How many earlier places are looked at for each.
const LOOKS: usize = 128;
const HASH_BITS: u32 = 13;

/// Packs `text`. What unpacks it checks its sum: a stream that lost a letter is noticed.
#[must_use]
pub fn pack(text: &[u8]) -> Vec<u8> {
    // 32 kB of window, deflate; the second byte makes the two a multiple of 31.
    let mut bits = Bits { bytes: vec![0x78, 0xda], pending: 0, count: 0 };
    // The last block, with fixed codes.
    bits.put(0b011, 3);
    let mut places = Places::new(text);
    let mut at = 0;
    while at < text.len() {
        let (len, distance) = places.longest(at);
        if len < SHORTEST {
            bits.symbol(u32::from(text[at]));
            places.remember(at);
            at += 1;
            continue;
        }
        bits.length(len as u32);
        bits.distance(distance as u32);
        for at in at..at + len {
            places.remember(at);
        }
        at += len;
    }
    bits.symbol(256);
    bits.put(0, 7);
    bits.bytes.extend(sum(text).to_be_bytes());
    bits.bytes
}

/// Adler-32.
fn sum(text: &[u8]) -> u32 {
    let (a, b) = text.iter().fold((1, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

/// Where the same three bytes stood before.
struct Places<'a> {
    text: &'a [u8],
    /// The latest place of each hash, and for each place the one before; 0 is none, 1 the first.
    latest: Vec<u32>,
    before: Vec<u32>,
}

impl Places<'_> {
    fn new(text: &[u8]) -> Places<'_> {
        Places { text, latest: vec![0; 1 << HASH_BITS], before: vec![0; text.len()] }
    }

    fn hash(&self, at: usize) -> Option<usize> {
        let three = self.text.get(at..at + SHORTEST)?;
        let n = three.iter().fold(0, |n, byte| n << 8 | u32::from(*byte));
        Some((n.wrapping_mul(0x9e37_79b1) >> (32 - HASH_BITS)) as usize)
    }

    fn remember(&mut self, at: usize) {
        if let Some(hash) = self.hash(at) {
            self.before[at] = self.latest[hash];
            self.latest[hash] = at as u32 + 1;
        }
    }

    /// Length and distance of the longest match for what stands at `at`; 0 when there is none.
    fn longest(&self, at: usize) -> (usize, usize) {
        let mut best = (0, 0);
        let mut next = self.hash(at).map_or(0, |hash| self.latest[hash]);
        for _ in 0..LOOKS {
            let Some(place) = (next as usize).checked_sub(1).filter(|place| at - place <= WINDOW)
            else {
                break;
            };
            let same = self.text[place..].iter().zip(&self.text[at..]).take(LONGEST);
            let len = same.take_while(|(old, new)| old == new).count();
            if len > best.0 {
                best = (len, at - place);
            }
            next = self.before[place];
        }
        best
    }
}

/// Bits in deflate's order: the first is the lowest of its byte.
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, bits: u32, count: u32) {
        self.pending |= bits << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    /// A code, whose first bit is its highest.
    fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    /// A literal, the end (256), or what stands for a length (RFC 1951, 3.2.6).
    fn symbol(&mut self, symbol: u32) {
        match symbol {
            0..144 => self.code(0x30 + symbol, 8),
            144..256 => self.code(0x190 + symbol - 144, 9),
            256..280 => self.code(symbol - 256, 7),
            _ => self.code(0xc0 + symbol - 280, 8),
        }
    }

    /// Lengths 3 to 10 have a symbol each; from there on four symbols share each doubling, and the
    /// bits below follow. 11 and 12 are 265 with one bit. 258 has a symbol of its own.
    fn length(&mut self, len: u32) {
        let n = len - 3;
        match n {
            0..8 => self.symbol(257 + n),
            255 => self.symbol(285),
            _ => {
                let extra = n.ilog2() - 2;
                self.symbol(257 + 4 * extra + (n >> extra));
                self.put(n & ((1 << extra) - 1), extra);
            }
        }
    }

    /// The same with two codes for each doubling: 5 and 6 are code 4 with one bit.
    fn distance(&mut self, distance: u32) {
        let n = distance - 1;
        if n < 4 {
            return self.code(n, 5);
        }
        let extra = n.ilog2() - 1;
        self.code(2 * extra + (n >> extra), 5);
        self.put(n & ((1 << extra) - 1), extra);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use miniz_oxide::inflate::decompress_to_vec_zlib;

    #[track_caller]
    fn check(text: &[u8]) -> usize {
        let packed = pack(text);
        assert_eq!(decompress_to_vec_zlib(&packed).ok().as_deref(), Some(text), "{text:?}");
        packed.len()
    }

    #[test]
    fn what_was_packed_unpacks() {
        // Every short text of two letters, every length of a match, every byte.
        for len in 0..12 {
            for n in 0..1_u32 << len {
                check(&(0..len).map(|bit| b'a' + (n >> bit & 1) as u8).collect::<Vec<_>>());
            }
        }
        for len in 0..600 {
            check(&vec![b'x'; len]);
        }
        let all: Vec<u8> = (0..=255).collect();
        check(&all);
        // Every distance up to beyond the window, with noise in between.
        let mut n = 1_u32;
        let noise: Vec<u8> = (0..70_000)
            .map(|_| {
                n = n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (n >> 24) as u8
            })
            .collect();
        check(&noise);
        for distance in [4, 5, 255, 256, 257, 32_767, 32_768, 32_769, 40_000] {
            check(&[&noise[..distance], &noise[..300]].concat());
        }
    }

    #[test]
    fn a_text_like_that_of_a_link_is_hardly_longer_than_by_the_crate() {
        let action = |n: u64| {
            format!(
                "{{\"at_us\":{},\"do\":\"cut\",\"replica\":\"replica-{}\"}},",
                n * 7_919_113,
                n % 3
            )
        };
        for actions in [0, 1, 10, 100, 1000] {
            let text: String = (0..actions).map(action).collect();
            let text = format!("{{\"preset\":\"too-long\",\"seed\":77,\"actions\":[{text}]}}");
            let crates = compress_to_vec_zlib(text.as_bytes(), 9).len();
            let ours = check(text.as_bytes());
            let more = if actions <= 10 { crates / 4 } else { crates / 2 };
            assert!(ours <= crates + more, "{actions} actions: {ours} against {crates}");
        }
    }
}
