"""Rights, search, web reports, members."""

from harness import ARCHIVE, CLAIMS, INCOMING, Story, shows

READ = ["see", "see_contents"]


class Rights(Story):
    @shows("assign_permission: custom", "delete_permission")
    def test_custom(self):
        self.assertIsNotNone(self.client.assign_permission(3007, READ, "custom", assignee=1207))
        self.assertEqual(self.node(3007)["permissions"]["custom"]["1207"], READ)
        self.assertIsNotNone(self.log_in("auditor").get_node(3007))
        self.assertIsNotNone(self.client.delete_permission(3007, "custom", assignee=1207))
        self.assertEqual(self.node(3007)["permissions"]["custom"], {})
        self.assertIsNone(self.log_in("auditor").get_node(3007))

    @shows("assign_permission: owner", "assign_permission: group", "assign_permission: public")
    def test_owner_group_public(self):
        for assignee in ("owner", "group", "public"):
            self.assertIsNotNone(self.client.assign_permission(INCOMING, READ, assignee), assignee)
        held = self.node(INCOMING)["permissions"]
        self.assertEqual((held["owner"]["rights"], held["public"]), (READ, READ))
        self.assertEqual(held["group"]["rights"], READ)

    def test_sub_items(self):
        node = self.upload()
        self.client.assign_permission(INCOMING, READ, "custom", assignee=1207, apply_to=2)
        self.assertEqual(self.node(node)["permissions"]["custom"]["1207"], READ)


class Search(Story):
    def names(self, response):
        return [entry["data"]["properties"]["name"] for entry in response["results"]]

    @shows("search")
    def test_query(self):
        self.upload("needle one.txt")
        self.upload("needle two.txt", parent=ARCHIVE)
        everywhere = self.client.search('OTSubType:144 AND OTName:"needle*"')
        self.assertEqual(self.names(everywhere), ["needle one.txt", "needle two.txt"])
        below = self.client.search('OTName:"needle*"', location_id=[ARCHIVE])
        self.assertEqual(self.names(below), ["needle two.txt"])
        self.assertEqual(self.names(self.client.search("needle one", look_for="allwords")), ["needle one.txt"])

    @shows("search_iterator")
    def test_iterator(self):
        for number in range(7):
            self.upload(f"needle {number}.txt")
        found = list(self.client.search_iterator('OTName:"needle*"', page_size=3))
        names = {entry["data"]["properties"]["name"] for entry in found}
        self.assertEqual(names, {f"needle {number}.txt" for number in range(7)})

    def test_a_bad_query_is_refused(self):
        self.assertIsNone(self.client.search("OTName:("))

    @shows("run_web_report")
    def test_web_report(self):
        answer = self.client.run_web_report("changes_since", {"since": "2031-01-01"})
        self.assertEqual(answer, {"changes": [], "parameters": {"since": "2031-01-01"}})

    @shows("get_users", "get_user")
    def test_users(self):
        found = self.client.get_users(where_name="claims.")
        self.assertEqual(self.names(found), ["claims.handler", "claims.reviewer"])
        self.assertEqual(self.client.get_result_value(response=self.client.get_user("waybill"), key="id"), 1300)


class ServiceUser(Story):
    user = "waybill"

    def test_it_files_where_it_may_and_nowhere_else(self):
        self.assertEqual(self.node(self.upload())["created_by"], "waybill")
        self.assertIsNone(self.client.get_node(3007))
        self.assertIsNone(self.client.create_item(parent_id=2000, item_type=0, item_name="Mine"))
        self.assertIsNone(self.client.delete_node(CLAIMS))
        self.assertIsNotNone(self.node(CLAIMS))
