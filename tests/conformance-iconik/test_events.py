"""What iconik tells others: webhooks, custom actions, automations."""

from pythonik.assets.models import CustomActionCreateSchema, CustomActionSchema
from pythonik.automations.models import AutomationSchema
from pythonik.notifications.models import WebhookCreateSchema

from harness import ADMINISTRATOR, APP_ID, Listener, Story, shows


class Told(Story):
    def setUp(self):
        super().setUp()
        self.listener = Listener()
        self.addCleanup(self.listener.close)


class Webhooks(Told):
    def create(self, **more):
        body = {"url": self.listener.address, "event_type": "assets", "status": "ENABLED",
                "headers": {"X-Shared-Secret": "of-the-test"}, **more}
        return self.done(self.b.post_webhooks(body=WebhookCreateSchema.from_dict(body)), 201)

    @shows("B post_webhooks", "B get_webhook", "B get_webhooks")
    def test_a_webhook_is_told(self):
        hook = self.create(name="filing", realm="entity")
        read = self.done(self.b.get_webhook(str(hook.id)))
        self.assertEqual((read.name, read.status.value, read.realm), ("filing", "ENABLED", "entity"))
        self.assertIn(str(hook.id), [str(h.id) for h in self.done(self.b.get_webhooks()).objects])
        asset = self.asset("Told")
        headers, body = self.listener.next()
        self.assertEqual(headers["X-Shared-Secret"], "of-the-test")
        self.assertEqual((body["event_type"], body["realm"], body["operation"]), ("assets", "entity", "create"))
        self.assertEqual((body["object_id"], body["user_id"], body["data"]["title"]), (asset, ADMINISTRATOR[1], "Told"))
        self.assertEqual(len(body["request_id"]), 32)

    @shows("B post_webhooks")
    def test_what_goes_into_a_collection_is_told_as_data(self):
        self.create(event_type="collections", realm="contents", operation="create")
        campaign, asset = self.collection(), self.asset()
        self.tell("POST", f"assets/v1/collections/{campaign}/contents/",
                  {"object_id": asset, "object_type": "assets"}, 201)
        _, body = self.listener.next()
        self.assertEqual((body["event_type"], body["realm"], body["operation"]), ("collections", "contents", "create"))
        self.assertEqual((body["data"]["collection_id"], body["data"]["object_id"]), (campaign, asset))

    @shows("B put_webhook", "B delete_webhook")
    def test_one_that_is_switched_off_and_removed(self):
        hook = self.create(realm="entity")
        body = WebhookCreateSchema.from_dict({"url": self.listener.address, "event_type": "assets", "status": "DISABLED"})
        self.assertEqual(self.done(self.b.put_webhook(str(hook.id), body=body)).status.value, "DISABLED")
        self.asset("Unheard")
        body = WebhookCreateSchema.from_dict({"url": self.listener.address, "event_type": "assets", "status": "ENABLED"})
        self.done(self.b.put_webhook(str(hook.id), body=body))
        self.asset("Heard")
        self.assertEqual(self.listener.next()[1]["data"]["title"], "Heard")
        self.done(self.b.delete_webhook(str(hook.id)), 204)
        self.assertNotIn(str(hook.id), [h["id"] for h in self.read("notifications/v1/webhooks/")["objects"]
                                        if h["status"] != "DELETED"])

    def test_a_failing_one_says_so(self):
        self.listener.status = 500
        hook = self.create(realm="entity")
        self.asset()
        self.listener.next()
        for _ in range(50):
            read = self.done(self.b.get_webhook(str(hook.id)))
            if read.status.value == "FAILING":
                break
            import time

            time.sleep(0.1)
        self.assertEqual(read.status.value, "FAILING")
        self.assertTrue(read.last_error and read.first_failed_at)


class CustomActions(Told):
    def create(self, context="ASSET", **more):
        body = {"title": "File in the ECM", "url": self.listener.address, "context": context, "type": "POST",
                "app_id": APP_ID, "headers": {"X-Shared-Secret": "of-the-test"}, **more}
        made = self.b.post_custom_actions_by_context(context, body=CustomActionCreateSchema.from_dict(body))
        return self.done(made, 201)

    @shows("B post_custom_actions_by_context", "B get_custom_actions", "B get_custom_actions_by_context_by_action",
           "B patch_custom_actions_by_context_by_action", "B delete_custom_actions_by_context_by_action")
    def test_its_definition(self):
        made = self.create()
        read = self.done(self.b.get_custom_actions_by_context_by_action("ASSET", str(made.id)))
        self.assertEqual((read.title, read.type_.value, read.context.value), ("File in the ECM", "POST", "ASSET"))
        self.assertIn(str(made.id), [str(a.id) for a in self.done(self.b.get_custom_actions()).objects])
        body = CustomActionSchema.from_dict({"title": "File it", "url": self.listener.address, "context": "ASSET"})
        self.done(self.b.patch_custom_actions_by_context_by_action("ASSET", str(made.id), body=body))
        held = self.read(f"assets/v1/custom_actions/ASSET/{made.id}/")
        self.assertEqual((held["title"], held["type"]), ("File it", "POST"))
        self.done(self.b.delete_custom_actions_by_context_by_action("ASSET", str(made.id)), 204)
        self.read(f"assets/v1/custom_actions/ASSET/{made.id}/", 404)

    @shows("B post_custom_actions_by_context")
    def test_somebody_presses_it(self):
        made, asset = self.create(), self.asset()
        self.tell("POST", f"assets/v1/custom_actions/ASSET/{made.id}/callback/",
                  {"asset_ids": [asset], "collection_ids": [], "saved_search_ids": []})
        headers, body = self.listener.next()
        self.assertEqual(headers["X-Shared-Secret"], "of-the-test")
        self.assertEqual((body["asset_ids"], body["context"], body["action_id"]), ([asset], "ASSET", str(made.id)))
        # The token in the post acts for whoever pressed it.
        presser = self.log_in(body["auth_token"])
        self.assertEqual(str(self.done(presser.get_users_current()).id), body["user_id"])
        self.assertFalse(body["date_created"].endswith("+00:00"), body["date_created"])


class Automations(Told):
    @shows("B post_automations", "B get_automation", "B get_automations", "B patch_automation", "B delete_automation")
    def test_an_approval_starts_a_custom_action(self):
        action = CustomActionCreateSchema.from_dict({"title": "File", "url": self.listener.address, "context": "ASSET",
                                                     "type": "POST", "app_id": APP_ID})
        action = self.done(self.b.post_custom_actions_by_context("ASSET", body=action), 201)
        body = AutomationSchema.from_dict({
            "name": "file what is approved", "status": "ACTIVE",
            "triggers": [{"type": "REVIEW_STATUS_CHANGED", "parameters": {"statuses": ["APPROVED"]}}],
            "actions": [{"type": "CUSTOM_ACTION", "parameters": {"action_id": str(action.id), "context": "ASSET"}}],
        })
        made = self.done(self.b.post_automations(body=body), 201)
        self.assertEqual(self.done(self.b.get_automation(str(made.id))).name, "file what is approved")
        self.assertIn(str(made.id), [str(a.id) for a in self.done(self.b.get_automations()).objects])

        asset = self.asset()
        self.tell("POST", f"assets/v1/assets/{asset}/approvals/request/", {"users": [ADMINISTRATOR[1]]}, 201)
        self.tell("PUT", f"assets/v1/assets/{asset}/approvals/", {"status": "APPROVED"})
        self.assertEqual(self.listener.next()[1]["asset_ids"], [asset])

        body.status = body.status.__class__("INACTIVE")
        self.done(self.b.patch_automation(str(made.id), body=body))
        self.assertEqual(self.read(f"automations/v1/automations/{made.id}/")["status"], "INACTIVE")
        self.done(self.b.delete_automation(str(made.id)), 204)
        self.read(f"automations/v1/automations/{made.id}/", 404)
