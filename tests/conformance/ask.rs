//! One request of both sides, from INFO before it to INFO and logs after it.

use crate::dice::Dice;
use crate::judge::{Judge, Outcome};
use crate::kind::Kind;
use crate::pair::{Attached, Pair, go_online, without_times};
use crate::replica::{Answer, Replica};
use crate::request::{Memory, Request, Way};

/// A schedule under way.
pub struct World {
    pub kinds: [Kind; 2],
    pub judge: Judge,
    pub dice: Dice,
    pub memory: Memory,
}

impl World {
    /// Asks, and compares everything about it. Gives the replicas if that is what they now are,
    /// with the stream read as far as it goes.
    pub fn ask(&mut self, pair: &mut Pair, request: &Request) -> Outcome<Option<Attached>> {
        let judge = &mut self.judge;
        let before = pair.compare_info(judge)?;
        self.memory.keep(&before);
        judge.note(format!("{request:?} at {:?}", before[0].compared()));
        judge.requests += 1;
        let mut replicas = pair.connect(judge)?;
        let handshake = request.handshake();
        let replies = replicas.each(judge, "the handshake", |r| shake_hands(r, &handshake))?;
        judge.same("replies to the handshake", &replies)?;
        let bytes = [0, 1].map(|side| request.bytes(side, &before[side], &self.memory));
        let mut side = 0;
        let answers = replicas.each(judge, "the answer", |replica| {
            replica.send(&bytes[side])?;
            side += 1;
            if request.way == Way::Pipelined {
                replica.line()?;
            }
            replica.answer()
        })?;
        let attached = self.take_answer(pair, request, replicas, &answers, before[0].end())?;
        let count = before[0].replicas() + i64::from(attached.is_some());
        let Some(mut replicas) = attached else {
            pair.compare_info(&mut self.judge)?;
            pair.compare_logs(&mut self.judge)?;
            return Ok(None);
        };
        go_online(&mut self.judge, pair, &mut [&mut replicas], count)?;
        replicas.drain(&mut self.judge, pair)?;
        pair.compare_logs(&mut self.judge)?;
        self.memory.position = replicas.0[0].position;
        Ok(Some(replicas))
    }

    /// Compares the answers and reads what follows them.
    fn take_answer(
        &mut self,
        pair: &mut Pair,
        request: &Request,
        mut replicas: Attached,
        answers: &[Answer; 2],
        end: u64,
    ) -> Outcome<Option<Attached>> {
        let judge = &mut self.judge;
        compare_answers(judge, answers)?;
        match &answers[0] {
            Answer::Error(_) => return Ok(None),
            Answer::Continue { id } => {
                let known = [id.is_some(), request.knows_psync2()];
                judge.same("an id after +CONTINUE, and who knows of it", &known)?;
                let from: i64 = request.offset.parse().unwrap_or_default();
                // Who asks for byte 1 has none: it is at 0.
                let position = u64::try_from(from - 1).unwrap_or_default();
                replicas.0.iter_mut().for_each(|replica| replica.position = position);
                let what = "the missing bytes";
                let missing = replicas.each(judge, what, |replica| replica.stream_to(end))?;
                judge.same_bytes(what, &missing.map(|bytes| without_times(&bytes)))?;
            }
            Answer::Full { offset, .. } => {
                let now = pair.numbers();
                let named = [0, 1].map(|side| match &answers[side] {
                    Answer::Full { id, .. } => id == now[side].id(),
                    _ => false,
                });
                judge.holds("+FULLRESYNC names the present id", named)?;
                replicas.0.iter_mut().for_each(|replica| replica.position = *offset);
                replicas.load(judge)?;
            }
            Answer::Payload => {
                replicas.0.iter_mut().for_each(|replica| replica.position = end);
                replicas.load(judge)?;
            }
        }
        Ok(Some(replicas))
    }
}

/// Equal in everything but the text of ids, and these counterparts.
pub fn compare_answers(judge: &mut Judge, answers: &[Answer; 2]) -> Outcome {
    match answers {
        [Answer::Full { id: left, offset: one }, Answer::Full { id: right, offset: other }] => {
            judge.same_ids("id of +FULLRESYNC", [left, right])?;
            judge.same("offset of +FULLRESYNC", &[one, other])
        }
        [Answer::Continue { id: Some(left) }, Answer::Continue { id: Some(right) }] => {
            judge.same_ids("id of +CONTINUE", [left, right])
        }
        _ => judge.same("answer", answers),
    }
}

fn shake_hands(replica: &mut Replica, commands: &[Vec<String>]) -> std::io::Result<Vec<String>> {
    let mut replies = Vec::new();
    for command in commands {
        replica.command(command)?;
        replies.push(replica.line()?);
    }
    Ok(replies)
}
