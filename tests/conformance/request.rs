//! A synchronization request: drawn once, then asked of both sides, each in its own ids.

use psync::wire::encode_command;

use crate::dice::Dice;
use crate::numbers::Numbers;

/// Which id is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    First,
    Second,
    /// The same in upper case.
    UpperFirst,
    UpperSecond,
    /// The first `n` characters of the present one.
    Beginning(usize),
    /// The present one and one character more.
    Longer,
    /// `?` and the rest of the present one.
    QuestionFirst,
    /// The same text on both sides.
    Text(String),
    /// One that was the present one before: number `n` of what is remembered.
    Former(usize),
}

/// How it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Psync,
    /// In lower case, and with arguments that nobody asked for.
    Surplus,
    /// As a line instead of an array.
    Inline,
    /// Behind a PING whose reply is then still unsent.
    Pipelined,
    /// With the word FAILOVER, to a server that fails over to nobody.
    Failover,
    Sync,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub id: Id,
    pub offset: String,
    pub way: Way,
    /// The port announced in the handshake; none without a handshake.
    pub announced: Option<u16>,
    pub eof: bool,
    pub psync2: bool,
    pub version: Option<&'static str>,
}

/// Ids that were the present ones of both sides, and the replica's own position.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub former: Vec<[String; 2]>,
    pub position: u64,
}

impl Memory {
    /// Remembers the present ids.
    pub fn keep(&mut self, numbers: &[Numbers; 2]) {
        let ids = numbers.each_ref().map(|numbers| numbers.id().to_owned());
        if self.former.last() != Some(&ids) {
            self.former.push(ids);
        }
    }
}

impl Request {
    /// What a replica without any history asks for.
    pub fn full(dice: &mut Dice) -> Request {
        Request { id: Id::Text("?".into()), offset: "-1".into(), ..Request::plain(dice) }
    }

    /// What a replica asks for that comes back to where it was.
    pub fn back(dice: &mut Dice, memory: &Memory) -> Request {
        Request { offset: (memory.position + 1).to_string(), ..Request::plain(dice) }
    }

    /// A well-behaved one for the present id.
    pub fn plain(dice: &mut Dice) -> Request {
        Request {
            id: Id::First,
            offset: String::new(),
            way: Way::Psync,
            announced: Some(9000 + dice.range(1, 900) as u16),
            eof: true,
            psync2: true,
            version: None,
        }
    }

    /// Any of them.
    pub fn draw(dice: &mut Dice, numbers: &Numbers, memory: &Memory) -> Request {
        let (id, offset) = match dice.range(0, 19) {
            0 => (Id::Text("?".into()), "-1".to_owned()),
            1..=7 => (Id::First, good_offset(dice, numbers, memory)),
            8..=10 => (Id::First, edge_offset(dice, numbers, memory)),
            11 => (Id::First, bad_offset(dice, numbers)),
            12 => (Id::UpperFirst, good_offset(dice, numbers, memory)),
            13..=15 => (second_id(dice, memory), second_offset(dice, numbers, memory)),
            _ => (odd_id(dice), edge_offset(dice, numbers, memory)),
        };
        let way = match dice.range(0, 24) {
            0 => Way::Sync,
            1 => Way::Pipelined,
            2 => Way::Failover,
            3 => Way::Surplus,
            4 if id != Id::Text(String::new()) && !offset.contains(' ') && !offset.is_empty() => {
                Way::Inline
            }
            _ => Way::Psync,
        };
        let mut request = Request { id, offset, way, ..Request::plain(dice) };
        if dice.one_in(8) {
            request.announced = None;
        }
        request.eof = !dice.one_in(5);
        request.psync2 = !dice.one_in(5);
        request.version = *dice.pick(&[None, None, Some("9.1.2"), Some("8.1.0")]);
        request
    }

    /// Whether its capabilities are announced, and so are known to the server.
    pub fn knows_psync2(&self) -> bool {
        self.announced.is_some() && self.psync2
    }

    /// The commands before it, each of which is answered with one line.
    pub fn handshake(&self) -> Vec<Vec<String>> {
        let Some(port) = self.announced else { return Vec::new() };
        let mut commands = vec![vec!["PING".to_owned()]];
        let mut replconf = |words: &[&str]| {
            let words = ["REPLCONF"].iter().chain(words).map(|word| (*word).to_owned());
            commands.push(words.collect());
        };
        replconf(&["listening-port", &port.to_string()]);
        match (self.eof, self.psync2) {
            (true, true) => replconf(&["capa", "eof", "capa", "psync2"]),
            (true, false) => replconf(&["capa", "eof"]),
            (false, true) => replconf(&["capa", "psync2"]),
            (false, false) => {}
        }
        if let Some(version) = self.version {
            replconf(&["version", version]);
        }
        commands
    }

    /// The request itself as bytes, for one side.
    pub fn bytes(&self, side: usize, numbers: &Numbers, memory: &Memory) -> Vec<u8> {
        let id = self.id_of(side, numbers, memory);
        let psync = |words: &[&str]| encode_command(words).to_vec();
        match self.way {
            Way::Sync => b"SYNC\r\n".to_vec(),
            Way::Psync => psync(&["PSYNC", &id, &self.offset]),
            Way::Surplus => psync(&["psync", &id, &self.offset, "and", "more"]),
            Way::Failover => psync(&["PSYNC", &id, &self.offset, "FAILOVER"]),
            Way::Inline => format!("PSYNC {id} {}\r\n", self.offset).into_bytes(),
            Way::Pipelined => [psync(&["PING"]), psync(&["PSYNC", &id, &self.offset])].concat(),
        }
    }

    fn id_of(&self, side: usize, numbers: &Numbers, memory: &Memory) -> String {
        match &self.id {
            Id::First => numbers.id().to_owned(),
            Id::Second => numbers.id2().to_owned(),
            Id::UpperFirst => numbers.id().to_uppercase(),
            Id::UpperSecond => numbers.id2().to_uppercase(),
            Id::Beginning(count) => numbers.id()[..*count].to_owned(),
            Id::Longer => format!("{}0", numbers.id()),
            Id::QuestionFirst => format!("?{}", &numbers.id()[1..]),
            Id::Text(text) => text.clone(),
            Id::Former(number) => {
                memory.former.get(*number).map_or_else(String::new, |ids| ids[side].clone())
            }
        }
    }
}

fn odd_id(dice: &mut Dice) -> Id {
    match dice.range(0, 9) {
        0 => Id::Text(String::new()),
        1 => Id::Text("?abc".into()),
        2 => Id::Text("0".repeat(40)),
        3 => Id::Text(dice.hex(40)),
        4 => Id::Text("x".into()),
        5 => Id::Longer,
        6 => Id::QuestionFirst,
        7 => Id::UpperFirst,
        _ => Id::Beginning(dice.range(1, 39) as usize),
    }
}

fn second_id(dice: &mut Dice, memory: &Memory) -> Id {
    match dice.range(0, 4) {
        0 => Id::UpperSecond,
        1 if !memory.former.is_empty() => {
            Id::Former(dice.range(0, memory.former.len() as u64 - 1) as usize)
        }
        _ => Id::Second,
    }
}

/// Inside of the window, both ends included, mostly in the middle of some command.
fn good_offset(dice: &mut Dice, numbers: &Numbers, memory: &Memory) -> String {
    let (first, length) = (numbers.first(), numbers.histlen().unsigned_abs());
    match dice.range(0, 5) {
        0 => first.to_string(),
        1 => (first + numbers.histlen()).to_string(),
        2 | 3 => (memory.position + 1).to_string(),
        _ => (first + dice.range(0, length) as i64).to_string(),
    }
}

/// Just at, or just beyond, every limit there is.
fn edge_offset(dice: &mut Dice, numbers: &Numbers, memory: &Memory) -> String {
    let end = numbers.number("master_repl_offset");
    let size = numbers.number("repl_backlog_size");
    let offset = match dice.range(0, 11) {
        0 => end + 2,
        1 => numbers.first() - 1,
        2 => numbers.first() + size,
        3 => end - size + 1,
        4 => end,
        5 => end + 1,
        6 => 0,
        7 => -1,
        8 => i64::MAX,
        9 => i64::MIN,
        10 => memory.position as i64,
        _ => 1,
    };
    offset.to_string()
}

/// Around the limit of the second id.
fn second_offset(dice: &mut Dice, numbers: &Numbers, memory: &Memory) -> String {
    let limit = numbers.number("second_repl_offset");
    match dice.range(0, 4) {
        0 => limit.to_string(),
        1 => limit.saturating_add(1).to_string(),
        2 => (limit - 1).to_string(),
        3 => numbers.first().to_string(),
        _ => (memory.position + 1).to_string(),
    }
}

fn bad_offset(dice: &mut Dice, numbers: &Numbers) -> String {
    let next = numbers.end() + 1;
    let forms = [
        format!("0{next}"),
        format!("+{next}"),
        format!(" {next}"),
        format!("{next} "),
        format!("{next}.0"),
        "-0".to_owned(),
        "05".to_owned(),
        "abc".to_owned(),
        "1x".to_owned(),
        String::new(),
        "9223372036854775808".to_owned(),
    ];
    dice.pick(&forms).clone()
}
