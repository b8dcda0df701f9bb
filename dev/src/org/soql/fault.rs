//! Errors that point into the query.

use super::super::error::ApiError;

/// The text of a query, to point into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) text: &'a str,
}

impl Source<'_> {
    /// A query that cannot be understood.
    pub(crate) fn malformed(self, at: usize, message: &str) -> ApiError {
        self.error("MALFORMED_QUERY", at, message)
    }

    /// An error in Salesforce's form: the row in question, a caret below the fault, row and column.
    pub(crate) fn error(self, code: &str, at: usize, message: &str) -> ApiError {
        let before = &self.text[..at];
        let row_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let row = before.matches('\n').count() + 1;
        let column = before[row_start..].chars().count() + 1;
        let line = self.text[row_start..].lines().next().unwrap_or_default();
        let caret = format!("{}^", " ".repeat(column - 1));
        ApiError::bad_request(
            code,
            format!("\n{line}\n{caret}\nERROR at Row:{row}:Column:{column}\n{message}"),
        )
    }
}

/// The text that Salesforce adds to an unknown field's name.
pub(crate) fn no_such_column(field: &str, object: &str) -> String {
    format!(
        "No such column '{field}' on entity '{object}'. If you are attempting to use a custom field, be sure to append \
         the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
    )
}

/// The text for an object that the org does not have.
pub(crate) fn not_supported(object: &str) -> String {
    format!(
        "sObject type '{object}' is not supported. If you are attempting to use a custom object, be sure to append the \
         '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names."
    )
}

/// The text for a relationship that is not there, seen from the child.
pub(crate) fn no_such_relationship(name: &str) -> String {
    format!(
        "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, be \
         sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for \
         the appropriate names."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_fault() {
        // From a recorded reply.
        let error =
            Source { text: "select count() from XYZZY" }.error("INVALID_TYPE", 20, &not_supported("XYZZY"));
        let expected = "INVALID_TYPE: \nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\n\
            sObject type 'XYZZY' is not supported. If you are attempting to use a custom object, be sure to append the '__c' \
            after the entity name. Please reference your WSDL or the describe call for the appropriate names.";
        assert_eq!(error.summary(), expected);
    }

    #[test]
    fn rows_are_counted() {
        let error = Source { text: "SELECT Id\nFROM Nothing" }.malformed(15, "x");
        assert_eq!(error.summary(), "MALFORMED_QUERY: \nFROM Nothing\n     ^\nERROR at Row:2:Column:6\nx");
    }
}
