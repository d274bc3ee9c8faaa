//! Which passwords are taken: NIST SP 800-63B, 3.1.1: long, not on the block list, no rules of composition.

use kernel::Secret;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::error::Error;

/// The most characters of a password.
const MAX_LENGTH: usize = 256;
/// Long passwords that guessers try first, one a line.
const COMMON: &str = include_str!("common_passwords.txt");
/// Words that long passwords are made of by those who don't care, one a line.
const WORDS: &str = include_str!("common_words.txt");
/// What is typed by running a finger over the keys.
const ROWS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
    "1q2w3e4r5t6y7u8i9o0p",
];
/// The shortest run over the keys that is worth nothing.
const RUN: usize = 4;
/// How many characters must be left when all that guessers know is taken away.
const WORTH: usize = 5;

/// A password in the form in which it is hashed (NFKC).
#[derive(Clone)]
pub(crate) struct Password(Zeroizing<String>);

impl Password {
    /// A password that is to be compared. One longer than any that is taken becomes one that fits nothing.
    pub(crate) fn given(text: &Secret) -> Self {
        let within = text.expose().chars().nth(MAX_LENGTH).is_none();
        Self(Zeroizing::new(if within { text.expose().nfkc().collect() } else { String::new() }))
    }

    /// A new password, checked. `path` is its field; `context` is what guessers know about the account.
    ///
    /// # Errors
    /// Too short, too long, or easily guessed.
    pub(crate) fn new(path: &'static str, text: &Secret, min_length: usize, context: &[&str]) -> Result<Self, Error> {
        if text.expose().chars().nth(MAX_LENGTH).is_some() {
            return Err(Error::PasswordTooLong(path, MAX_LENGTH));
        }
        let password = Self::given(text);
        if password.0.chars().count() < min_length {
            return Err(Error::PasswordTooShort(path, min_length));
        }
        match weakness(&password.0, context) {
            Some(reason) => Err(Error::PasswordBlocked(path, reason)),
            None => Ok(password),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Why a password is easily guessed, if it is.
fn weakness(password: &str, context: &[&str]) -> Option<&'static str> {
    let plain = Zeroizing::new(plain(password));
    if COMMON.lines().any(|common| *plain == *common) {
        return Some("it is on the list of common passwords");
    }
    if repeats(password) || repeats(&plain) {
        return Some("it repeats itself");
    }
    let mut rest = plain;
    for known in context.iter().flat_map(|known| parts(known)) {
        rest = Zeroizing::new(rest.replace(&known, "\u{0}"));
    }
    if worth(&rest) < WORTH {
        return Some("it is made of your address or the name of this service");
    }
    let rest = Zeroizing::new(without_runs(&rest));
    let rest = WORDS.lines().fold(rest, |rest, word| Zeroizing::new(rest.replace(word, "\u{0}")));
    (worth(&rest) < WORTH).then_some("it is made of common words, rows of keys or repeated characters")
}

/// Lower case, letters and digits only, with the usual disguises undone.
fn plain(password: &str) -> String {
    let undisguised = password.chars().flat_map(char::to_lowercase).map(|c| match c {
        '@' => 'a',
        '$' => 's',
        '!' => 'i',
        other => other,
    });
    undisguised.filter(|c| c.is_alphanumeric()).collect()
}

/// An address or name, and its parts of at least three characters.
fn parts(known: &str) -> Vec<String> {
    let mut parts = vec![plain(known)];
    parts.extend(known.split(|c: char| !c.is_alphanumeric()).map(plain));
    parts.retain(|part| part.chars().count() >= 3);
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts
}

/// Whether it is one piece of at most half its length, over and over; a cut last piece counts too.
fn repeats(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let length = characters.len();
    (1..=length / 2).any(|period| (period..length).all(|i| characters[i] == characters[i - period]))
}

/// Takes away runs over the keys, up or down, and runs of one character.
fn without_runs(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let run = run_at(&characters[at..]);
        if run >= RUN {
            kept.push('\u{0}');
            at += run;
        } else {
            kept.push(characters[at]);
            at += 1;
        }
    }
    kept
}

/// The length of the run at the beginning.
fn run_at(text: &[char]) -> usize {
    let same = text.iter().take_while(|c| **c == text[0]).count();
    let along = |row: &mut dyn Iterator<Item = char>| {
        let row: Vec<char> = row.collect();
        row.iter()
            .position(|c| *c == text[0])
            .map_or(0, |start| text.iter().zip(&row[start..]).take_while(|(typed, key)| typed == key).count())
    };
    let rows = ROWS.iter().map(|row| along(&mut row.chars()).max(along(&mut row.chars().rev())));
    rows.fold(same, usize::max)
}

/// How many different letters, and digits that stand between them, are left; digits at the ends are what everybody adds.
fn worth(rest: &str) -> usize {
    let trimmed = rest.trim_matches(|c: char| c.is_numeric() || c == '\u{0}');
    let mut left: Vec<char> = trimmed.chars().filter(|c| *c != '\u{0}').collect();
    left.sort_unstable();
    left.dedup();
    left.len()
}

#[cfg(test)]
mod tests {
    use kernel::Problem;

    use super::*;

    fn check(text: &str) -> Result<Password, Error> {
        Password::new("password", &Secret::from(text.to_owned()), 15, &["ada.lovelace", "holdfast", "acme-corp"])
    }

    #[test]
    fn long_passwords_of_any_composition_are_taken() {
        let sentences = [
            "plain harbour lantern 42",
            "correct horse battery zebra",
            "пятнадцать знаков тут",
            "мало-помалу вперёд",
            "        spaces within        x y z q",
            "kj3h5kjh235kjh23k5jh",
            "湖のほとりで静かに本を読む人たち",
            "Every good boy deserves fudge",
        ];
        for sentence in sentences {
            assert!(check(sentence).is_ok(), "{sentence:?} {:?}", check(sentence).err());
        }
        let long = "The ferry leaves at six from the old pier, and whoever is late walks around the whole bay.";
        assert!(check(long).is_ok());
    }

    #[test]
    fn length_is_counted_in_characters_after_normalisation() {
        let code = |text: &str| check(text).err().map(|error| Problem::from(error).code.into_owned());

        assert_eq!(code("kurzes passwor").as_deref(), Some("identity.password_too_short"));
        assert_eq!(code("grüße aus köln!"), None);
        assert_eq!(code(&"ab1 ".repeat(65)).as_deref(), Some("identity.password_too_long"));
        // The ligature counts as the two letters that it stands for.
        assert_eq!(code("\u{fb01}lthy old lamps"), None);
    }

    #[test]
    fn what_guessers_try_first_is_refused() {
        let weak = [
            "aaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "passwordpassword",
            "Password12345678",
            "p@ssw0rdp@ssw0rd1!",
            "123456789012345",
            "qwertyuiopasdfghjkl",
            "abcdefghijklmnopqrstuvwxyz",
            "correct horse battery staple",
            "holdfastholdfast2026",
            "ada.lovelace.2026!",
            "acme-corp-acme-corp-1",
            "welcome to holdfast",
            "1qaz2wsx3edc4rfv",
            "letmeinletmeinletmein",
            "adminadmin123456",
        ];
        for text in weak {
            let refused = check(text).err().map(|error| Problem::from(error).code.into_owned());
            assert_eq!(refused.as_deref(), Some("identity.password_blocked"), "{text:?}");
        }
    }

    #[test]
    fn the_same_text_typed_on_different_machines_is_the_same_password() {
        let composed = check("caf\u{e9} au lait demain").unwrap();
        let decomposed = check("cafe\u{301} au lait demain").unwrap();

        assert_eq!(composed.bytes(), decomposed.bytes());
    }
}
