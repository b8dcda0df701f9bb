//! Articles of Salesforce Knowledge.

use salesforce_connector_dev::org::DevOrg;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

const ID: &str = "kA0000000000001CAA";

async fn start() -> (DevOrg, Client) {
    let article = |language: &str, url_name: &str, channels: Value| {
        json!({ "id": ID, "articleNumber": "000001000", "urlName": url_name, "title": "Title", "language": language,
            "fields": { "Answer__c": "<p>x</p>" }, "channels": channels })
    };
    let articles = [article("en-US", "reset", json!(["Pkb"])), article("de", "zuruecksetzen", json!([]))];
    let org =
        DevOrg::builder().seed(json!({ "knowledgeArticles": articles })).start().await.expect("a free port");
    let client = Client::login(&org).await;
    (org, client)
}

async fn get(client: &Client, path: &str, language: &str) -> Answer {
    let path = format!("support/knowledgeArticles/{path}");
    client.try_send("GET", &path, &[("accept-language", language)], "").await.expect("an answer")
}

#[tokio::test]
async fn an_article_is_read_by_its_id_or_url_name_in_its_language() {
    let (_org, client) = start().await;
    for (path, language, url_name) in [
        (ID, "en-US", "reset"),
        ("kA0000000000001", "de, en;q=0.5", "zuruecksetzen"),
        ("reset?isUrlName=true", "en_US", "reset"),
        ("kA0000000000001CAA?channel=Pkb", "en-US", "reset"),
    ] {
        let answer = get(&client, path, language).await;
        assert_eq!((answer.status, &answer.body["urlName"]), (200, &json!(url_name)), "{path}");
        assert_eq!(answer.body["layoutItems"][0]["value"], "<p>x</p>");
    }
}

#[tokio::test]
async fn what_is_not_there_in_this_language_or_channel_is_refused() {
    let (_org, client) = start().await;
    for (path, language, status) in [
        ("zuruecksetzen?isUrlName=true", "en-US", 404),
        ("reset", "en-US", 404),
        ("kA0000000000001CAA?channel=Csp", "en-US", 404),
        (ID, "fr", 400),
        (ID, "english", 400),
        (ID, "", 400),
    ] {
        assert_eq!(get(&client, path, language).await.status, status, "{path} {language}");
    }
    let old = Client { version: "v37.0", ..client };
    assert_eq!(get(&old, ID, "en-US").await.status, 404);
}
