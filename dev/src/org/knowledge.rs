//! Articles of Salesforce Knowledge: `support/knowledgeArticles/<id or URL name>`.
//!
//! Source: Knowledge Developer Guide, "Articles Details". The codes of its two refusals about languages are not in the
//! guide, only their texts are.

use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::{ApiError, ApiResult, json_response};
use super::ids;
use super::request::ApiRequest;
use super::server::Org;

/// From this version on there are articles, and from the other on they go by their URL names as well.
const FIRST_VERSION: u32 = 38;
const URL_NAME_VERSION: u32 = 44;

/// An article that is online, in one language.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Article {
    /// Of the article, not of a version of it: `kA0…`, the same in every language.
    id: String,
    #[serde(rename = "articleNumber")]
    number: String,
    url_name: String,
    title: String,
    #[serde(default)]
    summary: Option<String>,
    /// Such as `en-US`.
    language: String,
    #[serde(default)]
    fields: Map<String, Value>,
    /// Where it is seen beside the internal app, such as `Pkb`.
    #[serde(default)]
    channels: Vec<String>,
}

/// Answers an article, or says why not.
pub(crate) fn article(org: &Org, request: &ApiRequest) -> ApiResult<Response> {
    let by_url_name = request.parameter("isUrlName") == Some("true");
    if request.version < if by_url_name { URL_NAME_VERSION } else { FIRST_VERSION } {
        return Err(ApiError::resource_not_found());
    }
    let store = org.read();
    let name = request.path.last().map(String::as_str).unwrap_or_default();
    let language = language(request, &store.articles)?;
    let id = ids::normalize(name);
    let is_named = |article: &Article| {
        let by_id = id.is_some() && ids::normalize(&article.id) == id;
        if by_url_name { article.url_name.eq_ignore_ascii_case(name) } else { by_id }
    };
    let channel = request.parameter("channel").unwrap_or("App");
    let is_seen = |article: &Article| channel == "App" || article.channels.iter().any(|own| own == channel);
    let mut found = store.articles.iter().filter(|article| article.language.eq_ignore_ascii_case(&language));
    let article = found.find(|article| is_named(article) && is_seen(article));
    let article = article.ok_or_else(ApiError::resource_not_found)?;
    Ok(json_response(StatusCode::OK, &shown(article, request)))
}

/// The language that is asked for; one that no article has is none of the org's.
fn language(request: &ApiRequest, articles: &[Article]) -> ApiResult<String> {
    let asked = request
        .headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let asked = asked.split([',', ';']).next().unwrap_or_default().trim().replace('_', "-");
    if !(asked.len() == 2 || asked.as_bytes().get(2) == Some(&b'-')) {
        let message = "The language code is not valid or not supported by Knowledge.";
        return Err(ApiError::bad_request("INVALID_LANGUAGE_CODE", message));
    }
    if !articles.iter().any(|article| article.language.eq_ignore_ascii_case(&asked)) {
        let message =
            "Invalid language code. Check that the language is included in your Knowledge language settings.";
        return Err(ApiError::bad_request("INVALID_LANGUAGE_CODE", message));
    }
    Ok(asked)
}

fn shown(article: &Article, request: &ApiRequest) -> Value {
    let items = article.fields.iter().map(|(name, value)| {
        let label = name.trim_end_matches("__c").replace('_', " ");
        json!({ "label": label, "name": name, "type": "RICH_TEXT_AREA", "value": value })
    });
    json!({
        "appDownVotes": 0, "appUpVotes": 0, "articleNumber": article.number, "articleType": "Knowledge__kav",
        "categoryGroups": [], "id": article.id, "layoutItems": items.collect::<Vec<_>>(), "summary": article.summary,
        "title": article.title, "url": request.url(&format!("support/knowledgeArticles/{}", article.id)),
        "urlName": article.url_name, "versionNumber": 1, "viewCount": 0, "viewScore": 0.0,
    })
}
