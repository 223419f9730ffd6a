//! What the parts of the format that are refused are called.
//!
//! Absent on purpose: anything about their content. Codes are those of Redis 7.4 and Valkey 9 rdb.h.

/// What a value type holds: `list`, `hash (listpack)`.
pub(super) fn value_type(code: u8) -> Option<&'static str> {
    let name = match code {
        0 => "string",
        1 => "list",
        2 => "set",
        3 => "sorted set",
        4 => "hash",
        5 => "sorted set (binary scores)",
        6 => "module value (pre-release)",
        7 => "module value",
        9 => "hash (zipmap)",
        10 => "list (ziplist)",
        11 => "set (intset)",
        12 => "sorted set (ziplist)",
        13 => "hash (ziplist)",
        14 => "list (quicklist)",
        15 => "stream (listpacks)",
        16 => "hash (listpack)",
        17 => "sorted set (listpack)",
        18 => "list (quicklist 2)",
        19 => "stream (listpacks 2)",
        20 => "set (listpack)",
        21 => "stream (listpacks 3)",
        // Redis 7.4 release candidates and Valkey 9 use 22 for the same thing in different layouts.
        22 | 24 => "hash with field expiry",
        23 | 25 => "hash with field expiry (listpack)",
        _ => return None,
    };
    Some(name)
}

/// What an opcode introduces: `functions`, `module data`.
pub(super) fn opcode(code: u8) -> Option<&'static str> {
    let name = match code {
        243 => "slot import",
        244 => "slot info",
        245 => "functions",
        246 => "functions (pre-release)",
        247 => "module data",
        _ => return None,
    };
    Some(name)
}
