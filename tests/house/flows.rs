//! One name, everywhere: module, binary, template, documents.

use shared::{flow::Entry, function::FunctionEntry};

use super::{files, read, root};

/// Every flow and function there is.
fn names() -> Vec<&'static str> {
    crates().into_iter().flat_map(|(_, names)| names).collect()
}

#[test]
fn every_function_has_its_binary_its_template_and_its_documents() {
    let front = read(&root().join("README.md"));
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
            (rights.contains(&format!("`{name}`")), "rights in infra/README.md"),
        ] {
            if !there {
                missing.push(format!("{name} has no {what}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Each crate with flows or functions, by the folder that has its README.
fn crates() -> Vec<(&'static str, Vec<&'static str>)> {
    let flows = |flows: &[&Entry]| flows.iter().map(|flow| flow.name).collect();
    let functions = |functions: &[&FunctionEntry]| functions.iter().map(|function| function.name).collect();
    vec![
        ("iconik-content-server", flows(iconik_content_server::FLOWS)),
        ("s3-content-server", flows(s3_content_server::FLOWS)),
        ("watch", functions(watch::FUNCTIONS)),
        ("operations", functions(operations::FUNCTIONS)),
        ("webhooks", functions(webhooks::FUNCTIONS)),
    ]
}

#[test]
fn every_flow_of_a_pair_and_every_function_has_a_row_in_the_readme_beside_it() {
    let mut missing = Vec::new();
    for (folder, names) in crates() {
        let page = read(&root().join(format!("functions/{folder}/README.md")));
        for name in names {
            let is_row = |line: &str| {
                line.starts_with(&format!("| `{name}` |")) || line.starts_with(&format!("| [`{name}`]("))
            };
            if !page.lines().any(is_row) {
                missing.push(format!("{name} has no row in functions/{folder}/README.md"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn what_feeds_and_subscriptions_take_for_a_flow_is_one() {
    let mut flows: Vec<&str> =
        iconik_content_server::FLOWS.iter().chain(s3_content_server::FLOWS).map(|flow| flow.name).collect();
    flows.sort_unstable();
    assert_eq!(shared::mapping::FLOWS.as_slice(), flows);
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
