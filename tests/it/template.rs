//! The committed element template, and what Modeler's engine makes of it.

use std::path::Path;

use salesforce_connector::connector::template::element_templates;

#[test]
fn the_committed_templates_are_those_of_the_operations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("element-templates");
    for (name, json) in element_templates() {
        let path = folder.join(&name);
        if std::env::var_os("UPDATE_TEMPLATES").is_some() {
            std::fs::write(&path, &json).expect("the folder is writable");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == json,
            "element-templates/{name} is not what the operations give; refresh it with \
             UPDATE_TEMPLATES=1 cargo test --test it committed_templates"
        );
    }
}
