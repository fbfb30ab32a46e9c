//! Runs the examples of the workspace as the programs they are.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
};

use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, process::Command};

/// How a program ended and what it said.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

/// The program of an example, built as these tests were: same profile, same folder, same features.
pub(crate) async fn program(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test");
    let built = test.parent().and_then(Path::parent).expect("the folder of the profile");
    let profile = built.file_name().and_then(|name| name.to_str()).expect("the profile");
    let profile = if profile == "debug" { "dev" } else { profile };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut build = Command::new(cargo);
    build
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["build", "--quiet", "--locked", "--offline", "--workspace", "--profile", profile])
        .args(["--example", example])
        .arg("--target-dir")
        .arg(built.parent().expect("the target folder"));
    // What cargo tells this test about its package would make it build crates anew that ask for it.
    for (name, _) in std::env::vars_os() {
        let told = name.to_str().unwrap_or_default();
        let about_us = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "NEXTEST"];
        if about_us.iter().any(|prefix| told.starts_with(prefix)) || told == "OUT_DIR" {
            build.env_remove(&name);
        }
    }
    let built_it = build.status().await.expect("cargo runs");
    assert!(built_it.success(), "the example {example} is not built");
    built.join("examples").join(example)
}

/// Runs an example to its end, with these variables and no others.
pub(crate) async fn run(
    example: &str,
    arguments: &[&str],
    variables: &[(String, String)],
    input: &[u8],
) -> Ended {
    let mut child = Command::new(program(example).await)
        .args(arguments)
        .env_clear()
        .envs(variables.iter().cloned())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input");
    // A program that reads no input may have ended already.
    let _ = stdin.write_all(input).await;
    drop(stdin);
    let output = child.wait_with_output().await.expect("it ends");
    Ended {
        code: output.status.code().expect("it ends by itself"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// A folder that is gone when the test is over.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("text").to_owned()
    }
}
