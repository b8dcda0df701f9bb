use std::fs;

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What the environment has in these tests.
fn environment(variable: &str) -> Result<String, VarError> {
    let value = match variable.strip_prefix("SECRET_").unwrap_or_default() {
        "A" => "value-a",
        "B" => "{{secrets.A}}",
        "a__b" => "dbl",
        "MY-KEY_1.x" => "k",
        "NEST" => "x secrets.A y",
        "NESTP" => "x {{secrets.A}} y",
        "QUOTED" => "a\"b\\c\nd",
        "EMPTY" => "",
        "BLANK" => " \n",
        "BINARY" => return Err(VarError::NotUnicode("x".into())),
        _ => return Err(VarError::NotPresent),
    };
    Ok(value.to_owned())
}

fn secrets_with(change: impl FnOnce(&mut SecretsOptions)) -> Secrets {
    let mut options =
        SecretsOptions { environment_prefix: "SECRET_".to_owned(), ..SecretsOptions::default() };
    change(&mut options);
    Secrets { environment, ..Secrets::new(options, Arc::default()).unwrap() }
}

fn secrets(directory: Option<PathBuf>) -> Secrets {
    secrets_with(|options| options.directory = directory)
}

async fn read(secrets: &Secrets, text: &str) -> Result<String, String> {
    let mut job = secrets.for_job(Some("process"));
    let read = job.text(("place", Written::InTask), text).await;
    read.map_err(|error| format!("{}: {error}", error.code()))
}

async fn text(text: &str) -> Result<String, String> {
    read(&secrets(None), text).await
}

/// A text of an operation, with references replaced everywhere and without braces too.
async fn compatible(text: &str) -> Result<String, String> {
    let secrets = secrets_with(|options| {
        options.scope = SecretScope::Everywhere;
        options.bare_names = true;
    });
    let variables = json!({INPUT_VARIABLE: {"operation": {"body": {"Name": text}}}});
    let mut job = secrets.for_job(Some("process"));
    let read = job.input(variables.as_object().unwrap()).await;
    let read = read.map_err(|error| format!("{}: {error}", error.code()))?;
    Ok(read[INPUT_VARIABLE]["operation"]["body"]["Name"].as_str().unwrap().to_owned())
}

const REFUSED: Result<&str, &str> = Err("INVALID_CONNECTION");
const NO_NAME: Result<&str, &str> = Err("expected the name of a secret");

/// A text, what Camunda's runtime makes of it, what becomes of it in a connection, and what where
/// `scope = "everywhere"` and `bare_names = true`.
type Row = (
    &'static str,
    Result<&'static str, &'static str>,
    Result<&'static str, &'static str>,
    Result<&'static str, &'static str>,
);

/// As the runtime was seen to behave, with our differences; docs/security.md names them.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("{{secrets.A}}", Ok("value-a"), Ok("value-a"), Ok("value-a")),
    ("{{ secrets.A }}", Ok("value-a"), Ok("value-a"), Ok("value-a")),
    ("{{secrets.A  }}", Ok("value-a"), Ok("value-a"), Ok("value-a")),
    ("{{secrets.A}}{{secrets.a__b}}", Ok("value-adbl"), Ok("value-adbl"), Ok("value-adbl")),
    ("{{secrets.a__b}}", Ok("dbl"), Ok("dbl"), Ok("dbl")),
    ("{{secrets.QUOTED}}", Ok("a\"b\\c\nd"), Ok("a\"b\\c\nd"), Ok("a\"b\\c\nd")),
    ("Secrets.A", Ok("Secrets.A"), Ok("Secrets.A"), Ok("Secrets.A")),
    // A credential in an unknown form is refused: sent as it is, it would look like a wrong password.
    ("{{ secrets. A }}", Ok("{{ secrets. A }}"), REFUSED, Ok("{{ secrets. A }}")),
    ("{{ secrets .A }}", Ok("{{ secrets .A }}"), REFUSED, Ok("{{ secrets .A }}")),
    ("{{SECRETS.A}}", Ok("{{SECRETS.A}}"), REFUSED, Ok("{{SECRETS.A}}")),
    ("{{secrets.}}", Ok("{{secrets.}}"), REFUSED, Ok("{{secrets.}}")),
    ("{{{secrets.A}}}", Ok("{value-a}"), REFUSED, Ok("{value-a}")),
    ("{{secrets.A}", Ok("{{value-a}"), REFUSED, Ok("{{value-a}")),
    ("{{secrets.A b}}", Ok("{{value-a b}}"), REFUSED, Ok("{{value-a b}}")),
    // Without braces only where that is switched on.
    ("{secrets.A}", Ok("{value-a}"), Ok("{secrets.A}"), Ok("{value-a}")),
    ("secrets.A", Ok("value-a"), REFUSED, Ok("value-a")),
    ("secrets.A_", Ok("value-a_"), REFUSED, Ok("value-a_")),
    ("secrets.MY-KEY_1.x", Ok("k"), REFUSED, Ok("k")),
    ("secrets.A-B", Err("the secret A-B was not found"), REFUSED, Err("the secret A-B was not found")),
    ("secrets.a__b", Err("the secret a was not found"), REFUSED, Err("the secret a was not found")),
    ("trade secrets.Please read", Err("the secret Please was not found"), Ok("trade secrets.Please read"), Err("the secret Please was not found")),
    // A word goes before the dot: in Camunda's runtime this one is replaced.
    ("mysecrets.A", Ok("myvalue-a"), Ok("mysecrets.A"), Ok("mysecrets.A")),
    ("camunda.secrets.A", Ok("camunda.value-a"), Ok("camunda.secrets.A"), Ok("camunda.secrets.A")),
    // A value is never looked at again.
    ("{{secrets.NEST}}", Ok("x value-a y"), Ok("x secrets.A y"), Ok("x secrets.A y")),
    ("{{secrets.NESTP}}", Ok("x {{value-a}} y"), Ok("x {{secrets.A}} y"), Ok("x {{secrets.A}} y")),
    ("{{secrets.NESTP}} {{secrets.A}}", Ok("x value-a y value-a"), Ok("x {{secrets.A}} y value-a"), Ok("x {{secrets.A}} y value-a")),
    // Names are those that files and keys of Kubernetes can have.
    ("{{secrets.MY-KEY_1/x.y}}", Ok("k"), NO_NAME, NO_NAME),
    ("secrets.MY-KEY_1/x.y", Ok("k"), REFUSED, NO_NAME),
    ("{{secrets.\u{fc}}}", Ok("ue"), NO_NAME, NO_NAME),
];

fn assert_is(found: &Result<String, String>, expected: Result<&str, &str>, row: &str) {
    match (found, expected) {
        (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{row}"),
        (Err(found), Err(expected)) => assert!(found.contains(expected), "{row}: {found}"),
        (found, expected) => panic!("{row}: expected {expected:?}, found {found:?}"),
    }
}

#[tokio::test]
async fn texts_are_read_as_by_camundas_runtime_but_for_named_differences() {
    let mut as_the_runtime = 0;
    for &(input, camunda, connection, everywhere) in TABLE {
        assert_is(&text(input).await, connection, input);
        assert_is(&compatible(input).await, everywhere, input);
        as_the_runtime += usize::from(camunda == everywhere);
    }
    // A row that is brought closer to the runtime, or further away, is counted here and named in docs/security.md.
    assert_eq!((as_the_runtime, TABLE.len()), (21, 29));
}

#[test]
fn a_bare_name_is_runs_of_letters_and_digits_joined_by_single_signs() {
    let syntax = Syntax { bare_names: true, strict: false };
    let name = |text: &str| match syntax.pieces(text).unwrap().as_slice() {
        [Piece::Name(name), ..] => Some((*name).to_owned()),
        _ => None,
    };
    for (text, found) in [
        ("secrets.test", "test"),
        ("secrets.A/B", "A/B"),
        ("secrets.A.B", "A.B"),
        ("secrets.TEST0", "TEST0"),
        ("secrets.TEST-0", "TEST-0"),
        ("secrets.TEST_TEST", "TEST_TEST"),
        ("secrets.a.b.c.d.e.f", "a.b.c.d.e.f"),
        ("secrets.TEST TEST", "TEST"),
    ] {
        assert_eq!(name(text).as_deref(), Some(found), "{text}");
    }
    for text in ["_TEST", "/TEST", "-TEST", ".TEST", "", ".", "?"] {
        assert_eq!(name(&format!("secrets.{text}")), None, "{text}");
    }
}

#[tokio::test]
async fn everywhere_means_every_text_of_the_input_but_no_key_and_no_connection() {
    let everywhere = secrets_with(|options| options.scope = SecretScope::Everywhere);
    let reference = "{{secrets.A}}";
    let variables = json!({
        "other": reference,
        INPUT_VARIABLE: {
            "connection": {"baseUrl": reference},
            "operation": {"body": {reference: [reference, 1, null, {"deep": "x {{secrets.A}} {{y}}"}]}},
            "apiVersion": reference,
        },
    });
    let variables = variables.as_object().unwrap();
    let mut job = everywhere.for_job(Some("process"));
    let read = job.input(variables).await.unwrap();
    let expected = json!({
        "other": reference,
        INPUT_VARIABLE: {
            "connection": {"baseUrl": reference},
            "operation": {"body": {reference: ["value-a", 1, null, {"deep": "x value-a {{y}}"}]}},
            "apiVersion": "value-a",
        },
    });
    assert_eq!(read.as_ref(), expected.as_object().unwrap());
    assert_eq!(job.redactor().text("value-a"), "***");

    let usual = secrets(None);
    let mut job = usual.for_job(Some("process"));
    assert!(matches!(job.input(variables).await.unwrap(), Cow::Borrowed(_)));
}

type Lists = &'static [(&'static str, &'static [&'static str])];

#[tokio::test]
async fn a_process_names_the_secrets_that_are_allowed_to_it_and_the_configuration_names_all() {
    let allow = |lists: &[(&str, &[&str])]| {
        let list = |(process, names): &(&str, &[&str])| {
            ((*process).to_owned(), names.iter().map(|name| (*name).to_owned()).collect())
        };
        let lists = lists.iter().map(list).collect();
        secrets_with(|options| options.allow = lists)
    };
    let refused = "SECRET_NOT_ALLOWED: place: tasks of the process \"process\" may not name the secret A; secrets.allow \
                   lists what they may";
    let cases: &[(Lists, bool)] = &[
        (&[], true),
        (&[("process", &["A"])], true),
        (&[("process", &["B", "A*"])], true),
        (&[("process", &["*"])], true),
        (&[("*", &["A"])], true),
        (&[("process", &["B"]), ("*", &["A"])], false),
        (&[("process", &["AB*", "a"])], false),
        (&[("process", &[])], false),
        (&[("other", &["A"])], false),
    ];
    for (lists, is_allowed) in cases {
        let secrets = allow(lists);
        let expected = if *is_allowed { Ok("value-a".to_owned()) } else { Err(refused.to_owned()) };
        assert_eq!(read(&secrets, "{{secrets.A}}").await, expected, "{lists:?}");
        let mut job = secrets.for_job(Some("process"));
        let own = job.text(("place", Written::InConfiguration), "{{secrets.A}}").await;
        assert_eq!(own.unwrap(), "value-a", "{lists:?}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_named_with_where_it_was_looked_for() {
    let message = "SECRET_NOT_FOUND: place: the secret MISSING was not found; looked for in the environment variable \
                   SECRET_MISSING";
    assert_eq!(text("{{secrets.MISSING}}").await.unwrap_err(), message);

    let directory = tempfile::tempdir().unwrap();
    let error = read(&secrets(Some(directory.path().to_owned())), "{{secrets.MISSING}}").await.unwrap_err();
    let both = format!(
        "looked for in the file MISSING in {} and the environment variable SECRET_MISSING",
        directory.path().display()
    );
    assert!(error.ends_with(&both), "{error}");

    let error = read(&secrets_with(|options| options.providers.clear()), "{{secrets.A}}").await.unwrap_err();
    assert!(error.ends_with("the worker has no provider of secrets"), "{error}");
}

#[tokio::test]
async fn what_is_there_and_is_no_secret_is_refused_although_the_next_provider_has_one() {
    let directory = tempfile::tempdir().unwrap();
    let secrets = secrets(Some(directory.path().to_owned()));
    fs::write(directory.path().join("A"), "\n").unwrap();
    fs::write(directory.path().join("B"), "x".repeat(70_000)).unwrap();
    fs::write(directory.path().join("a__b"), [0xff, 0xfe]).unwrap();
    for (name, reason) in [
        ("A", "is empty"),
        ("B", "is larger than 65536 bytes"),
        ("a__b", "is not UTF-8 text"),
        ("EMPTY", "the environment variable SECRET_EMPTY is empty"),
        ("BLANK", "the environment variable SECRET_BLANK is empty"),
        ("BINARY", "the environment variable SECRET_BINARY is not UTF-8 text"),
    ] {
        let error = read(&secrets, &format!("{{{{secrets.{name}}}}}")).await.unwrap_err();
        assert!(error.contains(&format!("the secret {name} cannot be used: ")), "{error}");
        assert!(error.starts_with("SECRET_NOT_FOUND") && error.ends_with(reason), "{error}");
    }
    let page = secrets.metrics.encode();
    for line in [
        r#"secrets_provider_errors_total{provider="directory"} 3"#,
        r#"secrets_provider_errors_total{provider="environment"} 3"#,
    ] {
        assert!(page.contains(line), "{page}");
    }
}

#[tokio::test]
async fn providers_are_asked_in_their_order_and_files_lose_one_newline() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("A");
    let files_first = secrets(Some(directory.path().to_owned()));
    assert_eq!(read(&files_first, "{{secrets.A}}").await.unwrap(), "value-a");
    for (content, value) in [("file-a\n", "file-a"), ("two\r\n", "two"), ("x\n\n", "x\n"), (" y ", " y ")] {
        fs::write(&file, content).unwrap();
        assert_eq!(read(&files_first, "{{secrets.A}}").await.unwrap(), value);
    }
    let environment_first = secrets_with(|options| {
        options.directory = Some(directory.path().to_owned());
        options.providers.reverse();
    });
    assert_eq!(read(&environment_first, "{{secrets.A}}").await.unwrap(), "value-a");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(read(&files_first, "{{secrets.A}}").await.unwrap(), "value-a");
}

/// The layout of a Kubernetes volume: `A -> ..data/A`, `..data -> ..version`; an update renames a new `..data`.
#[cfg(unix)]
#[tokio::test]
async fn a_secret_that_kubernetes_rotates_is_read_anew() {
    use std::os::unix::fs::symlink;

    let volume = tempfile::tempdir().unwrap();
    let at = |name: &str| volume.path().join(name);
    for (version, value) in [("..1", "first-value"), ("..2", "second-value")] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("A"), value).unwrap();
    }
    symlink("..1", at("..data")).unwrap();
    symlink("..data/A", at("A")).unwrap();
    symlink("..data/gone", at("a__b")).unwrap();
    let secrets = secrets(Some(volume.path().to_owned()));
    assert_eq!(read(&secrets, "{{secrets.A}}").await.unwrap(), "first-value");
    symlink("..2", at("..new")).unwrap();
    fs::rename(at("..new"), at("..data")).unwrap();
    assert_eq!(read(&secrets, "{{secrets.A}}").await.unwrap(), "second-value");
    // A link to nothing is no secret: the next provider is asked.
    assert_eq!(read(&secrets, "{{secrets.a__b}}").await.unwrap(), "dbl");
}

#[tokio::test]
async fn no_name_leads_out_of_the_directory() {
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("inner");
    fs::create_dir_all(inner.join("..data")).unwrap();
    fs::write(directory.path().join("outside"), "o").unwrap();
    fs::write(inner.join(".hidden"), "h").unwrap();
    let secrets = secrets(Some(inner));
    for name in ["../outside", "..", ".hidden", "..data", "/etc/hostname", "a/b", "a\\b", "a\0b", "\u{fc}"] {
        let error = read(&secrets, &format!("{{{{secrets.{name}}}}}")).await.unwrap_err();
        assert!(error.starts_with("SECRET_NOT_FOUND: place: expected the name of a secret"), "{error}");
    }
}

#[tokio::test]
async fn what_a_job_used_is_masked_and_never_shown() {
    let secrets = secrets(None);
    let mut job = secrets.for_job(None);
    let place = ("place", Written::InTask);
    job.text(place, "https://{{secrets.A}}").await.unwrap();
    let credential = job.credential(place, &SecretString::from("literal-secret")).await.unwrap();
    job.learn([SecretString::from("received-token")]);
    assert_eq!(job.redactor().text("value-a literal-secret received-token"), "*** *** ***");
    assert!(!format!("{credential:?}{secrets:?}").contains("secret\""));
}

/// Texts that are nearly references, with what a secret's value holds among them.
const NEARLY: &str = "([{} ]|\\{\\{|\\}\\}|secrets\\.|A|NESTP|B|_|\\.|/|\u{e9}|.){0,14}";

fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic_and_only_by_its_references(template in NEARLY) {
        let written = template.contains("{{");
        if let Ok(read) = now(text(&template)) && !written {
            prop_assert_eq!(read, template);
        }
    }

    #[test]
    fn the_pieces_of_a_text_put_together_are_the_text(template in NEARLY, bare_names: bool) {
        let pieces = Syntax { bare_names, strict: false }.pieces(&template).unwrap();
        let mut at = 0;
        for piece in pieces {
            let (Piece::Text(part) | Piece::Name(part)) = piece;
            // Pieces are parts of the text itself.
            let start = part.as_ptr() as usize - template.as_ptr() as usize;
            let (before, after) = (&template[at..start], start + part.len());
            if matches!(piece, Piece::Text(_)) {
                prop_assert_eq!(before, "");
                at = after;
            } else if before == "secrets." {
                prop_assert!(bare_names);
                at = after;
            } else {
                let spaces = before.strip_prefix("{{").and_then(|inside| inside.strip_suffix("secrets."));
                prop_assert_eq!(spaces.map(str::trim), Some(""));
                at = after + template[after..].find("}}").unwrap() + 2;
                prop_assert_eq!(template[after..at - 2].trim(), "");
            }
        }
        prop_assert_eq!(at, template.len());
    }

    /// Each piece is replaced once, by its own value: values that hold references stay as they are.
    #[test]
    fn a_value_is_never_read_again(names in prop::collection::vec("A|B|NEST|NESTP", 0..6), filler in "[a-z }]{0,4}") {
        let reference = |name: &String| format!("{{{{secrets.{name}}}}}{filler}");
        let value = |name: &String| environment(&format!("SECRET_{name}")).unwrap() + &filler;
        let template: String = names.iter().map(reference).collect();
        let expected: String = names.iter().map(value).collect();
        prop_assert_eq!(now(compatible(&template)).unwrap(), expected.clone());
        prop_assert_eq!(now(text(&template)).unwrap(), expected);
    }

    /// Where only connections are read, no text of an operation ever names a secret.
    #[test]
    fn nothing_outside_the_connection_is_replaced(template in NEARLY) {
        let variables = json!({INPUT_VARIABLE: {"operation": {"body": [template, "{{secrets.A}}"]}}});
        let secrets = secrets(None);
        let mut job = secrets.for_job(Some("process"));
        let read = now(job.input(variables.as_object().unwrap())).unwrap().into_owned();
        prop_assert_eq!(&Value::Object(read), &variables);
        prop_assert!(job.used.is_empty());
    }
}
