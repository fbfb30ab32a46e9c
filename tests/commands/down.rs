//! `make down`: what `make up` noted is ended, and whoever has its number since is left alone.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::noted::Noted;

use super::program::{self, Ended};

/// The demo with a place of its own for what it notes: a checkout may be up while its tests run.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(TempDir::new().expect("a folder"));
        std::fs::create_dir_all(place.stand_in()).expect("the folder of up");
        place
    }

    fn note(&self) -> std::path::PathBuf {
        self.0.path().join("up/simulator.json")
    }

    fn stand_in(&self) -> std::path::PathBuf {
        self.0.path().join("up/stand-in")
    }

    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let state = self.0.path().to_str().expect("a path in Unicode").to_owned();
        vec![
            ("WAYBILL_STATE".to_owned(), state),
            ("PATH".to_owned(), std::env::var("PATH").expect("a path of programs")),
        ]
    }

    /// Whether this checkout has the stand-in for AWS.
    pub(crate) fn has_stand_in(&self) -> bool {
        let there = root().join(".venv/stack/bin/python").exists();
        if !there {
            println!("skipped: the stand-in for AWS is not in this checkout; `make setup` puts it there");
        }
        there
    }

    pub(crate) async fn down(&self) -> Ended {
        let ended = program::run("demo", &["down"], &self.variables(), b"").await;
        assert_eq!(ended.code, 0, "{}", ended.err);
        ended
    }

    /// The simulators, started as `up` starts them.
    async fn simulators(&self) -> Child {
        let mut command = Command::new(program::program("demo").await);
        command.args(["simulator", "--simulator-port", "0"]).envs(self.variables());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the demo starts");
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.note().exists() {
            assert!(Instant::now() < deadline, "the simulators note themselves");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        child
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the checkout")
}

/// Somebody else's process, whose command line looks like one of ours. It waits for a line that never comes.
struct Bystander(Child);

impl Bystander {
    fn new(words: &str) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", "read -r line; true", words]).stdin(Stdio::piped());
        Self(command.spawn().expect("a shell"))
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).expect("a number of a process")
    }

    fn lives(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_none()
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a note")).expect("JSON")
}

pub(crate) fn said(ended: &Ended, simulators: &str, stand_in: &str) {
    let expected = format!("{:<25} {simulators}\n{:<25} {stand_in}\n", "simulators", "stand-in for AWS");
    assert!(ended.out.ends_with(&expected), "{}{}", ended.out, ended.err);
}

const GONE: &str = "was not running";

#[tokio::test]
async fn what_is_noted_is_ended_and_the_note_with_it() {
    let place = Place::new();
    let mut simulators = place.simulators().await;
    let mut bystander = Bystander::new("demo simulator --simulator-port 0");
    let noted = read(&place.note());
    assert_eq!(noted["pid"], simulators.id());
    assert_eq!(
        noted["others"].as_array().map(Vec::len),
        Some(5),
        "four systems and a bulk location: {noted}"
    );
    said(&place.down().await, "stopped", GONE);
    assert!(simulators.wait().expect("a child").success(), "it ended as one that was asked to");
    assert!(!place.note().exists());
    assert!(bystander.lives());
    said(&place.down().await, GONE, GONE);
}

#[tokio::test]
async fn who_has_the_number_since_is_left_alone() {
    let place = Place::new();
    let mut bystander = Bystander::new("demo simulator --simulator-port 0 ministack");
    let note = json!({"pid": bystander.pid(), "began": "1", "url": "http://127.0.0.1:1", "others": []});
    let before = json!({"pid": bystander.pid(), "url": "http://127.0.0.1:1"});
    for note in [note, before] {
        std::fs::write(place.note(), note.to_string()).expect("a note");
        std::fs::write(place.stand_in().join("running.json"), note.to_string()).expect("a note");
        let ended = place.down().await;
        said(&ended, GONE, GONE);
        assert!(ended.out.contains(&format!("a stale note of process {}", bystander.pid())), "{}", ended.out);
        assert!(bystander.lives(), "it is not ours");
        assert!(!place.note().exists() && !place.stand_in().join("running.json").exists());
    }
    // A note that nobody can read is as stale.
    std::fs::write(place.note(), "{").expect("a note");
    said(&place.down().await, GONE, GONE);
}

#[tokio::test]
async fn the_stand_in_for_aws_is_ended_with_them() {
    let place = Place::new();
    if !place.has_stand_in() {
        return;
    }
    let mut command = Command::new(root().join("tests/aws/stand-in"));
    command.args(["start", "--port", "0"]).env("WAYBILL_STAND_IN_STATE", place.stand_in());
    assert!(command.stdout(Stdio::null()).status().expect("the stand-in").success());
    let note = read(&place.stand_in().join("running.json"));
    let process: Noted = serde_json::from_value(note).expect("number and beginning");
    assert!(process.is_running());
    said(&place.down().await, GONE, "stopped");
    assert!(!process.is_running());
}
