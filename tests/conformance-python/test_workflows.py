"""Workflows, from the map to the last task."""

from harness import INCOMING, Story, shows

REVIEW, EVIDENCE_CHECK = 6001, 6003


class Workflows(Story):
    def start(self, document):
        draft = self.client.create_draft_process(workflow_id=REVIEW, documents=[document])
        draft = draft["results"]["draftprocess_id"]
        self.assertIsNotNone(
            self.client.update_draft_process(
                draftprocess_id=draft, title="Check the memo", due_date="2031-06-01", values={"WorkflowForm_10": "new"}
            )
        )
        return self.client.initiate_draft_process(draft)["results"]["process_id"]

    def process(self, process):
        return self.state()["processes"][str(process)]

    @shows("get_document_workflows")
    def test_maps_of_a_document(self):
        found = self.client.get_document_workflows(node_id=self.upload(), parent_id=INCOMING)
        found = found["results"]["data"] if isinstance(found, dict) else found
        self.assertIn({"DataID": REVIEW, "Name": "Document Review", "WorkflowType": "1_1"}, found)

    @shows("create_draft_process", "update_draft_process", "initiate_draft_process")
    def test_draft_to_process(self):
        document = self.upload()
        held = self.process(self.start(document))
        self.assertEqual((held["title"], held["due"], held["documents"]), ("Check the memo", "2031-06-01", [document]))
        self.assertEqual(held["values"], {"WorkflowForm_10": "new"})
        self.assertEqual(self.state()["drafts"], 0)
        attached = self.client.get_subnodes(held["attachments"])["results"]
        self.assertEqual([e["data"]["properties"]["original_id"] for e in attached], [document])

    @shows("initiate_workflow")
    def test_one_shot(self):
        document = self.upload()
        started = self.client.initiate_workflow(workflow_id=EVIDENCE_CHECK, documents=[document])
        self.assertEqual(self.process(started["results"]["process_id"])["documents"], [document])
        # A map whose start step is enabled refuses it.
        self.assertIsNone(self.client.initiate_workflow(workflow_id=REVIEW, documents=[document]))

    @shows("get_workflow_status", "get_workflows_by_kind_and_status")
    def test_status(self):
        process = self.start(self.upload())
        status = self.client.get_workflow_status(process)["results"]
        self.assertEqual([s["task_name"] for s in status["step_list"]["current"]], ["Review"])
        running = self.client.get_workflows_by_kind_and_status(kind="Managed", status="ontime")
        running = running["results"] if isinstance(running, dict) else running
        self.assertEqual([e["data"]["wfstatus"]["process_id"] for e in running], [process])

    @shows("get_user_mytodo", "get_process_task", "update_process_task: a decision", "update_process_task: sent on")
    def test_approve_and_send_on(self):
        process = self.start(self.upload())
        reviewer = self.log_in("claims.reviewer")
        waiting = reviewer.get_user_mytodo()["results"]["data"]["assignments"]
        self.assertEqual([entry["workflow_id"] for entry in waiting], [process])
        task = reviewer.get_process_task(process_id=process)
        self.assertEqual([a["key"] for a in task["data"]["custom_actions"]], ["Approve", "Reject"])
        self.assertIsNotNone(
            reviewer.update_process_task(process_id=process, custom_action="Approve", comment="fine")
        )
        self.assertEqual(self.process(process)["task"], 2)
        manager = self.log_in("records.manager")
        self.assertIsNotNone(manager.update_process_task(process_id=process, task_id=2, action="SendOn"))
        held = self.process(process)
        self.assertEqual(held["status"], "completed")
        self.assertEqual([f["action"] for f in held["finished"]], ["Approve", "SendOn"])

    def test_reject_ends_it(self):
        process = self.start(self.upload())
        self.log_in("claims.reviewer").update_process_task(process_id=process, custom_action="Reject")
        self.assertEqual(self.process(process)["status"], "completed")
        self.assertEqual(len(self.process(process)["finished"]), 1)

    @shows("update_process_task: form and delegation")
    def test_form_and_delegation(self):
        process = self.start(self.upload())
        reviewer = self.log_in("claims.reviewer")
        reviewer.update_process_task(process_id=process, action="formUpdate", values={"WorkflowForm_11": "high"})
        reviewer.update_process_task(process_id=process, action="Delegate", assignee=1202)
        self.assertEqual(self.process(process)["values"]["WorkflowForm_11"], "high")
        self.assertEqual(self.process(process)["assignee"], 1202)

    def test_only_the_assignee_may(self):
        process = self.start(self.upload())
        auditor = self.log_in("auditor")
        self.assertIsNone(auditor.update_process_task(process_id=process, custom_action="Approve"))
        self.assertEqual(self.process(process)["finished"], [])
