//! DevOrg in a process of its own, so that its CPU is not the worker's or the driver's.
//!
//! The child writes its address, and after each line that it reads, its counters as JSON. It ends with its input.

use std::{path::Path, process::ExitCode, process::Stdio, time::Duration};

use anyhow::Context as _;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use salesforce_connector_dev::org::{Counters, DevOrg};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

/// Runs the child.
pub(crate) async fn serve(latency: u64, tls: Option<&Path>) -> anyhow::Result<ExitCode> {
    let seed = json!({"records": {"Account": [{"Name": "Acme"}]}});
    let mut builder = DevOrg::builder().seed(seed).latency(Duration::from_millis(latency));
    if let Some(path) = tls {
        let pem = std::fs::read_to_string(path)?;
        builder = builder.tls(pem.clone(), pem);
    }
    let org = builder.start().await?;
    crate::report::say(&org.base_url());
    let mut questions = BufReader::new(tokio::io::stdin()).lines();
    while questions.next_line().await?.is_some() {
        crate::report::say(&serde_json::to_string(&org.counters())?);
    }
    Ok(ExitCode::SUCCESS)
}

/// A running org; it is killed when this is dropped.
pub(crate) struct OrgProcess {
    pub(crate) url: String,
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl OrgProcess {
    /// Starts an org; over HTTPS where a file with certificate and key is given.
    pub(crate) async fn start(latency_ms: u64, tls: Option<&Path>) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("org").arg(latency_ms.to_string()).args(tls);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start an org")?;
        let questions = child.stdin.take().context("it is piped")?;
        let mut answers = BufReader::new(child.stdout.take().context("it is piped")?).lines();
        let url = answers.next_line().await?.context("the org does not start")?;
        Ok(Self { url, questions, answers, _child: child })
    }

    /// How often things happened there so far.
    pub(crate) async fn counters(&mut self) -> anyhow::Result<Counters> {
        self.questions.write_all(b"\n").await?;
        let answer = self.answers.next_line().await?.context("the org has ended")?;
        Ok(serde_json::from_str(&answer)?)
    }
}

/// Writes a certificate for 127.0.0.1 with its key to one file and without to another: it is its own authority.
pub(crate) fn write_certificate(with_key: &Path, alone: &Path) -> anyhow::Result<()> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    std::fs::write(with_key, cert.pem() + &signing_key.serialize_pem())?;
    std::fs::write(alone, cert.pem())?;
    Ok(())
}
