//! The conversion of a lead, as Apex has it in `Database.convertLead`.
//!
//! Source: Apex Reference, "LeadConvertResult", and Salesforce Help, "Lead Conversion Field Mapping", of which the fields of
//! names, companies, phones and addresses of mail are mapped.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

use super::apex::{Apex, Exception, save};
use crate::org::validate::{Purpose, Save};

impl Apex<'_> {
    /// Makes an account, a contact and, where it has a name, an opportunity of a lead; their ids as `accountId`, `contactId`
    /// and `opportunityId`.
    ///
    /// # Errors
    /// There is no such lead, it is converted already, or what would become of it cannot be saved.
    pub fn convert_lead(&mut self, id: &str, opportunity: Option<&str>) -> Result<Value, Exception> {
        let lead = self.records("Lead").into_iter().find(|lead| lead["Id"] == id);
        let lead = lead.ok_or_else(|| refused("INVALID_CROSS_REFERENCE_KEY: invalid cross reference id"))?;
        if lead["IsConverted"] == true {
            return Err(refused("CANNOT_UPDATE_CONVERTED_LEAD: cannot reference converted lead"));
        }
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let account = json!({ "Name": lead["Company"], "Phone": lead["Phone"], "Website": lead["Website"],
            "Industry": lead["Industry"] });
        let account = self.insert("Account", &account)?;
        let contact = json!({ "AccountId": account, "LastName": lead["LastName"], "FirstName": lead["FirstName"],
            "Email": lead["Email"], "Phone": lead["Phone"], "Title": lead["Title"], "LeadSource": lead["LeadSource"] });
        let contact = self.insert("Contact", &contact)?;
        let opportunity = opportunity
            .map(|name| {
                let close = today.last_of_month().to_string();
                self.insert(
                    "Opportunity",
                    &json!({ "Name": name, "AccountId": account, "StageName": "Prospecting", "CloseDate": close,
                        "LeadSource": lead["LeadSource"] }),
                )
            })
            .transpose()?;
        let converted = json!({ "Status": "Closed - Converted", "IsConverted": true, "ConvertedDate": today.to_string(),
            "ConvertedAccountId": account, "ConvertedContactId": contact, "ConvertedOpportunityId": opportunity });
        self.mark(id, &converted)?;
        Ok(json!({ "accountId": account, "contactId": contact, "opportunityId": opportunity }))
    }

    /// Sets what only a conversion may set.
    fn mark(&mut self, id: &str, fields: &Value) -> Result<(), Exception> {
        let (index, fields): (usize, Map<String, Value>) = self.known("Lead", fields)?;
        let as_the_org = Save { trusted: true, ..save(Purpose::Update) };
        let saved =
            self.store.live_row(index, id).and_then(|row| self.store.update(index, row, &fields, as_the_org));
        saved.map_err(|error| refused(&error.summary()))
    }
}

fn refused(why: &str) -> Exception {
    Exception::of_save("ConvertLead", why)
}
