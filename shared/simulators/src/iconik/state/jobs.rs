//! Jobs: the progress that people see.

use serde_json::{Value, json};

use super::{State, fields};

impl State {
    /// Shows work that is done at once. Gives the job.
    pub(in crate::iconik) fn work_done(&mut self, user: &str, kind: &str, title: &str) -> String {
        self.finished_job(user, kind, title, &[])
    }

    /// The same for work on objects: type and id of each.
    pub(in crate::iconik) fn finished_job(
        &mut self,
        user: &str,
        kind: &str,
        title: &str,
        objects: &[(&str, &str)],
    ) -> String {
        let (id, now) = (self.new_id(), self.time());
        let related: Vec<Value> = objects
            .iter()
            .map(|(object_type, id)| json!({"object_type": object_type, "object_id": id}))
            .collect();
        let (object_type, object_id) = objects.first().copied().unzip();
        let job = json!({
            "id": id, "type": kind, "status": "FINISHED", "title": title, "object_type": object_type,
            "object_id": object_id, "custom_type": null, "parent_id": null, "has_children": false, "progress": 100,
            "progress_total": 1, "progress_processed": 1, "message": null, "error_message": null, "metadata": {},
            "job_context": {}, "related_objects": related, "action_context": null, "started_at": now,
            "completed_at": now, "priority": 5, "created_by": user, "children_progress": null, "steps": [],
            "date_created": now, "date_modified": now,
        });
        self.jobs.insert(&id, fields::object(job));
        id
    }
}
