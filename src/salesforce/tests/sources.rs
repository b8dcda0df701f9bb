//! Files that somebody names by their address.

use std::time::Duration;

use super::super::{AllowedHosts, ApiVersion, Credentials, SourceAddress};
use super::server::{Server, text, transport_with};

#[tokio::test]
async fn a_fifth_file_waits_until_one_of_four_has_been_read() {
    let host = Server::org(|_| text(200, "Name\nAcme\n")).await;
    let transport =
        transport_with(|options| options.sources = AllowedHosts::new(&[], true, true).unwrap().of_sources());
    let credentials = Credentials::Bearer { token: "given".into() };
    let client = transport.client(&host.url(), ApiVersion::DEFAULT, credentials).unwrap();
    let address = SourceAddress::new(&format!("{}/accounts.csv", host.url())).unwrap();
    let open = || client.open(&address, Duration::from_mins(1));
    let mut files = Vec::new();
    for _ in 0..4 {
        files.push(open().await.unwrap());
    }
    let error = open().await.unwrap_err();
    assert_eq!((error.code(), error.rest()), ("SOURCE_UNAVAILABLE", Some(Duration::from_secs(15))));
    assert!(error.to_string().contains("as many files as may be read at once"), "{error}");
    let mut file = files.pop().unwrap();
    assert_eq!(file.piece().await.unwrap().as_deref(), Some(&b"Name\nAcme\n"[..]));
    drop(file);
    open().await.unwrap();
}
