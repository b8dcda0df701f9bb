//! The web server flow with PKCE, as a command-line login walks it.

use salesforce_connector_dev::org::{DevOrg, UserAccess};

use crate::client::{Answer, send, token};

// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REQUEST: &str = "response_type=code&client_id=dev-client&redirect_uri=http%3A%2F%2F127.0.0.1%3A1717%2Fcallback&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256&state=a%26b";
const REDIRECT: &str = "redirect_uri=http%3A%2F%2F127.0.0.1%3A1717%2Fcallback";

async fn authorize(org: &DevOrg, query: &str) -> Answer {
    send(org.address(), "GET", &format!("/services/oauth2/authorize?{query}"), &[], "")
        .await
        .expect("an answer")
}

/// Where the browser is sent, with its query still encoded.
async fn location(org: &DevOrg, query: &str) -> String {
    let answer = authorize(org, query).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
    answer.header("location").expect("a location").to_owned()
}

/// The code, still encoded.
async fn code(org: &DevOrg, query: &str) -> String {
    let location = location(org, query).await;
    let query = location.strip_prefix("http://127.0.0.1:1717/callback?code=").expect("a code");
    query.split('&').next().expect("a first part").to_owned()
}

async fn exchange(org: &DevOrg, code: &str, more: &str) -> Answer {
    token(org, &format!("grant_type=authorization_code&client_id=dev-client&code={code}&{REDIRECT}{more}"))
        .await
}

fn error(answer: &Answer) -> String {
    assert_eq!(answer.status, 400, "{}", answer.text);
    format!(
        "{}: {}",
        answer.body["error"].as_str().expect("a text"),
        answer.body["error_description"].as_str().expect("a text")
    )
}

#[tokio::test]
async fn a_code_becomes_a_refresh_token_without_a_secret() {
    let org = DevOrg::start().await.unwrap();
    let location = location(&org, REQUEST).await;
    assert!(location.ends_with("%3D%3D&state=a%26b"), "{location}");
    let code = code(&org, REQUEST).await;
    let answer = exchange(&org, &code, &format!("&code_verifier={VERIFIER}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["scope"], "refresh_token api");
    let refresh = answer.body["refresh_token"].as_str().unwrap();
    let form = format!("grant_type=refresh_token&client_id=dev-client&refresh_token={refresh}");
    assert_eq!(token(&org, &form).await.status, 200);
}

#[tokio::test]
async fn a_code_is_exchanged_once() {
    let org = DevOrg::start().await.unwrap();
    let code = code(&org, REQUEST).await;
    let verifier = format!("&code_verifier={VERIFIER}");
    assert_eq!(exchange(&org, &code, &verifier).await.status, 200);
    assert_eq!(error(&exchange(&org, &code, &verifier).await), "invalid_grant: expired authorization code");
    assert_eq!(error(&exchange(&org, "guess", &verifier).await), "invalid_grant: invalid authorization code");
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_its_verifier() {
    let org = DevOrg::start().await.unwrap();
    for (more, expected) in [
        (
            format!("&code_verifier={}", VERIFIER.replace("dBj", "dBk")),
            "invalid_grant: invalid code verifier",
        ),
        ("&code_verifier=short".to_owned(), "invalid_grant: invalid code verifier"),
        (
            "&client_secret=dev-secret".to_owned(),
            "invalid_request: missing required parameter: code_verifier",
        ),
    ] {
        let code = code(&org, REQUEST).await;
        assert_eq!(error(&exchange(&org, &code, &more).await), expected, "{more}");
    }
}

#[tokio::test]
async fn without_a_challenge_the_secret_is_needed() {
    let org = DevOrg::start().await.unwrap();
    let plain = format!("response_type=code&client_id=dev-client&{REDIRECT}");
    let refused = exchange(&org, &code(&org, &plain).await, "").await;
    assert_eq!(error(&refused), "invalid_request: missing required parameter: client_secret");
    assert_eq!(exchange(&org, &code(&org, &plain).await, "&client_secret=dev-secret").await.status, 200);
}

#[tokio::test]
async fn a_code_belongs_to_its_redirect_address() {
    let org = DevOrg::start().await.unwrap();
    let code = code(&org, REQUEST).await;
    let form = format!(
        "grant_type=authorization_code&client_id=dev-client&code={code}&redirect_uri=http://127.0.0.1:1/&code_verifier={VERIFIER}"
    );
    let expected = "redirect_uri_mismatch: redirect_uri must match configuration";
    assert_eq!(error(&token(&org, &form).await), expected);
}

#[tokio::test]
async fn a_client_that_asks_for_api_only_gets_no_refresh_token() {
    let org = DevOrg::start().await.unwrap();
    let code = code(&org, &format!("{REQUEST}&scope=api")).await;
    let answer = exchange(&org, &code, &format!("&code_verifier={VERIFIER}")).await;
    assert_eq!((answer.body["scope"].as_str(), answer.body.get("refresh_token")), (Some("api"), None));
}

#[tokio::test]
async fn what_cannot_be_trusted_is_not_redirected() {
    let org = DevOrg::start().await.unwrap();
    let unknown = authorize(&org, &REQUEST.replace("dev-client", "nobody")).await;
    assert_eq!(error(&unknown), "invalid_client_id: client identifier invalid");
    let elsewhere = authorize(&org, &REQUEST.replace("127.0.0.1", "example.com")).await;
    assert_eq!(error(&elsewhere), "redirect_uri_mismatch: redirect_uri must match configuration");
}

#[tokio::test]
async fn refusals_are_carried_back_with_the_state() {
    let org = DevOrg::start().await.unwrap();
    let back = "http://127.0.0.1:1717/callback?error=";
    let token_response = REQUEST.replace("response_type=code", "response_type=token");
    assert_eq!(
        location(&org, &token_response).await,
        format!(
            "{back}unsupported%5Fresponse%5Ftype&error_description=response%20type%20not%20supported&state=a%26b"
        )
    );
    let plain = REQUEST.replace("S256", "plain");
    assert!(location(&org, &plain).await.starts_with(&format!("{back}invalid%5Frequest&")));
    org.login_policy(|policy| policy.user_access = UserAccess::Denied);
    assert_eq!(
        location(&org, REQUEST).await,
        format!("{back}access%5Fdenied&error_description=end%2Duser%20denied%20authorization&state=a%26b")
    );
    org.login_policy(|policy| policy.user_access = UserAccess::UserInactive);
    assert_eq!(location(&org, REQUEST).await, format!("{back}inactive%5Fuser&state=a%26b"));
}

#[tokio::test]
async fn a_fifth_login_beside_it_ends_the_first_refresh_token() {
    let org = DevOrg::start().await.unwrap();
    let first = "grant_type=refresh_token&client_id=dev-client&refresh_token=dev-refresh";
    for _ in 0..4 {
        let code = code(&org, REQUEST).await;
        assert_eq!(exchange(&org, &code, &format!("&code_verifier={VERIFIER}")).await.status, 200);
    }
    assert_eq!(token(&org, first).await.status, 200);
    let code = code(&org, REQUEST).await;
    exchange(&org, &code, &format!("&code_verifier={VERIFIER}")).await;
    assert_eq!(error(&token(&org, first).await), "invalid_grant: expired access/refresh token");
}
