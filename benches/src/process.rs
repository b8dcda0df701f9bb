//! A process under measurement: started, looked at from outside, and told to end.

use std::{
    fs::File,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use procfs::process::Process;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// How long a process may take to end after SIGTERM; a worker's own grace is 20 s.
const END: Duration = Duration::from_secs(40);

const MIB: f64 = 1024.0;

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// CPU time in user and kernel mode, in milliseconds; counted in ticks of 10 ms.
    pub(crate) cpu_ms: f64,
    /// Resident memory, in MiB.
    pub(crate) rss_mib: f64,
    /// The most of it so far, in MiB.
    pub(crate) peak_rss_mib: f64,
}

/// A running child; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Measured {
    child: Child,
    pid: i32,
}

impl Measured {
    /// Starts a program with nothing in its environment but `environment`. What it writes goes to `log`, or where
    /// this process writes its errors.
    pub(crate) fn start(
        program: &Path,
        arguments: &[String],
        environment: &[(String, String)],
        log: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(environment.iter().cloned()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        if let Some(log) = log {
            let file = File::options().create(true).append(true).open(log)?;
            command.stdout(file.try_clone()?).stderr(file);
        }
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        let pid = child.id().context("the child ended at once")?;
        Ok(Self { child, pid: i32::try_from(pid)? })
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let process = Process::new(self.pid).context("the child has ended")?;
        let (stat, status) = (process.stat()?, process.status()?);
        let ticks = (stat.utime + stat.stime) as f64;
        Ok(Usage {
            cpu_ms: ticks * 1000.0 / procfs::ticks_per_second() as f64,
            rss_mib: status.vmrss.unwrap_or_default() as f64 / MIB,
            peak_rss_mib: status.vmhwm.unwrap_or_default() as f64 / MIB,
        })
    }

    /// Asks it to end and waits for that.
    pub(crate) async fn terminate(mut self) -> anyhow::Result<ExitStatus> {
        let pid = Pid::from_raw(self.pid).context("a pid is above zero")?;
        kill_process(pid, Signal::TERM).context("the child has ended by itself")?;
        timeout(END, self.child.wait()).await.context("the child does not end")?.map_err(Into::into)
    }

    /// Ends it at once, in the middle of whatever it does.
    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("the child has ended by itself")
    }

    /// Whether it is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}
