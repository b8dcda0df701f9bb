//! Java's predefined character classes. They are ASCII, where Rust's are Unicode.

/// The inside of a class for an escape letter, and whether it is the complement.
pub(super) fn escape_class(letter: char) -> Option<(&'static str, bool)> {
    let inside = match letter.to_ascii_lowercase() {
        'd' => "0-9",
        'w' => "a-zA-Z0-9_",
        's' => r" \t\n\x0B\f\r",
        'h' => r" \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}",
        'v' => r"\n\x0B\f\r\x{85}\x{2028}\x{2029}",
        _ => return None,
    };
    Some((inside, letter.is_ascii_uppercase()))
}

/// The class of a name in `\p{…}`.
pub(super) fn property_class(name: &str) -> Option<String> {
    let posix = match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => r"\x00-\x7F",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => r"!-/:-@\[-`\{-\x7E",
        "Graph" => r"!-\x7E",
        "Print" => r"\x20-\x7E",
        "Blank" => r" \t",
        "Cntrl" => r"\x00-\x1F\x7F",
        "XDigit" => "0-9a-fA-F",
        "Space" => r" \t\n\x0B\f\r",
        _ => "",
    };
    if !posix.is_empty() {
        return Some(posix.to_owned());
    }
    let unicode = match name {
        "javaLowerCase" => "Lowercase",
        "javaUpperCase" => "Uppercase",
        "javaLetter" | "javaAlphabetic" => "L",
        "javaDigit" => "Nd",
        "javaWhitespace" => "White_Space",
        _ => {
            let (key, value) = name.split_once('=').unwrap_or(("", name));
            let plain = key.is_empty()
                || matches!(key, "script" | "sc" | "general_category" | "gc" | "block" | "blk");
            let value = value.strip_prefix("Is").or_else(|| value.strip_prefix("In")).unwrap_or(value);
            if !plain || value.is_empty() || !value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return None;
            }
            return Some(format!(r"\p{{{value}}}"));
        }
    };
    Some(format!(r"\p{{{unicode}}}"))
}
