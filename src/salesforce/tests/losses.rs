//! Lost answers, late answers, and what may be sent again.

use std::time::Duration;

use serde_json::json;
use tokio::{net::TcpListener, time::Instant};

use super::super::{ApiVersion, CallClass, Credentials, ErrorClass, Request, TimeLimit};
use super::server::{
    Reply, Server, answer, create, grant, of_each_class, patient, query, refusal, text, transport,
    transport_with, update, within,
};

fn done() -> Reply {
    answer(200, &json!({"done": true}))
}

#[tokio::test]
async fn a_connection_cut_after_sending_is_survived_by_repeatable_calls_only() {
    for cut in [Reply::Cut, Reply::CutInBody(200, b"{\"id\":".to_vec())] {
        for request in of_each_class() {
            let cut = cut.clone();
            let org = Server::org(move |seen| if seen.number == 1 { cut.clone() } else { done() }).await;
            let result = org.client().send(&request, patient()).await;
            if request.class == CallClass::UnsafeWrite {
                let error = result.unwrap_err();
                assert_eq!((error.code(), error.class()), ("OUTCOME_UNKNOWN", ErrorClass::OutcomeUnknown));
                assert!(error.to_string().contains("by an external id"), "{error}");
                assert_eq!(org.calls(), 1, "sent once");
            } else {
                assert_eq!(result.unwrap().status, 200);
                assert_eq!(org.calls(), 2);
            }
        }
    }
}

#[tokio::test]
async fn a_connection_that_stays_broken_is_tried_three_times() {
    let org = Server::org(|_| Reply::Cut).await;
    let error = org.client().send(&query(), patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("CONNECTION_LOST", ErrorClass::Transient));
    assert!(error.to_string().contains("(3 attempts in "), "{error}");
    assert_eq!(org.calls(), 3);
}

#[tokio::test]
async fn a_refused_connection_proves_that_nothing_was_sent() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    for request in of_each_class() {
        let credentials = Credentials::Bearer { token: "given".into() };
        let client = transport().client(&url, ApiVersion::DEFAULT, credentials).unwrap();
        let error = client.send(&request, patient()).await.unwrap_err();
        assert_eq!((error.code(), error.class()), ("CONNECTION_FAILED", ErrorClass::Transient));
        assert!(error.to_string().contains("(3 attempts in "), "{error}");
        assert!(error.to_string().to_lowercase().contains("connection refused"), "{error}");
        assert!(error.to_string().contains("no connection to 127.0.0.1:"), "{error}");
    }
    let error = transport().client(&url, ApiVersion::DEFAULT, grant()).unwrap();
    let error = error.send(&create(), patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("TOKEN_ENDPOINT_UNAVAILABLE", ErrorClass::Transient));
}

#[tokio::test]
async fn a_failed_tls_handshake_proves_that_nothing_was_sent() {
    let org = Server::org(|_| done()).await;
    let url = org.url().replace("http://", "https://");
    let credentials = Credentials::Bearer { token: "given".into() };
    let client = transport().client(&url, ApiVersion::DEFAULT, credentials).unwrap();
    let error = client.send(&create(), patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("CONNECTION_FAILED", ErrorClass::Transient), "{error}");
    assert_eq!(org.calls(), 0);
}

#[tokio::test]
async fn a_tls_handshake_that_never_ends_proves_that_nothing_was_sent() {
    // Connections are accepted by the system, and nobody ever reads from them.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let transport = transport_with(|options| options.connect_timeout = Duration::from_millis(30));
    let credentials = Credentials::Bearer { token: "given".into() };
    let client = transport.client(&url, ApiVersion::DEFAULT, credentials).unwrap();
    let error = client.send(&create(), patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("CONNECTION_FAILED", ErrorClass::Transient), "{error}");
    assert!(error.to_string().contains("(3 attempts in "), "{error}");
}

#[tokio::test]
async fn a_create_whose_time_ends_while_it_still_connects_was_not_sent() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let credentials = Credentials::Bearer { token: "given".into() };
    let client = transport().client(&url, ApiVersion::DEFAULT, credentials).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let limit = TimeLimit { request_timeout: Duration::from_millis(50), deadline };
    let error = client.send(&create(), limit).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("CONNECTION_FAILED", ErrorClass::Transient), "{error}");
    let words = "no complete answer within 0.1 s; nothing of the body was sent (3 attempts in ";
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn a_delete_that_was_cut_and_finds_the_record_deleted_has_worked() {
    let deleted = || refusal(404, "ENTITY_IS_DELETED", "entity is deleted");
    let id = "001D000000IRFmaIAH".parse().unwrap();
    let delete = Request::delete(&"Account".parse().unwrap(), &id);
    let org = Server::org(move |seen| if seen.number == 1 { Reply::Cut } else { deleted() }).await;
    let response = org.client().send(&delete, patient()).await.unwrap();
    assert_eq!((response.status, response.body), (204, serde_json::Value::Null));
    let busy = || refusal(503, "SERVER_UNAVAILABLE", "overload");
    let org = Server::org(move |seen| if seen.number == 1 { busy() } else { deleted() }).await;
    let error = org.client().send(&delete, patient()).await.unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("ENTITY_IS_DELETED", ErrorClass::Business),
        "another deleted it"
    );
}

#[tokio::test]
async fn a_pooled_connection_that_the_server_closed_harms_no_read() {
    let org = Server::org(|_| Reply::AnswerAndCut(200, b"{}".to_vec())).await;
    let client = org.client();
    for _ in 0..20 {
        client.send(&query(), patient()).await.unwrap();
    }
}

/// Lets time pass at once, each time that the org has got one more of so many calls that it never answers.
async fn pass_after_each(org: &Server, calls: usize, time: Duration) {
    for call in 1..=calls {
        while org.calls() < call {
            tokio::task::yield_now().await;
        }
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_late_answer_is_a_timeout_for_what_may_be_repeated() {
    for (request, code, calls) in
        [(query(), "TIMEOUT", 3), (update(), "TIMEOUT", 3), (create(), "OUTCOME_UNKNOWN", 1)]
    {
        let org = Server::org(|_| Reply::Hang).await;
        let client = org.client();
        client.log_in(patient()).await.unwrap();
        let request_timeout = Duration::from_secs(20);
        let limit = TimeLimit { request_timeout, deadline: Instant::now() + Duration::from_mins(10) };
        let (result, ()) =
            tokio::join!(client.send(&request, limit), pass_after_each(&org, calls, request_timeout));
        let error = result.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains("no complete answer within 20.0 s"), "{error}");
        assert_eq!(org.calls(), calls);
    }
}

#[tokio::test]
async fn no_attempt_outlives_the_deadline() {
    let org = Server::org(|_| Reply::Hang).await;
    let client = org.client();
    client.log_in(patient()).await.unwrap();
    let deadline = Duration::from_secs(20);
    let query = query();
    let (result, ()) =
        tokio::join!(client.send(&query, within(deadline)), pass_after_each(&org, 1, deadline));
    let error = result.unwrap_err();
    // The timeout of a request is longer.
    assert_eq!((error.code(), org.calls()), ("TIMEOUT", 1));
    let error = client.send(&create(), within(Duration::ZERO)).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("TIMEOUT", ErrorClass::Transient), "not sent, so not unknown");
    assert_eq!(org.calls(), 1);
}

#[tokio::test]
async fn what_proves_that_nothing_was_done_is_repeated_even_for_a_create() {
    for refused in [
        refusal(503, "SERVER_UNAVAILABLE", "overload"),
        refusal(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"),
        text(503, "<html><title>Maintenance</title>"),
        Reply::Answer(429, vec![("retry-after", "0".to_owned())], vec![]),
        text(420, ""),
    ] {
        for request in of_each_class() {
            let refused = refused.clone();
            let org = Server::org(move |seen| if seen.number < 3 { refused.clone() } else { done() }).await;
            org.client().send(&request, patient()).await.unwrap();
            assert_eq!(org.calls(), 3);
        }
    }
}

#[tokio::test]
async fn a_gateway_error_leaves_the_outcome_of_a_create_unknown() {
    for status in [500, 502, 504] {
        for request in of_each_class() {
            let org = Server::org(move |_| text(status, "<html>Bad Gateway")).await;
            let error = org.client().send(&request, patient()).await.unwrap_err();
            if request.class == CallClass::UnsafeWrite {
                assert_eq!((error.code(), error.class()), ("OUTCOME_UNKNOWN", ErrorClass::OutcomeUnknown));
                assert_eq!(org.calls(), 1);
            } else {
                assert_eq!(
                    (error.code(), error.class()),
                    (format!("HTTP_{status}").as_str(), ErrorClass::Transient)
                );
                assert_eq!(org.calls(), 3);
            }
            assert_eq!(error.response().unwrap().status, status);
        }
    }
}

#[tokio::test]
async fn a_limit_goes_back_to_the_job_at_once() {
    let org = Server::org(|_| refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")).await;
    let error = org.client().send(&query(), patient()).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("REQUEST_LIMIT_EXCEEDED", ErrorClass::Throttled));
    assert_eq!((error.retry_after(), org.calls()), (Some(Duration::from_mins(1)), 1));
}

#[tokio::test]
async fn a_long_retry_after_goes_back_to_the_job() {
    let busy = || Reply::Answer(503, vec![("retry-after", "120".to_owned())], vec![]);
    let org = Server::org(move |_| busy()).await;
    let error = org.client().send(&query(), patient()).await.unwrap_err();
    assert_eq!((error.retry_after(), org.calls()), (Some(Duration::from_mins(2)), 1));
}

#[tokio::test]
async fn a_query_that_times_out_twice_is_a_mistake_of_the_model() {
    let org =
        Server::org(|_| refusal(400, "QUERY_TIMEOUT", "Your query request was running for too long.")).await;
    let error = org.client().send(&query(), patient()).await.unwrap_err();
    assert_eq!((error.class(), org.calls()), (ErrorClass::Permanent, 2));
}

#[tokio::test]
async fn an_upsert_that_lost_a_race_is_sent_once_more() {
    let lost = || refusal(400, "DUPLICATE_VALUE", "duplicate value found: Key__c");
    let org = Server::org(move |seen| if seen.number == 1 { lost() } else { done() }).await;
    org.client().send(&update(), patient()).await.unwrap();
    let org = Server::org(move |_| lost()).await;
    let error = org.client().send(&create(), patient()).await.unwrap_err();
    assert_eq!((error.class(), org.calls()), (ErrorClass::Business, 1));
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_a_lost_one() {
    let garbage: [&[u8]; 4] = [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nZZZ\r\n{}\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ];
    for bytes in garbage {
        let org = Server::org(move |_| Reply::Raw(bytes)).await;
        let error = org.client().send(&query(), patient()).await.unwrap_err();
        assert_eq!((error.code(), org.calls()), ("CONNECTION_LOST", 3), "{error}");
        let org = Server::org(move |_| Reply::Raw(bytes)).await;
        let error = org.client().send(&create(), patient()).await.unwrap_err();
        assert_eq!((error.code(), org.calls()), ("OUTCOME_UNKNOWN", 1), "{error}");
    }
}

#[tokio::test]
async fn what_comes_after_the_announced_length_is_not_taken_for_the_next_answer() {
    let longer = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{\"done\":true}HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n\"wrong\"";
    let org = Server::org(move |seen| if seen.number == 1 { Reply::Raw(longer) } else { done() }).await;
    let client = org.client();
    for _ in 0..2 {
        let answer = client.send(&query(), patient()).await.unwrap();
        assert_eq!(answer.body, json!({"done": true}));
    }
}

#[tokio::test]
async fn an_answer_that_drips_without_end_is_ended_by_the_request_timeout() {
    for (request, code) in [(query(), "TIMEOUT"), (create(), "OUTCOME_UNKNOWN")] {
        let org = Server::org(|_| Reply::Drip).await;
        let client = org.client();
        client.log_in(patient()).await.unwrap();
        let request_timeout = Duration::from_millis(100);
        let limit = TimeLimit { request_timeout, deadline: Instant::now() + Duration::from_secs(30) };
        let error = client.send(&request, limit).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains("no complete answer within 0.1 s"), "{error}");
    }
}
