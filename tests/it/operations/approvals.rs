//! Approvals over DevOrg: submitted, decided step by step, and never decided twice.

use salesforce_connector::zeebe::Outcome;
use salesforce_connector_dev::org::{DevOrg, Fault, Reply};
use serde_json::{Value, json};

use crate::handler::{Bench, code};

const RECORD: &str = "006Dv0000000017IAA";

/// Discounts need two steps: one approver, then both of two.
async fn start() -> Bench {
    let user = |id: &str, name: &str| json!({"Id": id, "Username": name, "LastName": name, "Email": name, "Alias": "a"});
    let seed = json!({
        "records": {
            "User": [user(BOSS, "boss@example.com"), user(CFO, "cfo@example.com")],
            "Opportunity": [
                {"Id": RECORD, "Name": "Big", "StageName": "Qualification", "CloseDate": "2026-12-31"},
                {"Name": "Small", "StageName": "Prospecting", "CloseDate": "2026-12-31"},
            ],
        },
        "automation": {"approvalProcesses": [{
            "name": "Discount", "object": "Opportunity", "entryCriteria": {"StageName": "Qualification"},
            "steps": [["boss@example.com"], ["boss@example.com", "cfo@example.com"]],
        }]},
    });
    Bench::start_with(DevOrg::builder().seed(seed).start().await.unwrap(), |_| ())
}

const BOSS: &str = "005Dv000000001BIAQ";
const CFO: &str = "005Dv000000001CIAQ";

fn submit() -> Value {
    json!({"type": "submitForApproval", "objectId": RECORD, "comments": "12 %"})
}

fn decide(operation: &str) -> Value {
    json!({"type": operation, "objectId": RECORD, "comments": "fine"})
}

fn instance(bench: &Bench) -> Value {
    bench.org.records("ProcessInstance").pop().unwrap()
}

fn decisions(bench: &Bench) -> Vec<Value> {
    bench.org.records("ProcessInstanceStep").into_iter().map(|step| step["StepStatus"].clone()).collect()
}

#[tokio::test]
async fn a_record_is_submitted_and_approved_step_by_step() {
    let bench = start().await;
    let submitted = bench.result(submit(), "body").await;
    assert_eq!((&submitted["instanceStatus"], &submitted["entityId"]), (&json!("Pending"), &json!(RECORD)));
    assert_eq!(submitted["actorIds"], json!([BOSS]));
    let first = bench.result(decide("approve"), "body").await;
    assert_eq!((&first["instanceStatus"], &first["actorIds"]), (&json!("Pending"), &json!([BOSS, CFO])));

    let mut of_boss = decide("approve");
    of_boss["approverId"] = json!(BOSS);
    assert_eq!(bench.result(of_boss, "body").await["instanceStatus"], "Pending");
    let last = bench.result(decide("approve"), "body").await;
    assert_eq!((&last["instanceStatus"], &last["newWorkitemIds"]), (&json!("Approved"), &json!([])));
    assert_eq!(decisions(&bench), ["Started", "Approved", "Approved", "Approved"]);
    assert_eq!(bench.org.records("ProcessInstanceStep")[1]["Comments"], "fine");
}

#[tokio::test]
async fn a_rejection_ends_the_approval_and_a_work_item_may_be_named() {
    let bench = start().await;
    let item = bench.result(submit(), "body").await["newWorkitemIds"][0].clone();
    let mut reject = decide("reject");
    reject["workItemId"] = item;
    let queries = || bench.org.requests().iter().filter(|request| request.path.ends_with("/query")).count();
    assert_eq!(bench.result(reject.clone(), "body").await["instanceStatus"], "Rejected");
    assert_eq!((queries(), instance(&bench)["Status"].clone()), (0, json!("Rejected")));
    let failure = bench.failure(reject, &[]).await;
    assert_eq!((code(&failure), failure.retries), ("INVALID_CROSS_REFERENCE_KEY", 0));
}

#[tokio::test]
async fn what_cannot_be_submitted_is_a_business_error() {
    let bench = start().await;
    bench.result(submit(), "body").await;
    let outcome = bench.run(submit(), &[("bpmnErrors", "business")]).await;
    let Outcome::ThrowError { code: thrown, message, .. } = outcome else { panic!("{outcome:#?}") };
    assert_eq!(thrown, "ALREADY_IN_PROCESS");
    assert!(message.contains("Cannot submit object already in process."), "{message}");

    let small = bench.org.records("Opportunity")[1]["Id"].clone();
    let mut other = submit();
    other["objectId"] = small;
    assert_eq!(code(&bench.failure(other.clone(), &[]).await), "NO_APPLICABLE_PROCESS");
    other["processDefinitionNameOrId"] = json!("Discount");
    other["skipEntryCriteria"] = json!(true);
    assert_eq!(bench.result(other, "body").await["instanceStatus"], "Pending");

    let mut missing = submit();
    missing["objectId"] = json!("006Dv0000000099IAA");
    assert_eq!(code(&bench.failure(missing, &[]).await), "INVALID_CROSS_REFERENCE_KEY");
}

#[tokio::test]
async fn a_refusal_with_a_status_of_success_is_one() {
    let bench = start().await;
    let refused = json!([{"success": false, "errors": [{"statusCode": "ALREADY_IN_PROCESS", "message": "m", "fields": []}]}]);
    bench.strike("POST", "/process/approvals", Fault::Respond(Reply::new(200, refused.to_string())));
    assert_eq!(code(&bench.failure(submit(), &[]).await), "ALREADY_IN_PROCESS");
    bench.strike("POST", "/process/approvals", Fault::Respond(Reply::new(200, "[]")));
    assert_eq!(code(&bench.failure(submit(), &[]).await), "INVALID_RESPONSE");
}

#[tokio::test]
async fn a_decision_needs_exactly_one_request_that_waits() {
    let bench = start().await;
    let failure = bench.failure(decide("approve"), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("NO_WORK_ITEM", 0));
    bench.result(submit(), "body").await;
    bench.result(decide("approve"), "body").await;
    let failure = bench.failure(decide("reject"), &[]).await;
    assert_eq!(code(&failure), "SEVERAL_WORK_ITEMS");
    assert!(failure.message.contains(BOSS) && failure.message.contains(CFO), "{}", failure.message);
    let mut of_nobody = decide("approve");
    of_nobody["approverId"] = json!("00GDv0000000001MAA");
    assert_eq!(code(&bench.failure(of_nobody, &[]).await), "NO_WORK_ITEM");
    assert_eq!(decisions(&bench), ["Started", "Approved"]);
}

#[tokio::test]
async fn a_decision_whose_answer_is_lost_does_not_decide_about_the_next_step() {
    let bench = start().await;
    bench.strike("POST", "/process/approvals", Fault::CloseAfter);
    let failure = bench.failure(submit(), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("OUTCOME_UNKNOWN", 0));
    assert_eq!(bench.org.records("ProcessInstance").len(), 1);
    assert_eq!(
        code(&bench.failure(submit(), &[]).await),
        "ALREADY_IN_PROCESS",
        "that tells that it was done"
    );

    bench.strike("POST", "/process/approvals", Fault::CloseAfter);
    let failure = bench.failure(decide("approve"), &[]).await;
    assert_eq!((code(&failure), failure.retries), ("OUTCOME_UNKNOWN", 0));
    assert_eq!(decisions(&bench), ["Started", "Approved"]);
}
