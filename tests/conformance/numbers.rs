//! What INFO says about replication, and which of it two servers must have in common.

use std::collections::BTreeMap;

/// INFO of one server at one moment.
#[derive(Clone, Debug, Default)]
pub struct Numbers(pub BTreeMap<String, String>);

/// Everything that is no id and no time.
const COMPARED: [&str; 14] = [
    "role",
    "connected_slaves",
    "master_link_status",
    "slave_repl_offset",
    "slave_read_repl_offset",
    "master_repl_offset",
    "second_repl_offset",
    "repl_backlog_active",
    "repl_backlog_size",
    "repl_backlog_first_byte_offset",
    "repl_backlog_histlen",
    "sync_full",
    "sync_partial_ok",
    "sync_partial_err",
];

impl Numbers {
    pub fn text(&self, field: &str) -> &str {
        self.0.get(field).map_or("", String::as_str)
    }

    pub fn number(&self, field: &str) -> i64 {
        self.text(field).parse().unwrap_or_default()
    }

    /// How many bytes of history there are.
    pub fn end(&self) -> u64 {
        self.number("master_repl_offset").unsigned_abs()
    }

    pub fn first(&self) -> i64 {
        self.number("repl_backlog_first_byte_offset")
    }

    pub fn histlen(&self) -> i64 {
        self.number("repl_backlog_histlen")
    }

    pub fn id(&self) -> &str {
        self.text("master_replid")
    }

    pub fn id2(&self) -> &str {
        self.text("master_replid2")
    }

    pub fn replicas(&self) -> i64 {
        self.number("connected_slaves")
    }

    /// Whether as many replicas are online, and nothing is being made for any.
    pub fn all_online(&self, count: i64) -> bool {
        let online = self.replica_lines().filter(|line| line.contains("state=online")).count();
        self.replicas() == count
            && online as i64 == count
            && self.number("rdb_bgsave_in_progress") == 0
    }

    /// How many replicas have acknowledged this offset, and no other.
    pub fn at(&self, offset: u64) -> usize {
        let offset = format!(",offset={offset},");
        self.replica_lines().filter(|line| line.contains(&offset)).count()
    }

    /// `slave0:ip=...`, `slave17:ip=...`: the values.
    fn replica_lines(&self) -> impl Iterator<Item = &str> {
        let of_replicas = self.0.iter().filter(|(name, _)| is_replica(name));
        of_replicas.map(|(_, value)| value.as_str())
    }

    /// The numbers that both sides must have in common.
    pub fn compared(&self) -> BTreeMap<&'static str, &str> {
        COMPARED.iter().map(|field| (*field, self.text(field))).collect()
    }

    /// `first + histlen == end + 1` wherever there is a backlog.
    pub fn window_follows_history(&self) -> bool {
        self.number("repl_backlog_active") == 0
            || self.first() + self.histlen() == self.number("master_repl_offset") + 1
    }
}

/// `slave0`, `slave17`.
fn is_replica(field: &str) -> bool {
    let number = field.strip_prefix("slave").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}
