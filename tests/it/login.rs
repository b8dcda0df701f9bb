//! `login`, as a program: a scripted browser on the other side, DevOrg behind it.

use std::{fs, path::Path, process::Stdio, time::Duration};

use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule, Grant, Reply, UserAccess};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStderr, Command},
};

/// A login that waits for its browser.
struct Waiting {
    child: Child,
    stderr: Lines<BufReader<ChildStderr>>,
    /// Where the person shall log in.
    address: String,
    folder: tempfile::TempDir,
}

struct Ended {
    code: Option<i32>,
    out: String,
    told: String,
}

fn configuration(org: &DevOrg, state_file: Option<&Path>) -> String {
    let place = match state_file {
        Some(path) => format!("state_file = {:?}", path.display().to_string()),
        None => "refresh_token = \"{{secrets.NOT_YET}}\"".to_owned(),
    };
    format!(
        "[gateway]\naddress = \"http://127.0.0.1:1\"\n[hosts]\nallow_http = true\nallow_loopback = true\n\
         [connections.dev]\nbase_url = \"{}\"\n[connections.dev.authentication]\ntype = \"oauth-refresh-token-flow\"\n\
         client_id = \"dev-client\"\n{place}\n",
        org.base_url()
    )
}

fn program(folder: &Path, configuration: &str, arguments: &[&str]) -> Command {
    let file = folder.join("connector.toml");
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_salesforce-connector"));
    command.args(arguments).arg("--config").arg(&file).env_clear().kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Waiting {
    async fn start(org: &DevOrg, with_file: bool, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state_file = folder.path().join("state.json");
        let configuration = configuration(org, with_file.then_some(state_file.as_path()));
        let arguments = [&["login", "--connection", "dev", "--port", "0"], more].concat();
        let mut child = program(folder.path(), &configuration, &arguments).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = stderr.next_line().await.unwrap().expect("an address is printed");
            if line.starts_with("http") {
                break line;
            }
        };
        Self { child, stderr, address, folder }
    }

    fn state_file(&self) -> std::path::PathBuf {
        self.folder.path().join("state.json")
    }

    /// Where the browser is sent by the org.
    async fn redirect(&self) -> String {
        let client = browser().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let answer = client.get(&self.address).send().await.unwrap();
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn browse(&self) -> (u16, String) {
        let answer = browser().build().unwrap().get(&self.address).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn end(mut self) -> (Ended, tempfile::TempDir) {
        let (mut told, mut out) = (String::new(), String::new());
        while let Some(line) = self.stderr.next_line().await.unwrap() {
            told.push_str(&line);
            told.push('\n');
        }
        self.child.stdout.take().unwrap().read_to_string(&mut out).await.unwrap();
        let code = self.child.wait().await.unwrap().code();
        (Ended { code, out, told }, self.folder)
    }
}

fn browser() -> reqwest::ClientBuilder {
    salesforce_connector_tls();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30))
}

fn salesforce_connector_tls() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

#[tokio::test]
async fn a_login_in_the_browser_leaves_a_refresh_token_that_check_uses() {
    let org = DevOrg::start().await.unwrap();
    let waiting = Waiting::start(&org, true, &[]).await;
    let file = waiting.state_file();
    let (status, page) = waiting.browse().await;
    assert_eq!(status, 200, "{page}");
    assert!(page.contains("Logged in as dev@example.com"), "{page}");
    let (ended, folder) = waiting.end().await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{}", ended.told);
    assert!(ended.told.contains("Logged in as dev@example.com, 005"), "{}", ended.told);
    assert!(ended.told.contains("state.json") && !ended.told.contains("5Aep861"), "{}", ended.told);
    assert!(fs::read_to_string(&file).unwrap().contains("5Aep861"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let configuration = configuration(&org, Some(&file));
    let arguments = ["check", "--connection", "dev"];
    let output = program(folder.path(), &configuration, &arguments).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn before_the_login_check_says_that_one_is_needed() {
    let org = DevOrg::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let configuration = configuration(&org, Some(&folder.path().join("state.json")));
    let arguments = ["check", "--connection", "dev"];
    let output = program(folder.path(), &configuration, &arguments).output().await.unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("no refresh token yet") && table.contains("command login"), "{table}");
    assert_eq!(org.counters().token_requests, 0);
}

#[tokio::test]
async fn without_a_browser_here_the_address_is_pasted() {
    let org = DevOrg::start().await.unwrap();
    let mut waiting = Waiting::start(&org, true, &[]).await;
    let redirect = waiting.redirect().await;
    let mut stdin = waiting.child.stdin.take().unwrap();
    stdin.write_all(format!("http://localhost/?code=x&state=y\n{redirect}\n").as_bytes()).await.unwrap();
    let (ended, folder) = waiting.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.told);
    assert!(ended.told.contains("belongs to another login"), "{}", ended.told);
    assert!(folder.path().join("state.json").exists());
}

#[tokio::test]
async fn with_print_the_token_is_all_that_standard_output_holds() {
    let org = DevOrg::start().await.unwrap();
    let waiting = Waiting::start(&org, false, &["--print"]).await;
    waiting.browse().await;
    let (ended, _folder) = waiting.end().await;
    assert_eq!(ended.code, Some(0), "{}", ended.told);
    assert!(ended.out.starts_with("5Aep861") && ended.out.lines().count() == 1, "{}", ended.out);
    assert!(!ended.told.contains(ended.out.trim()));
}

#[tokio::test]
async fn a_user_who_says_no_and_a_code_that_is_refused_are_explained() {
    let org = DevOrg::start().await.unwrap();
    org.login_policy(|policy| policy.user_access = UserAccess::Denied);
    let waiting = Waiting::start(&org, true, &[]).await;
    let (status, page) = waiting.browse().await;
    assert!(status == 400 && page.contains("access_denied"), "{page}");
    let (ended, folder) = waiting.end().await;
    assert!(ended.code == Some(1) && ended.told.contains("turned the app down"), "{}", ended.told);
    assert!(!folder.path().join("state.json").exists());

    org.login_policy(|policy| {
        policy.user_access = UserAccess::Granted;
        policy.refused_grants.insert(Grant::AuthorizationCode);
    });
    let waiting = Waiting::start(&org, true, &[]).await;
    waiting.browse().await;
    let (ended, _folder) = waiting.end().await;
    assert!(ended.code == Some(1) && ended.told.contains("this flow is off for the app"), "{}", ended.told);
}

#[tokio::test]
async fn an_answer_of_another_login_is_refused_and_the_right_one_still_counts() {
    let org = DevOrg::start().await.unwrap();
    let waiting = Waiting::start(&org, true, &[]).await;
    let redirect = waiting.redirect().await;
    let forged = redirect.split("&state=").next().unwrap().to_owned() + "&state=guess";
    let answer = browser().build().unwrap().get(forged).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert!(answer.text().await.unwrap().contains("another login"));
    assert_eq!(browser().build().unwrap().get(redirect).send().await.unwrap().status(), 200);
    assert_eq!(waiting.end().await.0.code, Some(0));
}

#[tokio::test]
async fn nobody_who_comes_ends_the_wait() {
    let org = DevOrg::start().await.unwrap();
    let waiting = Waiting::start(&org, true, &["--timeout", "200ms"]).await;
    let (ended, _folder) = waiting.end().await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.told.contains("nobody logged in within 200ms"), "{}", ended.told);
}

#[tokio::test]
async fn an_app_that_may_not_stay_is_told_which_scope_it_lacks() {
    let org = DevOrg::start().await.unwrap();
    let reply = Reply::new(
        200,
        serde_json::json!({"access_token": "00Dx!token", "token_type": "Bearer"}).to_string(),
    )
    .header("content-type", "application/json");
    org.faults().add(FaultRule::new(Fault::Respond(reply)).path("/services/oauth2/token"));
    let waiting = Waiting::start(&org, true, &[]).await;
    waiting.browse().await;
    let (ended, _folder) = waiting.end().await;
    assert!(ended.code == Some(1) && ended.told.contains("offline_access"), "{}", ended.told);
}

#[tokio::test]
async fn what_cannot_work_is_said_before_anybody_logs_in() {
    let org = DevOrg::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = async |configuration: &str, arguments: &[&str]| {
        let output = program(folder.path(), configuration, arguments).output().await.unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let login = ["login", "--connection", "dev", "--port", "0"];
    let without = configuration(&org, None);
    let told = run(&without, &login).await;
    assert!(told.contains("connections.dev.authentication.state_file is not set"), "{told}");
    let nowhere = configuration(&org, Some(&folder.path().join("none/state.json")));
    let told = run(&nowhere, &login).await;
    assert!(told.contains("a directory that exists"), "{told}");
    let told = run(&without, &["login", "--connection", "production"]).await;
    assert!(told.contains("there is: dev"), "{told}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let told = run(&without, &["login", "--connection", "dev", "--port", &port]).await;
    assert!(told.contains(&format!("cannot listen on port {port}")) && told.contains("--port"), "{told}");
    let other = without.replace("oauth-refresh-token-flow", "bearer");
    let other = other.replace("client_id = \"dev-client\"\n", "").replace("refresh_token =", "token =");
    let told = run(&other, &login).await;
    assert!(told.contains("found bearer, which needs no login in a browser"), "{told}");
    assert_eq!(org.counters().token_requests, 0);
}
