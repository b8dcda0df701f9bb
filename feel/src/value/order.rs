//! The order in which the reference lists entries. Its maps keep the order of insertion up to four entries; larger
//! ones are hash tries, walked node by node. `get entries`, `string` and `to json` show it.

use super::{Str, Value};

type Entry<'a> = (Str<'a>, Value<'a>);

pub(super) fn reference_order(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    const KEEPS_ORDER: usize = 4;
    if entries.len() <= KEEPS_ORDER {
        return entries;
    }
    let hashed = entries.into_iter().map(|entry| (improved(java_hash(&entry.0)), entry)).collect();
    let mut ordered = Vec::new();
    walk(hashed, 0, &mut ordered);
    ordered
}

/// Java's `String.hashCode`.
fn java_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

/// How the maps spread a hash over its bits.
fn improved(hash: u32) -> u32 {
    let h = hash.wrapping_add(!(hash << 9));
    let h = h ^ (h >> 14);
    let h = h.wrapping_add(h << 4);
    h ^ (h >> 10)
}

/// A node of the trie: entries that are alone in their slot come first, then the nodes below, both by slot.
fn walk<'a>(entries: Vec<(u32, Entry<'a>)>, shift: u32, ordered: &mut Vec<Entry<'a>>) {
    const SLOT_BITS: u32 = 5;
    if shift >= u32::BITS {
        ordered.extend(entries.into_iter().map(|(_, entry)| entry));
        return;
    }
    let mut slots: Vec<Vec<(u32, Entry<'a>)>> = Vec::new();
    slots.resize_with(1 << SLOT_BITS, Vec::new);
    for (hash, entry) in entries {
        slots[(hash >> shift & 31) as usize].push((hash, entry));
    }
    let mut below = Vec::new();
    for mut slot in slots {
        match slot.len() {
            0 => {}
            1 => ordered.extend(slot.pop().map(|(_, entry)| entry)),
            _ => below.push(slot),
        }
    }
    for slot in below {
        walk(slot, shift + SLOT_BITS, ordered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ordered(keys: &[&'static str]) -> Vec<String> {
        let entries = keys.iter().map(|key| (Str::from(*key), Value::Null)).collect();
        reference_order(entries).into_iter().map(|(key, _)| key.to_string()).collect()
    }

    #[test]
    fn four_entries_keep_their_order_and_more_are_listed_by_hash() {
        assert_eq!(ordered(&["d", "c", "b", "a"]), ["d", "c", "b", "a"]);
        assert_eq!(ordered(&["a", "b", "c", "d", "e"]), ["e", "a", "b", "c", "d"]);
        assert_eq!(
            ordered(&["and", "or", "then", "else", "function", "return"]),
            ["return", "else", "or", "and", "then", "function"]
        );
    }

    #[test]
    fn keys_with_the_same_hash_are_all_listed() {
        let mut keys = ordered(&["Aa", "BB", "AaAa", "BBBB", "AaBB", "BBAa"]);
        keys.sort();
        assert_eq!(keys, ["Aa", "AaAa", "AaBB", "BB", "BBAa", "BBBB"]);
    }
}
