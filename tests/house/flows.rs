//! One name, everywhere: module, binary, template, documents.

use super::{files, read, root};

/// Every flow and function there is.
fn names() -> Vec<&'static str> {
    let flows = iconik_content_server::FLOWS.iter().chain(s3_content_server::FLOWS).map(|flow| flow.name);
    let functions = watch::FUNCTIONS
        .iter()
        .chain(operations::FUNCTIONS)
        .chain(webhooks::FUNCTIONS)
        .map(|function| function.name);
    flows.chain(functions).collect()
}

#[test]
fn every_function_has_its_binary_its_template_and_its_documents() {
    let front = read(&root().join("README.md"));
    let pages: String = files("functions", "README.md").iter().map(|path| read(path)).collect();
    let rights = read(&root().join("infra/README.md"));
    let mut missing = Vec::new();
    for name in names() {
        let binary = files("functions", &format!("/bin/{name}.rs"));
        let further = root().join(format!("infra/flows/{name}.yaml"));
        let template = if further.is_file() { further } else { root().join("infra/template.yaml") };
        let is_deployed = read(&template).contains(&format!("CodeUri: ../target/lambda/{name}/"))
            || read(&template).contains(&format!("CodeUri: ../../target/lambda/{name}/"));
        let is_listed = front.contains(&format!("`{name}`"));
        for (there, what) in [
            (binary.len() == 1, "binary in src/bin"),
            (is_deployed, "function in a template"),
            (is_listed, "row in README.md"),
            (pages.contains(&format!("`{name}`")), "row in its README below functions/"),
            (rights.contains(&format!("`{name}`")), "rights in infra/README.md"),
        ] {
            if !there {
                missing.push(format!("{name} has no {what}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_binary_is_a_function_that_is_listed() {
    for path in files("functions", ".rs") {
        let text = path.to_string_lossy();
        let Some((_, file)) = text.rsplit_once("/src/bin/") else { continue };
        let name = file.trim_end_matches(".rs");
        assert!(names().contains(&name), "{name} is in no list of flows or functions");
    }
}

#[test]
fn the_log_knows_every_crate_of_ours() {
    let mut crates: Vec<String> = files("functions", "/Cargo.toml")
        .iter()
        .filter_map(|path| Some(path.parent()?.file_name()?.to_string_lossy().replace('-', "_")))
        .collect();
    crates.push("shared".to_owned());
    crates.sort();
    assert_eq!(shared::lambda::OURS, crates);
}
