//! Reads `multipart/form-data` (RFC 7578), whole and in memory.

use bytes::Bytes;

/// One part of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) content: Bytes,
}

/// Whether a `Content-Type` says that the body has parts.
pub(crate) fn is_multipart(content_type: &str) -> bool {
    content_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
}

/// The parts in their order; an error says what is wrong with the body.
pub(crate) fn read(content_type: &str, body: &Bytes) -> Result<Vec<Part>, String> {
    let boundary = parameter(content_type, "boundary").ok_or("the content type names no boundary")?;
    let dashes = format!("--{boundary}");
    if !body.starts_with(dashes.as_bytes()) {
        return Err("the body does not begin with its boundary".to_owned());
    }
    let delimiter = format!("\r\n{dashes}");
    let (mut parts, mut at) = (Vec::new(), dashes.len());
    while !body[at..].starts_with(b"--") {
        let start = at + 2;
        if !body[at..].starts_with(b"\r\n") {
            return Err("a boundary does not end its line".to_owned());
        }
        let end = find(&body[start..], delimiter.as_bytes()).ok_or("the last boundary is missing")? + start;
        parts.push(part(&body.slice(start..end))?);
        at = end + delimiter.len();
    }
    Ok(parts)
}

fn part(text: &Bytes) -> Result<Part, String> {
    let head = find(text, b"\r\n\r\n").ok_or("a part has no end of its headers")?;
    let headers = std::str::from_utf8(&text[..head]).map_err(|_| "the headers of a part are not UTF-8")?;
    let header = |name: &str| {
        let lines = headers.split("\r\n").filter_map(|line| line.split_once(':'));
        lines
            .filter(|(own, _)| own.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
            .next()
    };
    let disposition = header("content-disposition").ok_or("a part has no Content-Disposition")?;
    Ok(Part {
        name: parameter(&disposition, "name").ok_or("a part has no name")?,
        file_name: parameter(&disposition, "filename"),
        content_type: header("content-type"),
        content: text.slice(head + 4..),
    })
}

/// The value of `; name=value` in a header, with or without quotes.
fn parameter(header: &str, name: &str) -> Option<String> {
    let value = |part: &str| {
        let (own, value) = part.split_once('=')?;
        own.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    };
    header.split(';').find_map(value)
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"b\"";

    #[test]
    fn parts_are_told_apart_whatever_bytes_they_hold() {
        let body = Bytes::from_static(
            b"--b\r\nContent-Disposition: form-data; name=\"entity\"\r\nContent-Type: application/json\r\n\r\n{}\r\n\
              --b\r\nContent-Disposition: form-data; name=\"data\"; filename=\"a.bin\"\r\n\r\n\x00\r\n--\xff\r\n--b--\r\n",
        );
        let parts = read(TYPE, &body).unwrap();
        assert_eq!(
            (parts[0].name.as_str(), parts[0].content_type.as_deref()),
            ("entity", Some("application/json"))
        );
        assert_eq!((parts[1].name.as_str(), parts[1].file_name.as_deref()), ("data", Some("a.bin")));
        assert_eq!((&parts[0].content[..], &parts[1].content[..]), (&b"{}"[..], &b"\x00\r\n--\xff"[..]));
    }

    #[test]
    fn a_body_that_is_cut_is_refused() {
        for body in
            ["", "--c\r\n", "--b\r\n\r\n", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b"]
        {
            let cut = Bytes::from_static(body.as_bytes());
            assert!(read(TYPE, &cut).is_err(), "{body:?}");
        }
        assert!(read("multipart/form-data", &Bytes::new()).is_err());
    }
}
