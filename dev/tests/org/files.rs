//! Files: versions, their document, their content and their links.

use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

fn parts(entity: &Value, content: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"entity_content\"\r\nContent-Type: application/json\r\n\r\n\
         {entity}\r\n--b\r\nContent-Disposition: form-data; name=\"VersionData\"; filename=\"a.txt\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{content}\r\n--b--\r\n"
    )
}

async fn upload(client: &Client, entity: &Value, content: &str) -> Answer {
    let kind = ("content-type", "multipart/form-data; boundary=b");
    let target = "/services/data/v67.0/sobjects/ContentVersion";
    let bearer = format!("Bearer {}", client.token);
    let headers = [("authorization", bearer.as_str()), kind];
    crate::client::send(client.address, "POST", target, &headers, &parts(entity, content))
        .await
        .expect("an answer")
}

async fn get(client: &Client, path: &str) -> Value {
    let answer = client.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

#[tokio::test]
async fn a_file_has_a_document_that_is_linked_to_its_owner_and_its_first_location() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    let account = client.create("Account", &json!({"Name": "Acme"})).await;
    let entity = json!({"PathOnClient": "C:\\bills\\march.txt", "FirstPublishLocationId": account});
    let answer = upload(&client, &entity, "to pay").await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let id = answer.body["id"].as_str().unwrap().to_owned();
    let version = get(&client, &format!("sobjects/ContentVersion/{id}")).await;
    assert_eq!((&version["Title"], &version["FileExtension"]), (&json!("march"), &json!("txt")));
    assert_eq!((&version["ContentSize"], &version["VersionNumber"]), (&json!(6), &json!("1")));
    assert_eq!(
        version["VersionData"],
        format!("/services/data/v67.0/sobjects/ContentVersion/{id}/VersionData")
    );
    assert_eq!(client.get(&format!("sobjects/ContentVersion/{id}/VersionData")).await.text, "to pay");
    let links = org.records("ContentDocumentLink");
    let shares: Vec<_> =
        links.iter().map(|link| (link["LinkedEntityId"].as_str(), link["ShareType"].as_str())).collect();
    let owner = version["OwnerId"].as_str();
    assert_eq!(shares, [(owner, Some("I")), (Some(account.as_str()), Some("V"))]);
}

#[tokio::test]
async fn a_new_version_takes_the_place_of_the_latest() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    let first =
        client.create("ContentVersion", &json!({"PathOnClient": "a.txt", "VersionData": "b25l"})).await;
    let document =
        get(&client, &format!("sobjects/ContentVersion/{first}")).await["ContentDocumentId"].clone();
    let entity = json!({"PathOnClient": "b.csv", "ContentDocumentId": document});
    let second = upload(&client, &entity, "two,2").await.body["id"].clone();
    let document = document.as_str().unwrap();
    let latest = get(&client, &format!("sobjects/ContentDocument/{document}/LatestPublishedVersion")).await;
    assert_eq!((&latest["Id"], &latest["VersionNumber"]), (&second, &json!("2")));
    let known =
        get(&client, &format!("sobjects/ContentDocument/{document}?fields=Title,FileType,ContentSize")).await;
    assert_eq!(
        (&known["Title"], &known["FileType"], &known["ContentSize"]),
        (&json!("b"), &json!("CSV"), &json!(5))
    );
    let query = "query?q=SELECT+Id+FROM+ContentVersion+WHERE+IsLatest=false";
    assert_eq!(get(&client, query).await["records"][0]["Id"], first);
    assert_eq!(org.file(&first).unwrap(), "one");
    assert_eq!(client.call("DELETE", &format!("sobjects/ContentDocument/{document}"), "").await.status, 204);
    assert_eq!((org.records("ContentVersion").len(), org.records("ContentDocumentLink").len()), (0, 0));
}

#[tokio::test]
async fn a_document_is_linked_to_a_record_once() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    let account = client.create("Account", &json!({"Name": "Acme"})).await;
    client.create("ContentVersion", &json!({"PathOnClient": "a.txt", "VersionData": "b25l"})).await;
    let document = org.records("ContentDocument")[0]["Id"].clone();
    let link = json!({"ContentDocumentId": document, "LinkedEntityId": account, "ShareType": "V"});
    client.create("ContentDocumentLink", &link).await;
    let again = client.call("POST", "sobjects/ContentDocumentLink", &link.to_string()).await;
    assert_eq!((again.status, again.code()), (400, "DUPLICATE_VALUE"));
    assert!(again.message().contains("is already linked with the entity with ID"), "{}", again.message());
}

#[tokio::test]
async fn a_file_without_name_content_or_parts_is_refused() {
    let org = DevOrg::start().await.unwrap();
    let client = Client::login(&org).await;
    let nameless = upload(&client, &json!({"Title": "a"}), "x").await;
    assert_eq!(
        (nameless.code(), nameless.message()),
        ("REQUIRED_FIELD_MISSING", "Required fields are missing: [PathOnClient]")
    );
    let empty = client.call("POST", "sobjects/ContentVersion", r#"{"PathOnClient": "a.txt"}"#).await;
    assert_eq!(
        (empty.code(), empty.message()),
        ("REQUIRED_FIELD_MISSING", "Required fields are missing: [VersionData]")
    );
    let garbled =
        client.call("POST", "sobjects/ContentVersion", r#"{"PathOnClient": "a", "VersionData": "%"}"#).await;
    assert_eq!(garbled.code(), "JSON_PARSER_ERROR");
    let both = json!({"PathOnClient": "a", "ContentDocumentId": "069Dv0000000001EAA", "FirstPublishLocationId": org.records("User")[0]["Id"]});
    assert_eq!(upload(&client, &both, "x").await.code(), "INVALID_FIELD");
    let lost = json!({"PathOnClient": "a", "ContentDocumentId": "069Dv0000000001"});
    assert_eq!(upload(&client, &lost, "x").await.code(), "INVALID_CROSS_REFERENCE_KEY");
    assert_eq!(org.records("ContentVersion").len() + org.records("ContentDocument").len(), 0);
}
