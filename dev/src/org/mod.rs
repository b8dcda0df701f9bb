//! DevOrg: a Salesforce org, in memory, over real HTTP.
