//! As much of DER (ITU-T X.690) as it takes to find an RSA key in its wrappings.

/// The content of a SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// An INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// A BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// An OBJECT IDENTIFIER.
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
/// The explicit `[0]` around a certificate's version.
const VERSION: u8 = 0xa0;

/// Reads elements one after the other.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The content of the next element, which must have this tag.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, content, rest) = split(self.rest)?;
        (found == tag).then(|| {
            self.rest = rest;
            content
        })
    }

    /// The next element with its tag and length.
    fn whole(&mut self) -> Option<&'a [u8]> {
        let (_, _, rest) = split(self.rest)?;
        let (element, _) = self.rest.split_at(self.rest.len() - rest.len());
        self.rest = rest;
        Some(element)
    }

    pub(super) fn is_empty(self) -> bool {
        self.rest.is_empty()
    }
}

fn split(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let length = if first < 0x80 {
        usize::from(first)
    } else {
        let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        rest = after;
        // Four bytes are 4 GB; a key is never longer.
        if digits.is_empty() || digits.len() > 4 {
            return None;
        }
        digits
            .iter()
            .try_fold(0usize, |length, digit| length.checked_mul(256)?.checked_add(usize::from(*digit)))?
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The SubjectPublicKeyInfo of an X.509 certificate (RFC 5280, section 4.1), undecoded.
pub(super) fn key_of_certificate(certificate: &[u8]) -> Option<&[u8]> {
    let mut body = Reader::new(Reader::new(Reader::new(certificate).take(SEQUENCE)?).take(SEQUENCE)?);
    // A certificate of version 1 does not say so.
    let _ = body.take(VERSION);
    body.take(INTEGER)?;
    // Signature algorithm, issuer, validity, subject.
    for _ in 0..4 {
        body.take(SEQUENCE)?;
    }
    body.whole()
}
