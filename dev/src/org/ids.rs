//! Salesforce record ids: 15 case-sensitive characters, or 18 with a suffix that survives case folding.

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SUFFIX: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
/// Characters 4 to 6 of a real id name the instance; ours say which org made the record.
const INSTANCE: &str = "Dv0";

/// The 18-character id of the `number`th record under `key_prefix`.
pub(crate) fn generate(key_prefix: &str, number: u64) -> String {
    let mut digits = [b'0'; 9];
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[usize::try_from(rest % 62).expect("a remainder below 62")];
        rest /= 62;
    }
    let short = format!("{key_prefix}{INSTANCE}{}", String::from_utf8_lossy(&digits));
    format!("{short}{}", checksum(&short))
}

/// The three characters that Salesforce appends: one bit per upper-case letter, five letters a character.
fn checksum(short: &str) -> String {
    short
        .as_bytes()
        .chunks(5)
        .map(|block| {
            let bits = block
                .iter()
                .enumerate()
                .filter(|(_, byte)| byte.is_ascii_uppercase())
                .fold(0, |bits, (position, _)| bits | (1 << position));
            char::from(SUFFIX[bits])
        })
        .collect()
}

/// Whether `text` has the shape of an id, whatever its checksum says.
pub(crate) fn is_id_shaped(text: &str) -> bool {
    matches!(text.len(), 15 | 18) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The 18-character form of an id; `None` for what is no id. An 18-character id whose letters lost their
/// case is restored from its suffix, as Salesforce does.
pub(crate) fn normalize(text: &str) -> Option<String> {
    if !is_id_shaped(text) {
        return None;
    }
    if text.len() == 15 {
        return Some(format!("{text}{}", checksum(text)));
    }
    let (short, suffix) = text.split_at(15);
    if checksum(short) == suffix {
        return Some(text.to_owned());
    }
    restore(short, &suffix.to_ascii_uppercase())
}

fn restore(short: &str, suffix: &str) -> Option<String> {
    let mut restored = String::with_capacity(18);
    for (block, code) in short.as_bytes().chunks(5).zip(suffix.bytes()) {
        let bits = SUFFIX.iter().position(|candidate| *candidate == code)?;
        for (position, byte) in block.iter().enumerate() {
            let upper = bits & (1 << position) != 0;
            if upper && !byte.is_ascii_alphabetic() {
                return None;
            }
            restored.push(char::from(if upper {
                byte.to_ascii_uppercase()
            } else {
                byte.to_ascii_lowercase()
            }));
        }
    }
    restored.push_str(suffix);
    Some(restored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_is_the_one_salesforce_appends() {
        // Pairs from recorded replies.
        for id in ["001Da00000xnAk6IAE", "0057e00000RtpbzAAB", "0035500001H9dBVAAZ", "0012300000bVTq1AAG"] {
            assert_eq!(normalize(&id[..15]).as_deref(), Some(id));
        }
    }

    #[test]
    fn an_id_that_lost_its_case_is_restored() {
        assert_eq!(normalize("001da00000XNAK6iae").as_deref(), Some("001Da00000xnAk6IAE"));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in
            ["", "001", "001Da00000xnAk", "001Da00000xnAk6IA", "001Da00000xnA-6IAE", "001Da00000xnAk6I99"]
        {
            assert_eq!(normalize(text), None, "{text}");
        }
    }

    #[test]
    fn generated_ids_differ_and_carry_the_prefix() {
        let first = generate("001", 1);
        let last = generate("001", 62 * 62);
        assert_ne!(first, last);
        assert!(first.starts_with("001Dv0") && first.len() == 18);
        assert_eq!(normalize(&first), Some(first));
        assert_eq!(normalize(&last[..15]), Some(last));
    }
}
