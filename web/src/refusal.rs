//! Why the world refuses an action, as people say it.

/// `action.server is replica-1, which is a master already` as `replica 1 is a master already`;
/// what does not speak of an action stays as it is.
#[must_use]
pub fn in_words(error: &str) -> String {
    let about = error.strip_prefix("action.").and_then(|rest| rest.split_once(" is "));
    let Some((_, text)) = about else { return error.to_owned() };
    let text = [(", which ", " "), (", whose link ", ": its link ")]
        .into_iter()
        .fold(text.to_owned(), |text, (from, to)| text.replacen(from, to, 1));
    text.replace("replica-", "replica ")
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn a_refusal_names_the_server_and_not_the_field() {
        for (error, words) in [
            (
                "action.server is replica-1, which is a master already",
                "replica 1 is a master already",
            ),
            (
                "action.server is replica-2, which follows replica-1 already",
                "replica 2 follows replica 1 already",
            ),
            (
                "action.replica is replica-1, whose link is cut already",
                "replica 1: its link is cut already",
            ),
            ("action.directive is repl-timeout, which is 60 already", "repl-timeout is 60 already"),
            ("action.master is replica-1 itself", "replica 1 itself"),
            ("scenario.seed is missing", "scenario.seed is missing"),
        ] {
            assert_eq!(in_words(error), words);
        }
    }
}
