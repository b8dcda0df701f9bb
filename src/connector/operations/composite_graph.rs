//! `compositeGraph`: how do I do more than 25 things in one call, of which some belong together?

use serde::Deserialize;
use serde_json::Value;

use super::{
    Call, Operate,
    composite::ON_REFUSED_REQUESTS,
    composite_account::{self, SubAnswer},
    descriptor::{Area, Descriptor, Examples, Input, InputKind, ResultContent},
    list_input::{FAIL_ON, FailOn, bounded},
    sub_requests,
};
use crate::{
    connector::{
        Error, InvalidInput,
        input::{self, Show},
    },
    salesforce::{ApiVersion, CallClass, Request, Response, SubMethod, SubRequest},
};

/// Salesforce takes so many in one call, in all graphs together.
const MOST_NODES: usize = 500;
const MOST_GRAPHS: usize = 75;

const GRAPHS: Input = Input {
    name: "graphs",
    label: "Graphs",
    kind: InputKind::List,
    required: true,
    tooltip: "Up to 75, each with compositeRequest, a list of requests for records (method, url, body, and a referenceId by which \
              later ones of the graph use what it gave, as in \"@{account.id}\"), and perhaps a graphId to find it in the answer.",
    placeholder: "=[{graphId: \"order\", compositeRequest: [{method: \"POST\", url: \"/sobjects/Account\", referenceId: \
                  \"account\", body: {Name: \"Acme\"}}]}]",
};

pub(super) static DESCRIPTOR: Descriptor = Descriptor {
    name: "compositeGraph",
    area: Area::ManyRecords,
    label: "Several transactions in one call (graph)",
    summary: "Carries out up to 500 requests in graphs; each graph is done as a whole or not at all.",
    keywords: &["graph", "composite", "transaction", "atomic", "reference", "related records", "rollback"],
    class: CallClass::UnsafeWrite,
    class_with: None,
    calls: "one, `POST /composite/graph` (API v50.0 or later). With nothing but GET it is a read. With nothing but updates by id and \
            upserts by external id, each of another record, which take nothing but `@{name.id}` of earlier upserts, it is an \
            idempotent write.",
    body: "`graphs`: for each graph `graphId`, `isSuccessful` and `graphResponse.compositeResponse` with the answer to each of its \
           requests.",
    contents: &[ResultContent::Response, ResultContent::Body],
    inputs: &[GRAPHS, FAIL_ON],
    examples: Examples {
        answer: (
            200,
            r#"{"graphs": [{"graphId": "order", "graphResponse": {"compositeResponse": [{"body":
            {"id": "001Hp00002abcDEFGH", "success": true, "errors": []}, "httpHeaders": {},
            "httpStatusCode": 201, "referenceId": "account"}]}, "isSuccessful": true}]}"#,
        ),
        refusal: (
            200,
            r#"{"graphs": [{"graphId": "order", "graphResponse": {"compositeResponse": [{"body":
            [{"errorCode": "DUPLICATE_VALUE", "message": "duplicate value found: External_Key__c",
            "fields": ["External_Key__c"]}], "httpHeaders": {}, "httpStatusCode": 400,
            "referenceId": "account"}]}, "isSuccessful": false}]}"#,
        ),
        result: "={done: body.graphs[isSuccessful = true].graphId}",
        error: ON_REFUSED_REQUESTS,
    },
};

/// The input of `compositeGraph`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompositeGraph {
    graphs: Vec<Value>,
    #[serde(default)]
    fail_on: FailOn,
}

/// One graph as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    graph_id: Option<String>,
    composite_request: Vec<Value>,
}

/// A graph's id and its requests.
type Graph = (String, Vec<SubRequest>);

impl CompositeGraph {
    fn read(&self) -> Result<Vec<Graph>, InvalidInput> {
        let path = GRAPHS.name;
        if self.graphs.is_empty() {
            return Err(InvalidInput::new(path, "at least one graph", "an empty list"));
        }
        bounded(self.graphs.len(), path, MOST_GRAPHS)?;
        let mut read: Vec<Graph> = Vec::new();
        for (index, graph) in self.graphs.iter().enumerate() {
            let under = |mistake: InvalidInput| mistake.under(&format!("{path}[{index}]"));
            let graph = read_graph(graph, index).map_err(under)?;
            if read.iter().any(|(id, _)| *id == graph.0) {
                let found = format!("{:?} twice", graph.0);
                return Err(under(InvalidInput::new("graphId", "an id that no other has", found)));
            }
            read.push(graph);
        }
        let nodes: usize = read.iter().map(|(_, subs)| subs.len()).sum();
        if nodes > MOST_NODES {
            let expected = format!("at most {MOST_NODES} sub-requests in all of them");
            return Err(InvalidInput::new(path, expected, nodes.to_string()));
        }
        Ok(read)
    }
}

fn read_graph(graph: &Value, index: usize) -> Result<Graph, InvalidInput> {
    let written: Written = input::read(input::object("", Some(graph), Show::Value)?, None, Show::Value)?;
    let id = written.graph_id.unwrap_or_else(|| format!("graph{index}"));
    let is_id = id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.chars().count() < 40
        && !id.contains(|c: char| c == '.' || c.is_control());
    if !is_id {
        let expected = "fewer than 40 characters without a period, beginning with a letter or digit";
        return Err(InvalidInput::new("graphId", expected, format!("{:?}", input::shorten(&id))));
    }
    let list = "compositeRequest";
    let subs = sub_requests::read(&written.composite_request, list)?;
    for (index, sub) in subs.iter().enumerate() {
        check_node(sub).map_err(|mistake| mistake.under(&format!("{list}[{index}]")))?;
    }
    sub_requests::check_references(&subs, list)?;
    Ok((id, subs))
}

/// In a graph there are only records: created at their object, else addressed by an id or an external id.
fn check_node(sub: &SubRequest) -> Result<(), InvalidInput> {
    if !sub.headers.is_empty() {
        return Err(InvalidInput::new("httpHeaders", "nothing: a graph knows no headers", "a value"));
    }
    let segments = sub.url.segments();
    let is_record = segments.first().is_some_and(|first| first.eq_ignore_ascii_case("sobjects"));
    let fits = match (segments.len(), sub.method) {
        (2, method) => method == SubMethod::Post,
        (3 | 4, method) => matches!(method, SubMethod::Get | SubMethod::Patch | SubMethod::Delete),
        _ => false,
    };
    if is_record && fits {
        return Ok(());
    }
    let expected = "POST to /sobjects/{object}, or GET, PATCH or DELETE of a record below it";
    let found = format!("{} {:?}", sub.method.as_str(), input::shorten(&format!("/{}", segments.join("/"))));
    Err(InvalidInput::new("url", expected, found))
}

impl Operate for CompositeGraph {
    fn checked(self) -> Result<Self, InvalidInput> {
        self.read()?;
        Ok(self)
    }

    fn request(self) -> Result<Request, InvalidInput> {
        Ok(Request::composite_graph(&self.read()?, ApiVersion::DEFAULT))
    }

    async fn run(self, call: &Call<'_>) -> Result<Response, Error> {
        let (graphs, version) = (self.read()?, call.client.version());
        if !version.has_graphs() {
            let expected = "v50.0 or later for graphs, here or in the connection";
            return Err(
                InvalidInput::new("salesforceRequest.apiVersion", expected, version.to_string()).into()
            );
        }
        let request = Request::composite_graph(&graphs, version);
        let response = call.send(&request).await?;
        let Some(answers) = answers(&graphs, &response.body) else {
            return Err(composite_account::misfit(&response, request.class));
        };
        composite_account::judge(&answers, &response, self.fail_on, request.class)?;
        Ok(response)
    }
}

/// The answers of all graphs, one after the other.
fn answers<'a>(graphs: &[Graph], body: &'a Value) -> Option<Vec<SubAnswer<'a>>> {
    let answered = body["graphs"].as_array().filter(|answered| answered.len() == graphs.len())?;
    let mut all = Vec::new();
    for ((id, subs), answer) in graphs.iter().zip(answered) {
        let list = &answer["graphResponse"]["compositeResponse"];
        for mut answer in SubAnswer::all(subs, list, ("httpStatusCode", "body"))? {
            answer.name = format!("{} of graph {id}", answer.name);
            all.push(answer);
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::connector::operations::tests::mistake;

    fn graph(id: &str, node: &Value) -> Value {
        json!({"graphId": id, "compositeRequest": [node]})
    }

    #[test]
    fn a_mistake_names_the_graph_and_the_request() {
        let good = json!({"method": "POST", "url": "/sobjects/Account", "referenceId": "a"});
        let get = |url: &str| json!({"method": "GET", "url": url});
        let records = "POST to /sobjects/{object}, or GET, PATCH or DELETE of a record below it";
        for (graphs, message) in [
            (json!([]), "graphs: expected at least one graph, found an empty list".to_owned()),
            (json!([5]), "graphs[0]: expected an object, found the number 5".to_owned()),
            (
                json!([{"compositeRequest": []}]),
                "graphs[0].compositeRequest: expected at least one sub-request, found an empty list".to_owned(),
            ),
            (
                json!([graph("x", &good), graph("x", &good)]),
                "graphs[1].graphId: expected an id that no other has, found \"x\" twice".to_owned(),
            ),
            (
                json!([graph("a.b", &good)]),
                "graphs[0].graphId: expected fewer than 40 characters without a period, beginning with a letter or digit, \
                 found \"a.b\""
                    .to_owned(),
            ),
            (
                json!([graph("x", &get("/query?q=x"))]),
                format!("graphs[0].compositeRequest[0].url: expected {records}, found GET \"/query\""),
            ),
            (
                json!([graph("x", &get("/sobjects/Account"))]),
                format!("graphs[0].compositeRequest[0].url: expected {records}, found GET \"/sobjects/Account\""),
            ),
            (
                json!([graph("x", &good), graph("y", &get("/sobjects/Account/@{a.id}"))]),
                "graphs[1].compositeRequest[0].url: expected no reference in the first sub-request, found a reference to \"a\""
                    .to_owned(),
            ),
            (
                json!([graph("x", &json!({"method": "POST", "url": "/sobjects/Account", "httpHeaders": {"X": "y"}}))]),
                "graphs[0].compositeRequest[0].httpHeaders: expected nothing: a graph knows no headers, found a value"
                    .to_owned(),
            ),
        ] {
            assert_eq!(mistake("compositeGraph", json!({"graphs": graphs})), message);
        }
        let node = json!({"method": "POST", "url": "/sobjects/Account"});
        let many = json!({"compositeRequest": vec![node; 251]});
        let message = mistake("compositeGraph", json!({"graphs": [many, many]}));
        assert_eq!(message, "graphs: expected at most 500 sub-requests in all of them, found 502");
    }
}
