//! How a text refers to secrets: `{{secrets.NAME}}`, and `secrets.NAME` where that is switched on.

/// The longest name; that of a Kubernetes secret's key.
const MAX_NAME: usize = 253;

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Stays as it is.
    Text(&'a str),
    /// The name of a secret, as it is written.
    Name(&'a str),
}

/// How texts are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax {
    /// Whether `secrets.NAME` without braces is a reference too.
    pub(super) bare_names: bool,
    /// Whether braces that are no reference are refused, as in credentials, or stay, as in a text that may be about
    /// anything.
    pub(super) strict: bool,
}

/// A text that looks like a reference and is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Syntax {
    /// The parts of a text, from left to right.
    pub(super) fn pieces(self, text: &str) -> Result<Vec<Piece<'_>>, Malformed> {
        let mut pieces = Vec::new();
        let (mut kept, mut at) = (0, 0);
        while let Some(found) = text[at..].find(['{', 's']) {
            let start = at + found;
            match self.reference(text, start) {
                Some((name, end)) => {
                    pieces.extend([Piece::Text(&text[kept..start]), Piece::Name(name)]);
                    (kept, at) = (end, end);
                }
                None if self.strict && text[start..].starts_with("{{") => return Err(Malformed),
                None => at = start + 1,
            }
        }
        // Camunda's runtime also takes `secrets.NAME` alone; sent as it is, it would look like a wrong password.
        if self.strict && pieces.is_empty() && text.trim().starts_with("secrets.") {
            return Err(Malformed);
        }
        pieces.push(Piece::Text(&text[kept..]));
        pieces.retain(|piece| *piece != Piece::Text(""));
        Ok(pieces)
    }

    /// The name of the reference that begins here, and where it ends.
    fn reference(self, text: &str, start: usize) -> Option<(&str, usize)> {
        let rest = &text[start..];
        if rest.starts_with("{{") {
            let (name, after) = in_braces(rest)?;
            return Some((name, text.len() - after.len()));
        }
        if !self.bare_names || text[..start].ends_with(is_word) {
            return None;
        }
        let name = bare(rest.strip_prefix("secrets.")?)?;
        Some((name, start + "secrets.".len() + name.len()))
    }
}

/// Splits `{{ secrets.NAME }}rest` into name and rest.
fn in_braces(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix("{{")?.trim_start().strip_prefix("secrets.")?;
    let end = inside.find("}}")?;
    let name = inside[..end].trim_end();
    let is_name = !name.is_empty() && !name.contains(char::is_whitespace) && !name.contains('{');
    is_name.then_some((name, &inside[end + 2..]))
}

/// The name at the beginning of a text: runs of letters and digits, joined by single `/`, `.`, `_` or `-`.
fn bare(text: &str) -> Option<&str> {
    let run = |from: usize| {
        text[from..].find(|c: char| !c.is_ascii_alphanumeric()).map_or(text.len(), |n| from + n)
    };
    let mut end = run(0);
    if end == 0 {
        return None;
    }
    while text[end..].starts_with(['/', '.', '_', '-']) && run(end + 1) > end + 1 {
        end = run(end + 1);
    }
    Some(&text[..end])
}

/// What may not stand before a bare reference: `mysecrets.A` is none, and `camunda.secrets.A` is the engine's.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '.' | '_' | '-')
}

/// A name that stays in its directory, and does not name what Kubernetes hides there (`..data`).
pub(super) fn is_safe(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !name.is_empty() && name.len() <= MAX_NAME && !name.starts_with('.') && name.bytes().all(is_allowed)
}
