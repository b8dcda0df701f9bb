//! `{{secrets.NAME}}`: where secrets come from, and how a connection's texts refer to them.
//!
//! A reference is replaced inside one text that was parsed before, in one pass: a value is never looked at again.
//! Providers are asked in this order: the directory of files, then the environment.

use std::{
    fmt, fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};

use super::{codes, error::Error, input, redactor::Redactor};

/// The largest file that is read as a secret.
const MAX_BYTES: u64 = 64 * 1024;

/// The longest name; that of a Kubernetes secret's key.
const MAX_NAME: usize = 253;

/// Where secrets come from.
#[derive(Clone, Debug, Default)]
pub struct SecretsOptions {
    /// `{{secrets.NAME}}` is the environment variable of this prefix and `NAME`; empty: the environment is not asked.
    pub environment_prefix: String,
    /// A directory with a file for each secret, named as the secret, as Kubernetes mounts them.
    ///
    /// Files are read again for each job, so that a secret can change while the worker runs. One newline at the end is
    /// not part of the value.
    pub directory: Option<PathBuf>,
}

/// The providers of secrets.
#[derive(Clone)]
pub(super) struct Secrets {
    options: SecretsOptions,
    environment: fn(&str) -> Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Secrets").field(&self.options).finish()
    }
}

impl Secrets {
    pub(super) fn new(options: SecretsOptions) -> Self {
        Self { options, environment: |name| std::env::var(name).ok() }
    }

    /// The secrets of one job, none of them looked up yet.
    pub(super) fn for_job(&self) -> JobSecrets<'_> {
        JobSecrets { secrets: self, used: Vec::new() }
    }

    fn find(&self, name: &str) -> Result<SecretString, String> {
        let mut places = Vec::new();
        if let Some(directory) = &self.options.directory {
            match read_file(&directory.join(name)) {
                Ok(Some(value)) if !value.is_empty() => return Ok(value.into()),
                Ok(Some(_)) => places.push(format!("the file {name} in {} (empty)", directory.display())),
                Ok(None) => places.push(format!("the file {name} in {}", directory.display())),
                Err(problem) => {
                    places.push(format!("the file {name} in {} ({problem})", directory.display()));
                }
            }
        }
        if !self.options.environment_prefix.is_empty() {
            let variable = format!("{}{name}", self.options.environment_prefix);
            match (self.environment)(&variable) {
                Some(value) if !value.is_empty() => return Ok(value.into()),
                Some(_) => places.push(format!("the environment variable {variable} (empty)")),
                None => places.push(format!("the environment variable {variable}")),
            }
        }
        if places.is_empty() {
            return Err("the worker has no provider of secrets".to_owned());
        }
        Err(format!("looked for in {}", places.join(" and ")))
    }
}

fn read_file(path: &Path) -> Result<Option<String>, String> {
    let read = || -> std::io::Result<Option<String>> {
        // Looked at before it is opened: opening a pipe would wait for ever.
        if !fs::metadata(path)?.is_file() {
            return Ok(None);
        }
        let mut value = String::new();
        fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut value)?;
        Ok(Some(value))
    };
    match read() {
        Ok(Some(value)) if value.len() as u64 > MAX_BYTES => Err(format!("larger than {MAX_BYTES} bytes")),
        Ok(Some(mut value)) => {
            let length = value.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line).len());
            value.truncate(length.unwrap_or(value.len()));
            Ok(Some(value))
        }
        Ok(None) => Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.kind().to_string()),
    }
}

/// The secrets that one job has used so far.
pub(super) struct JobSecrets<'a> {
    secrets: &'a Secrets,
    used: Vec<SecretString>,
}

impl JobSecrets<'_> {
    /// A text that is not secret by itself, such as an address, with its references replaced.
    ///
    /// `place` is where the text stands, for messages.
    pub(super) fn text(&mut self, place: &str, text: &str) -> Result<String, Error> {
        let mut rest = text;
        let mut replaced = String::with_capacity(text.len());
        while let Some(start) = rest.find("{{") {
            replaced.push_str(&rest[..start]);
            let (name, after) = reference(&rest[start..]).ok_or_else(|| malformed(place))?;
            let value = self.look_up(place, name)?;
            replaced.push_str(value.expose_secret());
            self.used.push(value);
            rest = after;
        }
        // Camunda's runtime also takes `secrets.NAME` alone; sent as it is, it would look like a wrong password.
        if replaced.is_empty() && rest.trim().starts_with("secrets.") {
            return Err(malformed(place));
        }
        replaced.push_str(rest);
        Ok(replaced)
    }

    /// A credential, with its references replaced; masked as a whole from now on.
    pub(super) fn credential(&mut self, place: &str, text: &SecretString) -> Result<SecretString, Error> {
        let credential = SecretString::from(self.text(place, text.expose_secret())?);
        self.used.push(credential.clone());
        Ok(credential)
    }

    /// A credential that is the content of a file; masked as a whole from now on.
    pub(super) fn file(&mut self, place: &str, path: &Path) -> Result<SecretString, Error> {
        let problem = match read_file(path) {
            Ok(Some(value)) if !value.trim().is_empty() => {
                let credential = SecretString::from(value);
                self.used.push(credential.clone());
                return Ok(credential);
            }
            Ok(Some(_)) => "is empty".to_owned(),
            Ok(None) => "is not there".to_owned(),
            Err(problem) => format!("cannot be read: {problem}"),
        };
        let message = format!("{place}: the file {} {problem}", path.display());
        Err(Error::new(&codes::SECRET_NOT_FOUND, message))
    }

    /// Masks what this job used.
    pub(super) fn redactor(&self) -> Redactor {
        Redactor::new(&self.used)
    }

    fn look_up(&self, place: &str, name: &str) -> Result<SecretString, Error> {
        if !is_safe(name) {
            let message = format!(
                "{place}: expected the name of a secret (letters, digits, \"_\", \"-\" and \".\", not beginning with \
                 \".\"), found {:?}",
                input::shorten(name)
            );
            return Err(Error::new(&codes::SECRET_NOT_FOUND, message));
        }
        self.secrets.find(name).map_err(|reason| {
            Error::new(
                &codes::SECRET_NOT_FOUND,
                format!("{place}: the secret {name} was not found; {reason}"),
            )
        })
    }
}

fn malformed(place: &str) -> Error {
    let message = format!(
        "{place}: expected references to secrets to be written {{{{secrets.NAME}}}}, found another form"
    );
    Error::new(&codes::INVALID_CONNECTION, message)
}

/// Splits `{{ secrets.NAME }}rest` into name and rest.
fn reference(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix("{{")?.trim_start().strip_prefix("secrets.")?;
    let end = inside.find("}}")?;
    let name = inside[..end].trim_end();
    let is_name = !name.is_empty() && !name.contains(char::is_whitespace) && !name.contains('{');
    is_name.then_some((name, &inside[end + 2..]))
}

/// A name that stays in its directory, and does not name what Kubernetes hides there (`..data`).
fn is_safe(name: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    name.len() <= MAX_NAME && !name.starts_with('.') && name.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secrets(directory: Option<PathBuf>) -> Secrets {
        Secrets {
            options: SecretsOptions { environment_prefix: "SECRET_".to_owned(), directory },
            environment: |name| match name {
                "SECRET_A" => Some("value-a".to_owned()),
                "SECRET_B" => Some("{{secrets.A}}".to_owned()),
                "SECRET_MY-KEY_1.x" => Some("k".to_owned()),
                "SECRET_EMPTY" => Some(String::new()),
                _ => None,
            },
        }
    }

    fn text(text: &str) -> Result<String, String> {
        secrets(None).for_job().text("place", text).map_err(|error| format!("{}: {error}", error.code()))
    }

    #[test]
    fn references_are_replaced_wherever_they_stand() {
        for (template, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("{{secrets.A}}", "value-a"),
            ("{{ secrets.A  }}", "value-a"),
            ("https://{{secrets.A}}.x/{{secrets.A}}?", "https://value-a.x/value-a?"),
            ("{{secrets.MY-KEY_1.x}}", "k"),
            ("{ not a reference }", "{ not a reference }"),
        ] {
            assert_eq!(text(template).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn a_value_is_never_looked_at_again() {
        assert_eq!(text("{{secrets.B}}{{secrets.A}}").unwrap(), "{{secrets.A}}value-a");
    }

    #[test]
    fn a_secret_that_is_not_there_is_named_with_where_it_was_looked_for() {
        let message = "SECRET_NOT_FOUND: place: the secret MISSING was not found; looked for in the environment \
                       variable SECRET_MISSING";
        assert_eq!(text("{{secrets.MISSING}}").unwrap_err(), message);
        assert!(
            text("{{secrets.EMPTY}}").unwrap_err().ends_with("the environment variable SECRET_EMPTY (empty)")
        );

        let directory = tempfile::tempdir().unwrap();
        let secrets = secrets(Some(directory.path().to_owned()));
        let error = secrets.for_job().text("place", "{{secrets.MISSING}}").unwrap_err();
        let both = format!(
            "looked for in the file MISSING in {} and the environment variable SECRET_MISSING",
            directory.path().display()
        );
        assert!(error.to_string().ends_with(&both), "{error}");

        let none = Secrets::new(SecretsOptions::default());
        let error = none.for_job().text("place", "{{secrets.A}}").unwrap_err();
        assert!(error.to_string().ends_with("the worker has no provider of secrets"), "{error}");
    }

    #[test]
    fn a_reference_in_another_form_is_refused_and_not_sent_as_it_is() {
        for template in [
            "{{secrets.A",
            "{{secrets.}}",
            "{{ secrets. A }}",
            "{{SECRETS.A}}",
            "{{secret.A}}",
            "{{secrets.A B}}",
            "{{secrets.{{secrets.A}}}}",
            "secrets.A",
        ] {
            let message = text(template).unwrap_err();
            assert!(
                message.starts_with("INVALID_CONNECTION: place: expected references"),
                "{template}: {message}"
            );
        }
    }

    #[test]
    fn files_go_before_the_environment_and_lose_one_newline() {
        let directory = tempfile::tempdir().unwrap();
        let secrets = secrets(Some(directory.path().to_owned()));
        let read = || secrets.for_job().text("place", "{{secrets.A}}");
        assert_eq!(read().unwrap(), "value-a");
        for (content, value) in [("file-a\n", "file-a"), ("two\r\n", "two"), ("x\n\n", "x\n"), (" y ", " y ")]
        {
            fs::write(directory.path().join("A"), content).unwrap();
            assert_eq!(read().unwrap(), value);
        }
        fs::remove_file(directory.path().join("A")).unwrap();
        fs::create_dir(directory.path().join("A")).unwrap();
        assert_eq!(read().unwrap(), "value-a");
    }

    #[test]
    fn a_file_that_cannot_be_a_secret_is_named_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let secrets = secrets(Some(directory.path().to_owned()));
        fs::write(directory.path().join("LARGE"), "x".repeat(70_000)).unwrap();
        fs::write(directory.path().join("BINARY"), [0xff, 0xfe]).unwrap();
        for (name, reason) in [("LARGE", "larger than 65536 bytes"), ("BINARY", "invalid data")] {
            let error = secrets.for_job().text("place", &format!("{{{{secrets.{name}}}}}")).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("inner");
        fs::create_dir_all(inner.join("..data")).unwrap();
        fs::write(directory.path().join("outside"), "o").unwrap();
        fs::write(inner.join(".hidden"), "h").unwrap();
        let secrets = secrets(Some(inner));
        for name in ["../outside", "..", ".hidden", "..data", "/etc/hostname", "a/b", "a\\b", "a\0b", "ü"] {
            let error = secrets.for_job().text("place", &format!("{{{{secrets.{name}}}}}")).unwrap_err();
            assert_eq!(error.code(), "SECRET_NOT_FOUND", "{name}");
            assert!(error.to_string().contains("expected the name of a secret"), "{error}");
        }
    }

    #[test]
    fn what_a_job_used_is_masked_and_never_shown() {
        let secrets = secrets(None);
        let mut job = secrets.for_job();
        job.text("place", "https://{{secrets.A}}").unwrap();
        let credential = job.credential("place", &SecretString::from("literal-secret")).unwrap();
        assert_eq!(job.redactor().text("value-a literal-secret"), "*** ***");
        assert!(!format!("{credential:?}{secrets:?}").contains("secret\""));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(template in ".{0,40}|([{} ]|secrets\\.|[AB]|é){0,12}") {
            let _ = text(&template);
        }
    }
}
