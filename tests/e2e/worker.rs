//! The worker under test: the program itself, in a process of its own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::process::{Child, Command};

/// How long a worker may take to end after SIGTERM; its own grace is 20 s.
const END: Duration = Duration::from_secs(40);

/// A running worker; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Worker {
    child: Child,
    log: PathBuf,
}

impl Worker {
    /// Starts the program with nothing in its environment but `environment`; its log goes to the file `log`.
    pub(crate) fn start(environment: &[(String, String)], log: &Path) -> Self {
        let output = File::create(log).expect("the log can be created");
        let child = Command::new(env!("CARGO_BIN_EXE_salesforce-connector"))
            .arg("run")
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file can be shared"))
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .expect("the worker can be started");
        Self { child, log: log.to_owned() }
    }

    /// SIGKILL: the worker ends at once, in the middle of whatever it does.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.expect("the worker runs");
    }

    /// SIGTERM: the worker is asked to end.
    pub(crate) async fn terminate(&self) {
        self.signal("TERM").await;
    }

    /// SIGINT: the same, from a terminal.
    pub(crate) async fn interrupt(&self) {
        self.signal("INT").await;
    }

    async fn signal(&self, name: &str) {
        let pid = self.child.id().expect("the worker runs");
        // The shell's own `kill`: a small image has no program of that name.
        let status = Command::new("sh").arg("-c").arg(format!("kill -{name} {pid}")).status().await;
        assert!(status.expect("there is a shell").success(), "the worker runs");
    }

    /// Resolves when the worker has ended.
    pub(crate) async fn ended(mut self) -> ExitStatus {
        let ended = tokio::time::timeout(END, self.child.wait()).await;
        ended.expect("the worker ends in time").expect("a child can be awaited")
    }
}

impl Drop for Worker {
    #[expect(clippy::print_stderr, reason = "what the worker logged explains a test that failed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("--- {} ---\n{log}", self.log.display());
        }
    }
}
