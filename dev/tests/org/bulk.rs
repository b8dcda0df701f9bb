//! Bulk API 2.0: ingest jobs from their first request to their results.

use std::io::ErrorKind;
use std::time::Duration;

use salesforce_connector_dev::org::{DevOrg, Fault, FaultRule};
use serde_json::{Value, json};

use crate::client::{Answer, Client, send};

const INGEST: &str = "jobs/ingest";

async fn start() -> (DevOrg, Client) {
    start_with(DevOrg::builder().bulk_pace(Duration::ZERO, 2)).await
}

async fn start_with(builder: salesforce_connector_dev::org::DevOrgBuilder) -> (DevOrg, Client) {
    let org = builder.start().await.expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

/// Sends CSV; `None` where the connection was cut.
async fn try_upload(client: &Client, id: &str, csv: &str) -> std::io::Result<Answer> {
    let bearer = format!("Bearer {}", client.token);
    let target = format!("/services/data/{}/{INGEST}/{id}/batches", client.version);
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/csv; charset=UTF-8")];
    send(client.address, "PUT", &target, &headers, csv).await
}

async fn create(client: &Client, body: Value) -> String {
    let answer = client.call("POST", INGEST, &body.to_string()).await;
    assert_eq!((answer.status, &answer.body["state"]), (200, &json!("Open")), "{}", answer.text);
    answer.body["id"].as_str().expect("an id").to_owned()
}

async fn set(client: &Client, id: &str, state: &str) -> Answer {
    client.call("PATCH", &format!("{INGEST}/{id}"), &json!({ "state": state }).to_string()).await
}

async fn look(client: &Client, id: &str) -> Value {
    let answer = client.get(&format!("{INGEST}/{id}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

/// State, rows processed and rows failed.
fn standing(job: &Value) -> (&str, u64, u64) {
    let count = |name: &str| job[name].as_u64().expect("a number");
    (job["state"].as_str().expect("a state"), count("numberRecordsProcessed"), count("numberRecordsFailed"))
}

async fn results(client: &Client, id: &str, which: &str) -> String {
    let answer = client.get(&format!("{INGEST}/{id}/{which}")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/csv")));
    answer.text
}

/// Creates a job, uploads to it, and closes it.
async fn run(client: &Client, body: Value, csv: &str) -> String {
    let id = create(client, body).await;
    assert_eq!(try_upload(client, &id, csv).await.expect("an answer").status, 201);
    let closed = set(client, &id, "UploadComplete").await;
    assert_eq!((closed.status, &closed.body["state"]), (200, &json!("UploadComplete")));
    id
}

fn insert(object: &str) -> Value {
    json!({ "object": object, "operation": "insert" })
}

#[tokio::test]
async fn a_job_goes_through_its_states_and_tells_what_became_of_each_row() {
    let (org, client) = start().await;
    org.bulk().hold();
    let csv = "Name,NumberOfEmployees\nA,5\n,6\nC,many\n";
    let id = run(&client, insert("Account"), csv).await;
    assert_eq!(standing(&look(&client, &id).await), ("UploadComplete", 0, 0));
    for expected in [("InProgress", 0, 0), ("InProgress", 2, 1), ("JobComplete", 3, 2)] {
        assert_eq!(org.bulk().step(), 1);
        assert_eq!(standing(&look(&client, &id).await), expected);
    }
    assert_eq!(org.bulk().step(), 0);
    let records = org.records("Account");
    assert_eq!((records.len(), &records[0]["NumberOfEmployees"]), (1, &json!(5)));
    let account = records[0]["Id"].as_str().unwrap();
    assert_eq!(
        results(&client, &id, "successfulResults").await,
        format!("\"sf__Id\",\"sf__Created\",Name,NumberOfEmployees\n\"{account}\",\"true\",\"A\",\"5\"\n")
    );
    assert_eq!(
        results(&client, &id, "failedResults").await,
        "\"sf__Id\",\"sf__Error\",Name,NumberOfEmployees\n\
         \"\",\"REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --\",\"\",\"6\"\n\
         \"\",\"INVALID_TYPE_ON_FIELD_IN_RECORD:Employees: value not of required type: many:NumberOfEmployees --\",\
         \"C\",\"many\"\n"
    );
    assert_eq!(results(&client, &id, "unprocessedrecords").await, "Name,NumberOfEmployees\n");
}

#[tokio::test]
async fn a_job_is_described_in_salesforces_words() {
    let (_org, client) = start().await;
    let body = json!({ "object": "account", "operation": "upsert", "externalIdFieldName": "external_key__c",
        "contentType": "CSV", "columnDelimiter": "TAB", "lineEnding": "CRLF" });
    let created = client.call("POST", INGEST, &body.to_string()).await;
    let id = created.body["id"].as_str().expect("an id");
    let now = &created.body["createdDate"];
    assert_eq!(
        created.body,
        json!({ "id": id, "operation": "upsert", "object": "Account", "createdById": "005Dv0000000001IAA",
            "createdDate": now, "systemModstamp": now, "state": "Open", "externalIdFieldName": "External_Key__c",
            "concurrencyMode": "Parallel", "contentType": "CSV", "apiVersion": 67.0,
            "contentUrl": format!("services/data/v67.0/jobs/ingest/{id}/batches"), "lineEnding": "CRLF",
            "columnDelimiter": "TAB" })
    );
    assert!(id.starts_with("750") && created.text.contains("\"apiVersion\":67.0"));
    let mut info = created.body.clone();
    for (name, value) in [("jobType", json!("V2Ingest")), ("numberRecordsProcessed", json!(0))] {
        info[name] = value;
    }
    for name in [
        "numberRecordsFailed",
        "retries",
        "totalProcessingTime",
        "apiActiveProcessingTime",
        "apexProcessingTime",
    ] {
        info[name] = json!(0);
    }
    assert_eq!(look(&client, id).await, info);
    let aborted = set(&client, id, "Aborted").await.body;
    assert_eq!((&aborted["state"], aborted.get("contentUrl")), (&json!("Aborted"), None));
}

#[tokio::test(start_paused = true)]
async fn a_job_takes_its_time() {
    let (org, client) = start_with(DevOrg::builder().bulk_pace(Duration::from_secs(10), 1)).await;
    let id = run(&client, insert("Account"), "Name\nA\nB\n").await;
    let mut seen = vec![org.bulk().list()[0]["state"].clone()];
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(10)).await;
        seen.push(org.bulk().list()[0]["state"].clone());
        seen.push(json!(org.records("Account").len()));
    }
    let expected = json!(["UploadComplete", "InProgress", 0, "InProgress", 1, "JobComplete", 2]);
    assert_eq!((json!(seen), look(&client, &id).await["id"].as_str()), (expected, Some(id.as_str())));
}

#[tokio::test]
async fn rows_change_what_their_cells_hold() {
    let (org, client) = start().await;
    let kept = org.insert("Account", json!({ "Name": "kept", "Phone": "1", "Site": "s" })).unwrap();
    let parent = org.insert("Account", json!({ "Name": "parent", "External_Key__c": "p" })).unwrap();
    let csv = format!(
        "Id,Phone,Site,Parent.External_Key__c,Description\n\
         {kept},#N/A,,p,\"two\nlines, \"\"quoted\"\"\"\n\
         001000000000001AAA,1,,,\n,1,,,\nno id,1,,,\n{kept},1,,unknown,\n"
    );
    let id = run(&client, json!({ "object": "Account", "operation": "update" }), &csv).await;
    assert_eq!(standing(&look(&client, &id).await), ("JobComplete", 5, 4));
    let record = &org.records("Account")[0];
    assert_eq!(
        [&record["Phone"], &record["Site"], &record["ParentId"], &record["Description"]],
        [&Value::Null, &json!("s"), &json!(parent), &json!("two\nlines, \"quoted\"")]
    );
    let failed = results(&client, &id, "failedResults").await;
    let starts: Vec<&str> = failed.lines().skip(1).map(|line| line.split(":--").next().unwrap()).collect();
    assert_eq!(
        starts,
        [
            "\"\",\"INVALID_CROSS_REFERENCE_KEY:invalid cross reference id",
            "\"\",\"MISSING_ARGUMENT:Id not specified in an update call",
            "\"\",\"MALFORMED_ID:Account ID: id value of incorrect type: no id:Id --\",\"no id\",\"1\",\"\",\"\",\"\"",
            &format!(
                "\"{kept}\",\"INVALID_FIELD:Foreign key external ID: unknown not found for field External_Key__c in entity \
                 Account"
            ),
        ]
    );
    assert!(results(&client, &id, "successfulResults").await.contains(&format!("\"{kept}\",\"false\"")));
}

#[tokio::test]
async fn upserts_make_or_change_and_refuse_a_key_that_is_given_twice() {
    let (org, client) = start_with(DevOrg::builder()).await;
    org.insert("Account", json!({ "Name": "old", "External_Key__c": "k1" })).unwrap();
    let body = json!({ "object": "Account", "operation": "upsert", "externalIdFieldName": "External_Key__c",
        "columnDelimiter": "SEMICOLON", "lineEnding": "CRLF" });
    let csv = "External_Key__c;Name\r\nk1;new\r\nk2;B\r\nk3;C\r\nk3;D\r\n;E\r\n";
    let id = run(&client, body, csv).await;
    assert_eq!(standing(&look(&client, &id).await), ("JobComplete", 5, 3));
    let saved = results(&client, &id, "successfulResults").await;
    let created: Vec<bool> = saved
        .split("\r\n")
        .filter(|line| line.contains(";\"k"))
        .map(|line| line.contains("\"true\""))
        .collect();
    assert_eq!(created, [false, true]);
    let failed = results(&client, &id, "failedResults").await;
    assert_eq!(failed.matches("DUPLICATE_VALUE:Duplicate external id specified: k3:").count(), 2);
    assert!(failed.contains("\"MISSING_ARGUMENT:External_Key__c not specified:--\";\"\";\"E\"\r\n"));
    let names: Vec<Value> = org.records("Account").into_iter().map(|record| record["Name"].clone()).collect();
    assert_eq!(names, ["new", "B"]);
}

#[tokio::test]
async fn a_delete_leaves_its_records_in_the_recycle_bin_and_a_hard_delete_does_not() {
    let (org, client) = start().await;
    let account = org.insert("Account", json!({ "Name": "A" })).unwrap();
    let other = org.insert("Account", json!({ "Name": "B" })).unwrap();
    let contact = org.insert("Contact", json!({ "LastName": "L", "AccountId": other })).unwrap();
    for (operation, record) in [("delete", &account), ("hardDelete", &other)] {
        let body = json!({ "object": "Account", "operation": operation });
        let id = run(&client, body, &format!("Id\n{record}\n{record}\n")).await;
        // The second row comes too late.
        assert_eq!(standing(&look(&client, &id).await), ("JobComplete", 2, 1));
    }
    assert!(org.records("Account").is_empty());
    let all = client.get("queryAll?q=SELECT+Id+FROM+Account").await;
    assert_eq!((&all.body["totalSize"], &all.body["records"][0]["Id"]), (&json!(1), &json!(account)));
    assert_eq!(client.get(&format!("sobjects/Account/{account}")).await.code(), "ENTITY_IS_DELETED");
    assert_eq!(client.get(&format!("sobjects/Account/{other}")).await.code(), "NOT_FOUND");
    // It went with its account.
    let orphans = client.get(&format!("queryAll?q=SELECT+Id+FROM+Contact+WHERE+Id='{contact}'")).await;
    assert_eq!((&orphans.body["totalSize"], org.records("Contact").len()), (&json!(0), 0));
}

#[tokio::test]
async fn data_that_cannot_be_taken_in_fails_the_whole_job() {
    let (org, client) = start().await;
    let delete = json!({ "object": "Account", "operation": "delete" });
    let crlf = json!({ "object": "Account", "operation": "insert", "lineEnding": "CRLF" });
    let lines = |setting| {
        format!(
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {setting}"
        )
    };
    for (body, csv, message) in [
        (insert("Account"), "Name,Nonsense\nA,B\n", "InvalidBatch : Field name not found : Nonsense".into()),
        (
            insert("Account"),
            "Name,Parent.Name\nA,B\n",
            "InvalidBatch : Field name not found : Parent.Name".into(),
        ),
        (insert("Account"), "\u{feff}Name\nA\n", "InvalidBatch : Field name not found : \u{feff}Name".into()),
        (delete, "Id,Name\n,B\n", "InvalidBatch : The 'delete' batch must contain only ids".into()),
        (insert("Account"), "Name\r\nA\r\n", lines("LF")),
        (crlf, "Name\nA\n", lines("CRLF")),
        (insert("Account"), "", "InvalidBatch : Records not found".into()),
    ] {
        let id = run(&client, body, csv).await;
        let job = look(&client, &id).await;
        assert_eq!((standing(&job), &job["errorMessage"]), (("Failed", 0, 0), &json!(message)), "{csv:?}");
    }
    let id = create(&client, insert("Account")).await;
    set(&client, &id, "UploadComplete").await;
    assert_eq!(look(&client, &id).await["errorMessage"], "InvalidBatch : Records not found");
    assert!(org.records("Account").is_empty());
}

#[tokio::test]
async fn what_an_aborted_or_failed_job_has_saved_stays_and_the_rest_is_unprocessed() {
    let (org, client) = start().await;
    org.bulk().hold();
    for fails in [false, true] {
        let id = run(&client, insert("Account"), "Name\nA\nB\nC\n").await;
        assert_eq!((org.bulk().step(), org.bulk().step()), (1, 1));
        if fails {
            assert_eq!(org.bulk().fail("InternalServerError : out of luck"), 1);
            assert_eq!(look(&client, &id).await["errorMessage"], "InternalServerError : out of luck");
        } else {
            assert_eq!(set(&client, &id, "Aborted").await.body["state"], "Aborted");
        }
        assert_eq!(org.bulk().step(), 0);
        assert_eq!(standing(&look(&client, &id).await).1, 2);
        assert_eq!(results(&client, &id, "successfulResults").await.lines().count(), 3);
        assert_eq!(results(&client, &id, "unprocessedRecords").await, "Name\n\"C\"\n");
    }
    assert_eq!(org.records("Account").len(), 4);
}

#[tokio::test]
async fn each_request_needs_a_job_in_the_right_state() {
    let (org, client) = start().await;
    org.bulk().hold();
    let id = create(&client, insert("Account")).await;
    let refused = |answer: Answer| (answer.status, answer.code().to_owned(), answer.message().to_owned());
    let state = |message: &str| (400, "INVALIDJOBSTATE".to_owned(), message.to_owned());
    let path = format!("{INGEST}/{id}");
    let open = "InvalidJobState : A job in state Open cannot be deleted";
    assert_eq!(refused(client.call("DELETE", &path, "").await), state(open));
    assert_eq!(try_upload(&client, &id, "Name\nA\n").await.unwrap().status, 201);
    let (status, code, message) = refused(try_upload(&client, &id, "Name\nA\n").await.unwrap());
    assert_eq!((status, code.as_str()), (400, "BULK_API_ERROR"));
    assert!(
        message.starts_with(&format!("Found multiple contents for job: <{}>, please", &id[..15])),
        "{message}"
    );
    set(&client, &id, "UploadComplete").await;
    let closed = "Closing already closed Job not allowed";
    assert_eq!(refused(set(&client, &id, "UploadComplete").await), state(closed));
    let late = refused(try_upload(&client, &id, "Name\nB\n").await.unwrap());
    assert_eq!(late, state("InvalidJobState : Data cannot be added to a job in state UploadComplete"));
    org.bulk().release();
    for (wanted, message) in [
        ("UploadComplete", "Closing already Completed Job not allowed"),
        ("Aborted", "Aborting already Completed Job not allowed"),
        ("Open", "InvalidJobState : A job cannot be put into state 'Open'"),
    ] {
        assert_eq!(refused(set(&client, &id, wanted).await), state(message));
    }
    assert_eq!(org.records("Account").len(), 1);
    assert_eq!(client.call("DELETE", &path, "").await.status, 204);
    for answer in [
        client.get(&path).await,
        client.call("DELETE", &path, "").await,
        client.get(&format!("{path}/successfulResults")).await,
        try_upload(&client, &id, "Name\n").await.unwrap(),
        client.get(&format!("{INGEST}/nonsense")).await,
    ] {
        assert_eq!((answer.status, answer.code()), (404, "NOT_FOUND"));
    }
}

#[tokio::test]
async fn a_job_that_makes_no_sense_is_not_created() {
    let (org, client) = start().await;
    let upsert =
        |field: Value| json!({ "object": "Account", "operation": "upsert", "externalIdFieldName": field });
    let with = |name: &str, value: &str| {
        let mut body = insert("Account");
        body[name] = json!(value);
        body
    };
    for (body, code, message) in [
        (insert("Nope"), "INVALIDJOB", "InvalidJob : Unable to find object: Nope"),
        (json!({ "operation": "insert" }), "INVALIDJOB", "InvalidJob : Unable to find object: "),
        (
            upsert(Value::Null),
            "INVALIDJOB",
            "InvalidJob : External ID was blank for Account. An External ID must be specified for upsert.",
        ),
        (
            upsert(json!("Phone")),
            "INVALIDJOB",
            "InvalidJob : Field name provided, Phone does not match an External ID, Salesforce Id, or indexed field for \
             Account",
        ),
        (
            with("operation", "query"),
            "API_ERROR",
            "Invalid value: 'query' supplied for property: 'operation'",
        ),
        (
            with("contentType", "JSON"),
            "API_ERROR",
            "Invalid value: 'JSON' supplied for property: 'contentType'",
        ),
        (with("lineEnding", "CR"), "API_ERROR", "Invalid value: 'CR' supplied for property: 'lineEnding'"),
        (
            with("columnDelimiter", ";"),
            "API_ERROR",
            "Invalid value: ';' supplied for property: 'columnDelimiter'",
        ),
        (
            with("externalId", "Id"),
            "JSON_PARSER_ERROR",
            "Unrecognized field \"externalId\", not marked as ignorable",
        ),
    ] {
        let answer = client.call("POST", INGEST, &body.to_string()).await;
        assert_eq!((answer.status, answer.code(), answer.message()), (400, code, message), "{body}");
    }
    assert!(org.bulk().list().is_empty());
}

#[tokio::test]
async fn a_lost_answer_leaves_its_effect() {
    let (org, client) = start().await;
    let id = create(&client, insert("Account")).await;
    for (method, part) in [("PUT", "/batches"), ("PATCH", "/jobs/ingest/")] {
        org.faults().add(FaultRule::new(Fault::CloseAfter).method(method).path(part));
    }
    let lost = try_upload(&client, &id, "Name\nA\n").await.unwrap_err();
    assert!(matches!(lost.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset), "{lost}");
    assert_eq!(try_upload(&client, &id, "Name\nA\n").await.unwrap().code(), "BULK_API_ERROR");
    let close = json!({ "state": "UploadComplete" }).to_string();
    assert!(client.try_send("PATCH", &format!("{INGEST}/{id}"), &[], &close).await.is_err());
    assert_eq!(standing(&look(&client, &id).await), ("JobComplete", 1, 0));
    assert_eq!((org.records("Account").len(), org.faults().pending()), (1, 0));
}

#[tokio::test]
async fn jobs_are_listed_in_pages() {
    let (_org, client) = start_with(DevOrg::builder().page_size(2)).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(create(&client, insert("Account")).await);
    }
    let first = client.get(&format!("{INGEST}?jobType=V2Ingest")).await.body;
    assert_eq!((&first["done"], first["records"].as_array().map(Vec::len)), (&json!(false), Some(2)));
    let next = first["nextRecordsUrl"].as_str().expect("a second page");
    let second = client.get(next).await.body;
    assert_eq!((&second["done"], second.get("nextRecordsUrl")), (&json!(true), None));
    assert_eq!(second["records"][0]["id"], json!(ids[2]));
    assert_eq!(client.get(&format!("{INGEST}?jobType=Classic")).await.body["records"], json!([]));
}

#[tokio::test]
async fn an_upload_may_be_larger_than_other_bodies_but_not_endless() {
    let (org, client) = start_with(DevOrg::builder()).await;
    let id = create(&client, insert("Account")).await;
    let row = format!("\"{}\"\n", "x".repeat(1_000_000));
    let csv = format!("Name\n{}", row.repeat(51));
    assert_eq!(try_upload(&client, &id, &csv).await.unwrap().status, 201);
    set(&client, &id, "UploadComplete").await;
    let job = look(&client, &id).await;
    assert_eq!(standing(&job), ("JobComplete", 51, 51));
    let id = create(&client, insert("Account")).await;
    let endless = try_upload(&client, &id, &format!("Name\n{}", row.repeat(113))).await;
    assert!(endless.is_err() || endless.is_ok_and(|answer| answer.status == 413));
    assert!(org.records("Account").is_empty());
}
