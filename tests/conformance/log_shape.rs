//! Log lines as two servers must have them in common: level and text, without what is chance.

/// Lines about a decision of the master's seat; these must be equal and in the same order.
const DECISIONS: [&str; 6] = [
    "asks for synchronization",
    "Full resync requested by",
    "Partial resynchronization request",
    "Partial resynchronization not accepted",
    "Unable to partial resync",
    "tried to PSYNC with an offset",
];

/// Lines about what becomes of it. Not what a child process says that makes the snapshot ("started
/// by pid", "done reading from pipe"): whether there is one is nobody's business but the server's.
const LIFE: [&str; 16] = [
    "Replication backlog created",
    "Replication backlog freed",
    "Setting secondary replication ID",
    "Starting BGSAVE for SYNC",
    "Waiting for end of BGSAVE for SYNC",
    "Waiting for next BGSAVE for SYNC",
    "Delay next BGSAVE for",
    "Background RDB transfer terminated",
    "Streamed RDB transfer with",
    "Synchronization with replica",
    "Connection with replica",
    "for overcoming of output buffer limits",
    "Disconnecting timedout replica",
    "MODE enabled",
    "Trying a partial resynchronization",
    "Successful partial resynchronization with",
];

/// Whether the line belongs to what is compared.
pub fn is_compared(line: &str) -> bool {
    DECISIONS.iter().chain(&LIFE).any(|shape| line.contains(shape))
}

/// `PID:ROLE DD Mon YYYY HH:MM:SS.mmm L text` without process and time: `L text`. A line without
/// such a beginning stays as it is, and so differs.
pub fn level_and_text(line: &str) -> &str {
    let mut rest = line;
    for _ in 0..5 {
        match rest.split_once(' ') {
            Some((_, after)) => rest = after,
            None => return line,
        }
    }
    rest
}

/// The text without the ports that the system chose, and the numbers of connections.
pub fn shape(line: &str, ports: &[(u16, &str)]) -> String {
    let mut text = level_and_text(line).to_owned();
    for (port, name) in ports {
        text = text.replace(&format!("127.0.0.1:{port}"), name);
    }
    if let Some((before, number)) = text.split_once("client id #") {
        // Who announced no port is called by a number that counts connections, ours included.
        let after = number.trim_start_matches(|character: char| character.is_ascii_digit());
        text = format!("{before}client{after}");
    }
    if let Some(end) = text.find("for overcoming of output buffer limits") {
        // Who it was and how much it was owed depends on what the kernel took in between.
        return format!("{} Client {}", &text[..1], &text[end..]);
    }
    if let Some(end) = text.find(" from 'id=") {
        // The rest describes the connection that the command came over.
        text.truncate(end);
        text.push(')');
    }
    text
}

/// For what depends on how much the kernel took for a reader that does not read: no numbers, and
/// not who was lost, because of who goes with bytes unread the kernel forgets the address.
pub fn without_digits(text: &str) -> String {
    if let Some((lost, _)) = text.split_once("Connection with replica ") {
        return format!("{lost}Connection lost.");
    }
    text.chars().filter(|character| !character.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn process_time_and_chosen_ports_are_no_part_of_a_shape() {
        let line = "23968:M 24 Nov 2026 10:26:54.285 * Replica 127.0.0.1:7001 asks for \
                    synchronization";
        assert!(is_compared(line));
        assert_eq!(shape(line, &[]), "* Replica 127.0.0.1:7001 asks for synchronization");
        assert_eq!(shape(line, &[(7001, "B")]), "* Replica B asks for synchronization");
        assert_eq!(shape("no log line", &[]), "no log line");
    }
}
