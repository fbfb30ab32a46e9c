//! `stage-attachments`: uploads, and the attachments that were made of them.

use s3_content_server::STAGE_ATTACHMENTS;
use shared::reconcile::{Action, Kind, Options};
use simulators::content_server::state::ADMIN;
use tests::storm::{Scenario, StoredObject};

use crate::side::{Compared, INTAKE, repairing, run};

fn rules(attachment: &str) -> &'static str {
    format!(
        r#"
[[rule]]
name = "cases"
key = "cases/{{case}}/{{name}}"

[rule.workflow]
map = "Enterprise:Workflow Maps/Document Review"
title = "Case {{capture.case}}"
attributes = {{ Reason = "Case {{capture.case}}" }}

[rule.attachment]
{attachment}

[rule.decision]
step = "Review"
approved = ["Approve"]

[rule.output]
prefix = "decided/"
folder = "{{capture.case}}"
"#
    )
    .leak()
}

fn objects() -> Vec<StoredObject> {
    let letter = |name: &str| StoredObject::new(format!("cases/7/{name}"), "text/plain", name.to_owned());
    vec![letter("letter.txt"), letter("estimate.txt")]
}

fn story(attachment: &str) -> Scenario {
    Scenario::of("cases", &STAGE_ATTACHMENTS, rules(attachment), objects, (2, 0, 0))
}

#[test]
fn what_was_attached_agrees_as_a_document_a_shortcut_or_a_reference() {
    let shortcut = "as = \"shortcut\"\nfolder = \"Enterprise:Claims/Cases/{capture.case}\"";
    for attachment in ["", shortcut, "as = \"reference\""] {
        run(async {
            let compared = Compared::after(story(attachment)).await;
            let said = compared.compare(Options { deep: attachment.is_empty(), ..Options::default() }).await;
            assert_eq!(said.found(), [], "{attachment}");
            let counts = said.counts();
            assert_eq!((counts.source, counts.equal + counts.alike), (2, 2), "{attachment}: {counts:?}");
        });
    }
}

#[test]
fn a_lost_upload_is_attached_and_a_removed_attachment_is_a_persons_business() {
    run(async {
        let compared = Compared::after(story("")).await;
        let world = &compared.world;
        world.upload(&StoredObject::new("cases/7/lost.txt", "text/plain", "nobody was told")).await;
        let _ = world.events();
        let gone = world.content_server.with_state(|state| {
            let node = state.nodes.values().find(|node| node.name == "estimate.txt").map(|node| node.id);
            node.map(|node| state.delete(ADMIN, node))
        });
        gone.expect("the estimate").expect("deleted");
        compared.hours(3).await;
        let said = compared.compare(repairing()).await;
        let missing = |name: &str| (Kind::Missing, format!("s3://{INTAKE}/cases/7/{name}"));
        assert_eq!(said.found(), [missing("estimate.txt"), missing("lost.txt")]);
        assert_eq!(said.finding("lost.txt").repair.action, Action::Redeliver);
        assert_eq!(said.finding("estimate.txt").repair.action, Action::Person);
        assert_eq!(said.counts().queued, 1);
        compared.work().await;
        assert_eq!(compared.compare(Options::default()).await.found(), [missing("estimate.txt")]);
    });
}
