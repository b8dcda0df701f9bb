//! `getKnowledgeArticle`: what does an article of Salesforce Knowledge say?

use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use super::{
    Call, Operate,
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    fields,
};
use crate::{
    connector::{Error, InvalidInput},
    salesforce::{ArticleName, CallClass, Request, Response},
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "getKnowledgeArticle",
    area: Area::Other,
    label: "Get Knowledge article",
    summary: "Reads an article of Salesforce Knowledge in one language, by its id or URL name. It does not count as a view.",
    keywords: &["knowledge", "article", "faq", "support", "kav", "answer"],
    class: CallClass::Read,
    class_with: None,
    calls: "one, `GET /support/knowledgeArticles/{article}`.",
    body: "`id`, `articleNumber`, `articleType`, `title`, `summary`, `urlName`, `layoutItems` and more, as Salesforce gives it; and \
           `fields`, made from `layoutItems`: each field of the layout by its name.",
    contents: &[ResultContent::Response, ResultContent::Body, ResultContent::Id],
    inputs: &[
        Input {
            name: "article",
            label: "Article",
            kind: InputKind::Text { pattern: None },
            required: true,
            tooltip: "The id of the article, such as kA0Hp00000001WFKAY (not that of a version, ka0…), or its URL name, such as \
                      how-to-reset-a-password.",
            placeholder: "=articleId",
        },
        Input {
            name: "language",
            label: "Language",
            kind: InputKind::Text {
                pattern: Some((
                    "^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$",
                    "must be a language code, such as en-US",
                )),
            },
            required: true,
            tooltip: "The language to read it in, such as en-US; it must be among the Knowledge languages of the org.",
            placeholder: "en-US",
        },
        Input {
            label: "Fields to keep",
            tooltip: "Keeps only these fields of the layout, such as Answer__c, so that the result stays small. Empty: every field.",
            placeholder: "Answer__c",
            ..fields::FIELDS
        },
        Input {
            name: "channel",
            label: "As seen in",
            kind: InputKind::Choice {
                choices: &[
                    ("App", "the internal app"),
                    ("Pkb", "the public knowledge base"),
                    ("Csp", "the customer portal"),
                    ("Prm", "the partner portal"),
                ],
            },
            required: false,
            tooltip: "Where the article must be visible, such as the public knowledge base for what goes to customers.",
            placeholder: "",
        },
    ],
    examples: Examples {
        answer: (
            200,
            r#"{"id": "kA0Hp00000001WFKAY", "articleNumber": "000001012", "title": "How to reset a password", "urlName":
            "how-to-reset-a-password", "layoutItems": [{"label": "Answer", "name": "Answer__c", "type": "RICH_TEXT_AREA",
            "value": "<p>Click on Forgot password.</p>"}], "fields": {"Answer__c": "<p>Click on Forgot password.</p>"}}"#,
        ),
        refusal: (404, r#"[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]"#),
        result: "={answer: body.fields.Answer__c}",
        error: "=if error.code = \"NOT_FOUND\" then bpmnError(\"no such article\", error.message) else null",
    },
};

/// The input of `getKnowledgeArticle`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GetKnowledgeArticle {
    article: ArticleName,
    #[serde(deserialize_with = "language")]
    language: String,
    #[serde(default, deserialize_with = "fields::names")]
    fields: Option<String>,
    #[serde(default)]
    channel: Channel,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
enum Channel {
    #[default]
    App,
    Pkb,
    Csp,
    Prm,
}

/// Salesforce writes `en_US`, HTTP `en-US`.
fn language<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?.trim().replace('_', "-");
    let is_tag =
        |part: &str| (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if text.split('-').all(is_tag) {
        return Ok(text);
    }
    Err(D::Error::custom("expected a language code, such as \"en-US\""))
}

impl Operate for GetKnowledgeArticle {
    fn request(self) -> Result<Request, InvalidInput> {
        let channel = match self.channel {
            Channel::App => "App",
            Channel::Pkb => "Pkb",
            Channel::Csp => "Csp",
            Channel::Prm => "Prm",
        };
        Ok(Request::knowledge_article(&self.article, &self.language, channel))
    }

    async fn run(mut self, call: &Call<'_>) -> Result<Response, Error> {
        let wanted = self.fields.take();
        let mut response = call.send(&self.request()?).await?;
        add_fields(&mut response.body, wanted.as_deref());
        Ok(response)
    }
}

fn add_fields(article: &mut Value, wanted: Option<&str>) {
    let is_wanted = |name: &str| {
        wanted.is_none_or(|wanted| wanted.split(',').any(|wanted| wanted.eq_ignore_ascii_case(name)))
    };
    let Value::Object(article) = article else { return };
    let mut fields = Map::new();
    if let Some(Value::Array(items)) = article.get_mut("layoutItems") {
        items.retain(|item| item["name"].as_str().is_some_and(is_wanted));
        for item in items {
            fields.insert(item["name"].as_str().unwrap_or_default().to_owned(), item["value"].clone());
        }
    }
    article.insert("fields".to_owned(), Value::Object(fields));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        connector::operations::{Operation, tests::mistake},
        salesforce::Path,
    };

    fn request(article: &str, language: &str) -> Request {
        let fields = json!({"article": article, "language": language, "channel": "Pkb"});
        Operation::parse("getKnowledgeArticle", fields.as_object().unwrap()).unwrap().request().unwrap()
    }

    #[test]
    fn an_article_is_named_by_its_id_or_its_url_name() {
        let by_id = request("kA0Hp00000001WFKAY", "en_US");
        assert_eq!(by_id.path, Path::Versioned("/support/knowledgeArticles/kA0Hp00000001WFKAY".to_owned()));
        assert_eq!(by_id.headers, [("Accept-Language", "en-US".to_owned())]);
        let names = |request: &Request| {
            request.query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(names(&by_id), ["channel=Pkb", "updateViewStat=false"]);
        let by_name = request("a/b?c", "de");
        assert_eq!(by_name.path, Path::Versioned("/support/knowledgeArticles/a%2Fb%3Fc".to_owned()));
        assert_eq!(names(&by_name), ["channel=Pkb", "updateViewStat=false", "isUrlName=true"]);
    }

    #[test]
    fn what_names_no_article_and_no_language_is_refused() {
        for (article, language, message) in [
            (
                "..",
                "en-US",
                "article: expected the id or the URL name of an article, such as \"how-to-reset-a-password\", found the string \"..\"",
            ),
            (
                "x",
                "english language",
                "language: expected a language code, such as \"en-US\", found the string \"english language\"",
            ),
        ] {
            assert_eq!(
                mistake("getKnowledgeArticle", json!({"article": article, "language": language})),
                message
            );
        }
    }
}
