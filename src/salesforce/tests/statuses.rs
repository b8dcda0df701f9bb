//! What becomes of a call whose answer is always the same: for each status, class and `Retry-After`.

use super::super::{CallClass, Error, ErrorClass};
use super::server::{Reply, Server, of_each_class, patient, query, refusal};

/// What becomes of the job in the end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// It fails and is tried again.
    Fails,
    /// The same, after as long as the org asks.
    FailsUntil(u64),
    /// It waits with unchanged retries.
    Waits,
    Refused,
    Unknown,
}

fn fate(error: &Error) -> Fate {
    match (error.class(), error.rest(), error.retry_after()) {
        (ErrorClass::OutcomeUnknown, None, _) => Fate::Unknown,
        (ErrorClass::Business | ErrorClass::Permanent, None, _) => Fate::Refused,
        (ErrorClass::Transient | ErrorClass::Throttled, Some(_), _) => Fate::Waits,
        (ErrorClass::Transient | ErrorClass::Throttled, None, Some(after)) if !after.is_zero() => {
            Fate::FailsUntil(after.as_secs())
        }
        (ErrorClass::Transient, None, _) => Fate::Fails,
        other => panic!("{other:?} of {error}"),
    }
}

/// The fate of a call of each class, and how often it was sent.
async fn fates(reply: &Reply) -> [(Fate, usize); 3] {
    let mut fates = [(Fate::Fails, 0); 3];
    for (fate_of, request) in fates.iter_mut().zip(of_each_class()) {
        let reply = reply.clone();
        let org = Server::org(move |_| reply.clone()).await;
        let error = org.client().send(&request, patient()).await.unwrap_err();
        *fate_of = (fate(&error), org.calls());
        if request.class == CallClass::UnsafeWrite && fate_of.0 == Fate::Unknown {
            assert!(error.to_string().contains("by an external id"), "{error}");
        }
    }
    fates
}

#[tokio::test]
async fn each_status_without_a_code_has_its_fate_for_each_class_and_retry_after() {
    use Fate::{Fails, FailsUntil, Refused, Unknown, Waits};
    let (thrice, later) = ((Fails, 3), (FailsUntil(120), 1));
    for (status, at_once, after_two_minutes) in [
        // Nothing was done: a create may be sent again too.
        (406, [thrice; 3], [later; 3]),
        (408, [thrice; 3], [later; 3]),
        (420, [thrice; 3], [later; 3]),
        (429, [thrice; 3], [later; 3]),
        // Three in a row: the org is down.
        (503, [(Waits, 3); 3], [later; 3]),
        // It is not said whether something was done.
        (500, [thrice, thrice, (Unknown, 1)], [later, later, (Unknown, 1)]),
        (502, [thrice, thrice, (Unknown, 1)], [later, later, (Unknown, 1)]),
        (504, [thrice, thrice, (Unknown, 1)], [later, later, (Unknown, 1)]),
        (400, [(Refused, 1); 3], [(Refused, 1); 3]),
        (501, [(Refused, 1); 3], [(Refused, 1); 3]),
    ] {
        for (retry_after, expected) in
            [(None, at_once), (Some("0"), at_once), (Some("120"), after_two_minutes)]
        {
            let headers = retry_after.map(|after| ("retry-after", after.to_owned())).into_iter().collect();
            let found = fates(&Reply::Answer(status, headers, vec![])).await;
            assert_eq!(found, expected, "{status}, Retry-After {retry_after:?}");
        }
    }
}

#[tokio::test]
async fn each_code_that_passes_by_itself_has_its_fate_for_each_class() {
    use Fate::{Fails, FailsUntil, Unknown, Waits};
    let thrice = (Fails, 3);
    for (status, code, expected) in [
        (400, "UNABLE_TO_LOCK_ROW", [thrice; 3]),
        (503, "SERVER_UNAVAILABLE", [(Waits, 3); 3]),
        (403, "REQUEST_LIMIT_EXCEEDED", [(Waits, 1); 3]),
        (500, "UNKNOWN_EXCEPTION", [thrice, thrice, (Unknown, 1)]),
    ] {
        assert_eq!(fates(&refusal(status, code, "told so")).await, expected, "{code}");
    }
    // A read is not what the org refuses there, so that it is not what reads wait for.
    let maintenance = refusal(503, "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", "read only");
    assert_eq!(fates(&maintenance).await, [(FailsUntil(60), 1), (Waits, 1), (Waits, 1)]);
}

#[tokio::test]
async fn three_calls_that_meet_503_one_after_the_other_open_the_circuit_for_all() {
    let org = Server::org(|_| Reply::Answer(503, vec![("retry-after", "20".to_owned())], vec![])).await;
    let client = org.client();
    for (waits, calls) in [(false, 1), (false, 2), (true, 3), (true, 3)] {
        let error = client.send(&query(), patient()).await.unwrap_err();
        assert_eq!(
            (error.rest().is_some_and(|rest| rest.as_secs() >= 19), org.calls()),
            (waits, calls),
            "{error}"
        );
    }
}
