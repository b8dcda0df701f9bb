use super::*;

fn all(pattern: &str, input: &str) -> Vec<String> {
    let compiled = Pattern::compile(pattern, Flags::default(), input).unwrap_or_else(|| panic!("{pattern}"));
    let mut found = Vec::new();
    let mut from = Some(0);
    while let Some(position) = from {
        let Some(next) = compiled.find(input, position).unwrap() else { break };
        found.push(input[next.start()..next.end()].to_owned());
        from = next.next_search(input);
    }
    found
}

#[test]
fn java_syntax_is_understood() {
    for (pattern, input, expected) in [
        (r"\d+", "a1b22٣", vec!["1", "22"]),
        (r"\w+", "größe_1", vec!["gr", "e_1"]),
        (r"a*", "baac", vec!["", "aa", "", ""]),
        (r"\Qa.b\E+", "a.bb axb", vec!["a.bb"]),
        (r"(\w)\1", "hello", vec!["ll"]),
        (r"a++b", "aaab", vec!["aaab"]),
        (r"(?<=\$)\d+", "$10 20", vec!["10"]),
        (r"(?i)ab", "xAB", vec!["AB"]),
        (r"(?i:a)b", "Ab AB", vec!["Ab"]),
        (r"[a-z&&[^b]]+", "abc", vec!["a", "c"]),
        (r"\p{Alpha}+", "aß1", vec!["a"]),
        (r"\p{Lu}", "aBÄ", vec!["B", "Ä"]),
        (r"\p{IsLatin}+", "abγ", vec!["ab"]),
        (r"\u0041\x42\0103", "ABC", vec!["ABC"]),
        (r".+", "a\u{2028}b", vec!["a", "b"]),
        (r"(?s).+", "a\nb", vec!["a\nb"]),
        (r"(?m)^.", "a\nb", vec!["a", "b"]),
        (r"b$", "ab\n", vec!["b"]),
        (r"b$", "ab", vec!["b"]),
        (r"[\d\-.]+", "1-2.3", vec!["1-2.3"]),
        (r"\R", "a\r\nb", vec!["\r\n"]),
    ] {
        assert_eq!(all(pattern, input), expected, "{pattern}");
    }
}

#[test]
fn what_is_no_pattern_in_java_is_none_here() {
    for pattern in ["(", "[a", "*a", r"\y", r"\", "(?z)"] {
        assert!(Pattern::compile(pattern, Flags::default(), "").is_none(), "{pattern}");
    }
}

#[test]
fn flags_are_letters_of_which_unknown_ones_do_nothing() {
    let flags = Flags::parse("qix");
    assert_eq!(flags, Flags { ignore_case: true, comments: true, ..Flags::default() });
    assert!(Pattern::compile("A b # end", flags, "ab").unwrap().is_match("ab").unwrap());
}

#[test]
fn a_hostile_pattern_ends_with_an_error() {
    let input = "a".repeat(40);
    let pattern = Pattern::compile(r"(a*)*\1b", Flags::default(), &input).unwrap();
    assert!(pattern.is_match(&input).unwrap_err().contains("limits"));
    assert!(Pattern::compile("((a{100}){100}){100}", Flags::default(), "").is_none());
}
