//! Secrets that are files, as Kubernetes and Docker mount them.

use std::{
    fs,
    io::{ErrorKind, Read as _},
    path::Path,
    time::Duration,
};

use secrecy::SecretString;

use super::Problem;

/// The largest file that is read as a secret.
const MAX_BYTES: u64 = 64 * 1024;

/// A file system that answers later, such as one over a network, counts as down.
const PATIENCE: Duration = Duration::from_secs(5);

/// A secret's file without the newline at its end; `None` where there is none.
pub(super) async fn read(path: &Path) -> Result<Option<SecretString>, Problem> {
    let path = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || read_now(&path));
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(result)) => result.map_err(Problem::Unusable),
        Ok(Err(_)) => Err(Problem::Unavailable("it was not read to its end".to_owned())),
        Err(_) => Err(Problem::Unavailable(format!("it was not read within {} s", PATIENCE.as_secs()))),
    }
}

fn read_now(path: &Path) -> Result<Option<SecretString>, String> {
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
        Ok(Some(value)) if value.len() as u64 > MAX_BYTES => Err(format!("is larger than {MAX_BYTES} bytes")),
        Ok(Some(value)) => {
            let line = value.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
            let value = line.unwrap_or(&value);
            if value.trim().is_empty() { Err("is empty".to_owned()) } else { Ok(Some(value.into())) }
        }
        Ok(None) => Ok(None),
        Err(error) => match error.kind() {
            ErrorKind::NotFound => Ok(None),
            ErrorKind::InvalidData => Err("is not UTF-8 text".to_owned()),
            kind => Err(format!("cannot be read: {kind}")),
        },
    }
}
