//! Reads the building blocks of an RDB file: bytes, lengths, strings.
//!
//! Invariants: nothing is allocated for a length before that many bytes (for a compressed string:
//! enough compressed ones) are known to be there; a failed read moves nothing. Absent on purpose:
//! the order of the blocks (see decode.rs).

use super::{RdbError, code, lzf};
use bytes::Bytes;

/// Most bytes a compressed string may unfold to: `proto-max-bulk-len`, above which no server makes one.
const MAX_PLAIN: u64 = 512 * 1024 * 1024;

/// A file and how far it is read.
pub(super) struct Reader<'a> {
    file: &'a [u8],
    at: usize,
}

/// What stands where a length may stand.
enum Length {
    /// That many bytes, keys or whatever is counted.
    Plain(u64),
    /// A string in this encoding: 0, 1, 2 an integer of 8, 16, 32 bits, 3 LZF.
    Encoded(u8),
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a [u8]) -> Self {
        Self { file, at: 0 }
    }

    /// How many bytes are read.
    pub(super) fn position(&self) -> u64 {
        self.at as u64
    }

    /// The bytes already read.
    pub(super) fn consumed(&self) -> &'a [u8] {
        &self.file[..self.at]
    }

    /// How many bytes are left.
    pub(super) fn left(&self) -> u64 {
        (self.file.len() - self.at) as u64
    }

    /// The next `len` bytes, which are `expected`.
    pub(super) fn take(&mut self, len: u64, expected: &'static str) -> Result<&'a [u8], RdbError> {
        let truncated =
            || RdbError::Truncated { at: self.position(), expected, missing: len - self.left() };
        if len > self.left() {
            return Err(truncated());
        }
        // Not above what is left of a slice, so it is a usize.
        let end = self.at + len as usize;
        let bytes = &self.file[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    /// The next N bytes.
    pub(super) fn array<const N: usize>(
        &mut self,
        expected: &'static str,
    ) -> Result<[u8; N], RdbError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64, expected)?);
        Ok(array)
    }

    /// The next byte.
    pub(super) fn byte(&mut self, expected: &'static str) -> Result<u8, RdbError> {
        self.array(expected).map(|[byte]| byte)
    }

    /// A plain length.
    pub(super) fn length(&mut self, expected: &'static str) -> Result<u64, RdbError> {
        let at = self.at;
        match self.any_length(expected)? {
            Length::Plain(len) => Ok(len),
            Length::Encoded(_) => {
                Err(RdbError::InvalidLength { at: at as u64, got: self.file[at] })
            }
        }
    }

    /// A string in any encoding. An integer becomes its decimal text, which is what it was made of.
    pub(super) fn string(&mut self, expected: &'static str) -> Result<Bytes, RdbError> {
        let at = self.position();
        let integer = match self.any_length(expected)? {
            Length::Plain(len) => return Ok(Bytes::copy_from_slice(self.take(len, expected)?)),
            Length::Encoded(0) => i32::from(i8::from_le_bytes(self.array(expected)?)),
            Length::Encoded(1) => i32::from(i16::from_le_bytes(self.array(expected)?)),
            Length::Encoded(2) => i32::from_le_bytes(self.array(expected)?),
            Length::Encoded(3) => return self.compressed(expected),
            Length::Encoded(got) => return Err(RdbError::InvalidEncoding { at, got }),
        };
        Ok(Bytes::from(integer.to_string()))
    }

    /// Compressed length, plain length, compressed bytes.
    fn compressed(&mut self, expected: &'static str) -> Result<Bytes, RdbError> {
        let packed_len = self.length(expected)?;
        let plain_len = self.length(expected)?;
        let at = self.position();
        let packed = self.take(packed_len, expected)?;
        let plain = match plain_len {
            0..=MAX_PLAIN => lzf::decompress(packed, plain_len),
            _ => Err("announces more than a string may have"),
        };
        plain.map(Bytes::from).map_err(|problem| RdbError::InvalidCompression { at, problem })
    }

    /// The two high bits of the first byte say how the rest is to be read: 00 a length of 6 bits,
    /// 01 of 14 bits, 10 of 4 or 8 whole bytes, 11 an encoding. Longer forms are big-endian.
    fn any_length(&mut self, expected: &'static str) -> Result<Length, RdbError> {
        let at = self.position();
        let first = self.byte(expected)?;
        let low = first & 0x3f;
        let len = match (first >> 6, first) {
            (0, _) => u64::from(low),
            (1, _) => u64::from(u16::from_be_bytes([low, self.byte(expected)?])),
            (3, _) => return Ok(Length::Encoded(low)),
            (_, code::LEN_32) => u64::from(u32::from_be_bytes(self.array(expected)?)),
            (_, code::LEN_64) => u64::from_be_bytes(self.array(expected)?),
            _ => return Err(RdbError::InvalidLength { at, got: first }),
        };
        Ok(Length::Plain(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (file, want) in [
            (&b"\x3f"[..], 63),
            (b"\x40\x40", 64),
            (b"\x7f\xff", 16383),
            // Longer forms of small lengths are legal, real servers write them now and then.
            (b"\x80\0\0\0\x05", 5),
            (b"\x80\xff\xff\xff\xff", 0xffff_ffff),
            (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff", u64::MAX),
        ] {
            assert_eq!(Reader::new(file).length("a length"), Ok(want), "{file:?}");
        }
        for got in [0x82, 0xbf, 0xc0, 0xff] {
            let file = [got, 0, 0, 0, 0, 0, 0, 0, 0];
            let want = Err(RdbError::InvalidLength { at: 0, got });
            assert_eq!(Reader::new(&file).length("a length"), want);
        }
    }

    #[test]
    fn strings() {
        for (file, want) in [
            (&b"\x00"[..], ""),
            (b"\x03abc", "abc"),
            (b"\xc0\xff", "-1"),
            (b"\xc1\x7f\xff", "-129"),
            (b"\xc1\x30\x75", "30000"),
            (b"\xc2\x00\x00\x00\x80", "-2147483648"),
            (b"\xc3\x04\x09\x00a\xc0\x00", "aaaaaaaaa"),
        ] {
            assert_eq!(Reader::new(file).string("a string").unwrap(), want, "{file:?}");
        }
    }

    #[test]
    fn hostile_strings_are_refused_before_anything_is_allocated() {
        let truncated = |at, missing| RdbError::Truncated { at, expected: "a value", missing };
        let packed = |at, problem| RdbError::InvalidCompression { at, problem };
        for (file, want) in [
            (&b""[..], truncated(0, 1)),
            (b"\x80\0\0", truncated(1, 2)),
            (b"\x05abc", truncated(1, 2)),
            (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff", truncated(9, u64::MAX)),
            (b"\xc1\x00", truncated(1, 1)),
            (b"\xc4", RdbError::InvalidEncoding { at: 0, got: 4 }),
            (b"\xc3\x05\x09abc", truncated(3, 2)),
            (b"\xc3\xc0\x09abc", RdbError::InvalidLength { at: 1, got: 0xc0 }),
            (b"\xc3\x01\x80\x1f\0\0\0x", packed(7, "announces more bytes than it can hold")),
            (b"\xc3\x01\x80\x20\0\0\x01x", packed(7, "announces more than a string may have")),
        ] {
            assert_eq!(Reader::new(file).string("a value"), Err(want), "{file:?}");
        }
    }
}
