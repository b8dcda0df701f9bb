"""DevOrg as simple-salesforce sees it: python3 simple_salesforce_checks.py ORG_URL CERTIFICATE"""

import csv
import io
import sys
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce, format_soql
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceError,
    SalesforceMalformedRequest,
    SalesforceOperationError,
    SalesforceResourceNotFound,
)

from checks import check, equal, refusal, run_all

ORG, CERTIFICATE = sys.argv[1:3]
VERSION = "67.0"


class ToOrg(HTTPAdapter):
    """Sends what is meant for Salesforce's login host to the org: the client has no other way to be told."""

    def send(self, request, **kwargs):
        host, _, path = request.url.removeprefix("https://").partition("/")
        if host.endswith(".salesforce.com"):
            request.url = f"{ORG}/{path}"
        return super().send(request, **kwargs)


def connect(**login):
    session = requests.Session()
    # Proxies and trust stores of the environment are not for an org on this machine.
    session.trust_env = False
    session.verify = CERTIFICATE
    session.mount("https://", ToOrg())
    return Salesforce(version=VERSION, session=session, domain="acme.my", **login)


APP = {"consumer_key": "dev-client", "consumer_secret": "dev-secret"}
sf = connect(**APP)


def is_id(text, prefix):
    equal((len(text), text.startswith(prefix)), (18, True))


def rows(text, delimiter=","):
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


@check("log in by client credentials and by password, and be refused")
def _():
    user = {"username": "dev@example.com", "password": "dev-passworddev-token"}
    other = connect(**APP, **user)
    equal(other.query("SELECT Username FROM User")["records"][0]["Username"], "dev@example.com")
    wrong = refusal(SalesforceAuthenticationFailed, connect, **APP, **(user | {"password": "wrong"}))
    equal(wrong.code, "invalid_grant")
    equal(sf.oauth2("userinfo")["preferred_username"], "dev@example.com")


@check("log in anew when the session ends")
def _():
    tired = connect(**APP)
    tired.session_id = "ended"
    tired.headers["Authorization"] = "Bearer ended"
    equal(tired.query("SELECT Id FROM User")["totalSize"], 1)


@check("create, read, update and delete a record")
def _():
    created = sf.Account.create({"Name": "Acme", "NumberOfEmployees": 5})
    equal((created["success"], created["errors"]), (True, []))
    is_id(created["id"], "001")
    read = sf.Account.get(created["id"])
    equal((read["attributes"]["type"], read["Name"], read["NumberOfEmployees"]), ("Account", "Acme", 5))
    equal(sf.Account.update(created["id"], {"Phone": "555", "NumberOfEmployees": None}), 204)
    read = sf.Account.get(created["id"])
    equal((read["Phone"], read["NumberOfEmployees"]), ("555", None))
    equal(sf.Account.delete(created["id"]), 204)
    equal(refusal(SalesforceResourceNotFound, sf.Account.get, created["id"]).content[0]["errorCode"], "ENTITY_IS_DELETED")


@check("be told what is wrong with a record")
def _():
    missing = refusal(SalesforceMalformedRequest, sf.Account.create, {"Phone": "1"}).content[0]
    equal((missing["errorCode"], missing["fields"]), ("REQUIRED_FIELD_MISSING", ["Name"]))
    unknown = refusal(SalesforceMalformedRequest, sf.Account.create, {"Name": "A", "Nope__c": 1}).content[0]
    equal(unknown["errorCode"], "INVALID_FIELD")


@check("upsert and read by an external id, with characters that need care")
def _():
    key = "py/1&ä"
    path = f"External_Key__c/{quote(key, safe='')}"
    equal(sf.Account.upsert(path, {"Name": "One"}), 201)
    equal(sf.Account.upsert(path, {"Name": "Two"}), 200)
    equal(sf.Account.get_by_custom_id("External_Key__c", key)["Name"], "Two")


@check("query in pages, and with values that need care")
def _():
    name = "O'Neil \\ \"Sons\""
    sf.Account.create({"Name": name})
    found = sf.query(format_soql("SELECT Name FROM Account WHERE Name = {}", name))
    equal([record["Name"] for record in found["records"]], [name])
    sf.bulk2.Account.insert(records=[{"Name": f"Page {n}", "AccountNumber": "pages"} for n in range(450)], wait=0.05)
    text = "SELECT Id, Name FROM Account WHERE AccountNumber = 'pages'"
    small = {"Sforce-Query-Options": "batchSize=200"}
    first = sf.query(text, headers=small)
    equal((first["totalSize"], first["done"], len(first["records"])), (450, False, 200))
    second = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    equal((second["done"], len(second["records"])), (True, 250))
    equal(len({record["Name"] for record in sf.query_all_iter(text, headers=small)}), 450)
    equal(refusal(SalesforceMalformedRequest, sf.query, "SELECT FROM").content[0]["errorCode"], "MALFORMED_QUERY")


@check("query the recycle bin")
def _():
    gone = sf.Account.create({"Name": "Gone", "AccountNumber": "gone"})["id"]
    sf.Account.delete(gone)
    text = "SELECT Id, IsDeleted FROM Account WHERE AccountNumber = 'gone'"
    equal(sf.query(text)["totalSize"], 0)
    equal(sf.query(text, include_deleted=True)["records"][0]["IsDeleted"], True)


@check("search")
def _():
    sf.Contact.create({"LastName": "Searchable", "Email": "searchable@example.com"})
    found = sf.search("FIND {Searchable} RETURNING Contact(Id, LastName)")["searchRecords"]
    equal([(record["attributes"]["type"], record["LastName"]) for record in found], [("Contact", "Searchable")])
    equal(len(sf.quick_search("Searchable")["searchRecords"]), 1)


@check("describe the org and its objects")
def _():
    names = {found["name"] for found in sf.describe()["sobjects"]}
    equal({"Account", "Contact", "Case", "User"} - names, set())
    fields = {field["name"]: field for field in sf.Account.describe()["fields"]}
    equal((fields["Name"]["type"], fields["Name"]["nillable"]), ("string", False))
    basic = sf.Account.metadata()
    equal((basic["objectDescribe"]["keyPrefix"], type(basic["recentItems"])), ("001", list))
    equal(sf.is_sandbox(), True)


@check("save collections through a REST call")
def _():
    record = lambda **fields: {"attributes": {"type": "Account"}, **fields}
    body = {"allOrNone": False, "records": [record(Name="C"), record(Phone="1")]}
    results = sf.restful("composite/sobjects", method="POST", json=body)
    equal([result["success"] for result in results], [True, False])
    equal(results[1]["errors"][0]["statusCode"], "REQUIRED_FIELD_MISSING")


@check("list what was updated, deleted and used")
def _():
    kept, gone = (sf.Account.create({"Name": name})["id"] for name in ("Kept", "Gone"))
    sf.Account.delete(gone)
    sf.Account.get(kept)
    now, some = datetime.now(timezone.utc), timedelta(minutes=5)
    updated = sf.Account.updated(now - some, now + some)
    equal((kept in updated["ids"], "latestDateCovered" in updated), (True, True))
    deleted = [record["id"] for record in sf.Account.deleted(now - some, now + some)["deletedRecords"]]
    equal((gone in deleted, kept in deleted), (True, False))
    equal(kept in [record["Id"] for record in sf.restful("recent")], True)
    equal(kept in [record["Id"] for record in sf.Account.metadata()["recentItems"]], True)


@check("composite: several requests in one call, all or none")
def _():
    base = f"/services/data/v{VERSION}/"

    def send(*requests):
        parts = [
            {"method": method, "url": base + url, "referenceId": name, "body": body}
            for method, url, name, body in requests
        ]
        body = {"allOrNone": True, "compositeRequest": parts}
        return sf.restful("composite", method="POST", json=body)["compositeResponse"]

    first = ("POST", "sobjects/Account", "account", {"Name": "Composite", "AccountNumber": "composite"})
    done = send(first, ("POST", "sobjects/Contact", "contact", {"LastName": "C", "AccountId": "@{account.id}"}))
    equal([part["httpStatusCode"] for part in done], [201, 201])
    equal(sf.Contact.get(done[1]["body"]["id"])["AccountId"], done[0]["body"]["id"])
    undone = send(first, ("POST", "sobjects/Contact", "contact", {"AccountId": "@{account.id}"}))
    equal([part["body"][0]["errorCode"] for part in undone], ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"])
    equal(sf.query("SELECT COUNT() FROM Account WHERE AccountNumber = 'composite'")["totalSize"], 1)


@check("call Apex REST")
def _():
    made = sf.apexecute("Orders/new", method="POST", data={"name": "By Apex"})
    equal((made["path"], sf.Account.get(made["id"])["Name"]), ("/Orders/new", "By Apex"))
    equal(sf.apexecute("Orders/7", params={"status": "open"}), {"path": "/Orders/7", "status": "open"})
    refusal(SalesforceResourceNotFound, sf.apexecute, "Nothing")


@check("invoke a flow and an action")
def _():
    invoke = lambda name, *inputs: sf.restful(f"actions/custom/{name}", method="POST", json={"inputs": inputs})
    [opened] = invoke("flow/Open_Account", {"name": "By flow"})
    equal((opened["isSuccess"], sf.Account.get(opened["outputValues"]["accountId"])["Name"]), (True, "By flow"))
    refused = refusal(SalesforceMalformedRequest, invoke, "apex/Refuse", {})
    equal((refused.content[0]["isSuccess"], "because" in refused.content[0]["errors"][0]["message"]), (False, True))


@check("submit for approval, approve and reject")
def _():
    def approvals(**request):
        return sf.restful("process/approvals/", method="POST", json={"requests": [request]})

    equal([process["name"] for process in sf.restful("process/approvals/")["approvals"]["Account"]], ["Big_Account"])
    account = sf.Account.create({"Name": "Approved", "Site": "big"})["id"]
    for action, status in (("Approve", "Approved"), ("Reject", "Rejected")):
        [submitted] = approvals(actionType="Submit", contextId=account, comments="please")
        equal(submitted["instanceStatus"], "Pending")
        [decided] = approvals(actionType=action, contextId=submitted["newWorkitemIds"][0])
        equal((decided["success"], decided["instanceStatus"]), (True, status))
    small = sf.Account.create({"Name": "Small"})["id"]
    refused = refusal(SalesforceMalformedRequest, approvals, actionType="Submit", contextId=small)
    equal(refused.content[0]["errors"][0]["statusCode"], "NO_APPLICABLE_PROCESS")


@check("upload a file and download it")
def _():
    data = b64encode(bytes(range(256))).decode()
    made = sf.ContentVersion.create({"Title": "Bytes", "PathOnClient": "bytes.bin", "VersionData": data})
    equal(sf.ContentVersion.get_base64(made["id"], base64_field="VersionData"), bytes(range(256)))


@check("read the limits, and see them used")
def _():
    limits = sf.limits()["DailyApiRequests"]
    usage = sf.api_usage["api-usage"]
    equal((limits["Max"], limits["Max"] - limits["Remaining"]), (usage.total, usage.used))


@check("bulk: insert, with failed rows told apart")
def _():
    records = [{"Name": 'B "1"', "Phone": "1"}, {"Name": "", "Phone": "2"}]
    [job] = sf.bulk2.Account.insert(records=records, wait=0.05)
    equal((job["numberRecordsProcessed"], job["numberRecordsFailed"]), (2, 1))
    results = sf.bulk2.Account.get_all_ingest_records(job["job_id"])
    equal([(row["sf__Created"], row["Name"]) for row in results["successfulRecords"]], [("true", 'B "1"')])
    [failed] = results["failedRecords"]
    equal(failed["sf__Error"], "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --")
    equal(results["unprocessedRecords"], [])


@check("bulk: upsert, update, delete and hard delete")
def _():
    account, wait = sf.bulk2.Account, {"wait": 0.05}
    records = [{"External_Key__c": "py/1&ä", "Name": "Bulk"}, {"External_Key__c": "py 2", "Name": "Bulk"}]
    pipes = {"column_delimiter": "PIPE", "line_ending": "CRLF"}
    [job] = account.upsert(records=records, external_id_field="External_Key__c", **pipes, **wait)
    saved = rows(account.get_successful_records(job["job_id"]), "|")
    equal([row["sf__Created"] for row in saved], ["false", "true"])
    first, second = (row["sf__Id"] for row in saved)
    account.update(records=[{"Id": first, "Phone": "9"}, {"Id": second, "Phone": "#N/A"}], **wait)
    equal((sf.Account.get(first)["Phone"], sf.Account.get(second)["Phone"]), ("9", None))
    for remove, record, code in ((account.delete, first, "ENTITY_IS_DELETED"), (account.hard_delete, second, "NOT_FOUND")):
        [job] = remove(records=[{"Id": record}], **wait)
        equal((job["numberRecordsProcessed"], job["numberRecordsFailed"]), (1, 0))
        equal(refusal(SalesforceResourceNotFound, sf.Account.get, record).content[0]["errorCode"], code)


@check("bulk: a job that fails says why")
def _():
    failed = refusal(SalesforceOperationError, sf.bulk2.Account.insert, records=[{"Nope": "1"}], wait=0.05)
    equal("InvalidBatch : Field name not found : Nope" in str(failed), True)
    equal(refusal(SalesforceError, sf.bulk2.Nope.insert, records=[{"Name": "1"}], wait=0.05).content[0]["errorCode"], "INVALIDJOB")


@check("bulk: query and query all, in pages to the last")
def _():
    text = "SELECT Id, Name FROM Account WHERE AccountNumber = 'pages'"
    pages = [rows(page) for page in sf.bulk2.Account.query(text, max_records=200, wait=0.05)]
    equal([len(page) for page in pages], [200, 200, 50])
    equal(len({row["Name"] for page in pages for row in page}), 450)
    gone = "SELECT IsDeleted FROM Account WHERE AccountNumber = 'gone'"
    equal([rows(page) for page in sf.bulk2.Account.query(gone, wait=0.05)], [[]])
    equal([rows(page) for page in sf.bulk2.Account.query_all(gone, wait=0.05)], [[{"IsDeleted": "true"}]])


sys.exit(run_all("simple-salesforce"))
