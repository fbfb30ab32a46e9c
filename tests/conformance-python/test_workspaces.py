"""Business workspaces."""

from harness import CLAIMS, Story, shows


class Workspaces(Story):
    def create(self, name="CLM-100900 Storm", number="100900", **options):
        response = self.client.create_workspace(
            workspace_template_id=5001,
            workspace_name=name,
            workspace_description="made in a test",
            workspace_type=16,
            external_system_id="CLAIMS",
            bo_type="CLAIM",
            bo_id=number,
            **options,
        )
        self.assertIsInstance(response["results"]["id"], int)
        return response["results"]["id"]

    @shows("get_workspace_types")
    def test_types(self):
        found = [entry["data"]["properties"] for entry in self.client.get_workspace_types()["results"]]
        self.assertEqual([(t["wksp_type_id"], t["wksp_type_name"]) for t in found], [(16, "Claim"), (17, "Supplier"), (18, "Employee")])
        self.assertEqual(found[0]["templates"][0]["id"], 5001)

    @shows("create_workspace")
    def test_create(self):
        workspace = self.create(parent_id=CLAIMS, category_data={"4104": {"4104_2": "S 9"}})
        held = self.node(workspace)
        self.assertEqual(held["path"], "Enterprise/Claims/CLM-100900 Storm")
        self.assertEqual(held["type"], 848)
        self.assertEqual(held["workspace"]["references"], [{"system": "CLAIMS", "kind": "CLAIM", "id": "100900"}])
        self.assertEqual(held["categories"]["4104"]["values"], {"2": "S 9"})
        self.assertIsNotNone(self.at("Claims/CLM-100900 Storm/Evidence"))

    @shows("get_workspace_by_type_and_name", "get_workspace_by_type_and_name: a page")
    def test_find(self):
        workspace = self.create()
        found = self.client.get_workspace_by_type_and_name(type_name="Claim", name="CLM-100900 Storm")
        self.assertEqual(self.client.get_result_value(response=found, key="id"), workspace)
        self.assertEqual(found["paging"]["total_count"], 1)
        paged = self.client.get_workspace_by_type_and_name(type_name="Claim", limit=2, page=2)
        self.assertEqual(len(paged["results"]), 2)

    @shows("get_workspace_by_business_object")
    def test_find_by_business_object(self):
        found = self.client.get_workspace_by_business_object(
            external_system_name="SAP", business_object_type="LFA1", business_object_id="0000200451"
        )
        self.assertEqual(found["results"][0]["data"]["properties"]["name"], "0000200451 Northern Glazing")
        none = self.client.get_workspace_by_business_object("SAP", "LFA1", "unknown")
        self.assertFalse((none or {}).get("results"))

    @shows("get_workspace")
    def test_read(self):
        workspace = self.create(category_data={"4104": {"4104_2": "S 9"}})
        data = self.client.get_workspace(workspace, fields=["properties", "categories"])["results"]["data"]
        self.assertEqual(data["properties"]["wnf_wksp_type_id"], 16)
        self.assertEqual(data["categories"]["4104"]["4104_2"], "S 9")

    @shows("create_workspace_relationship", "get_workspace_relationships")
    def test_relations(self):
        above, below = self.create(), self.create("CLM-100901 Storm, roof", "100901")
        self.assertIsNotNone(
            self.client.create_workspace_relationship(workspace_id=above, related_workspace_id=below)
        )
        self.assertEqual(self.node(above)["workspace"]["related_children"], [below])
        found = self.client.get_workspace_relationships(workspace_id=above, relationship_type=["child", "parent"])
        self.assertEqual(self.client.get_result_value(response=found, key="id"), below)

    @shows("add_workspace_member")
    def test_roles_and_members(self):
        workspace = self.create()
        roles = self.client.get_workspace_roles(workspace)
        role = self.client.lookup_result_value(response=roles, key="name", value="Reviewers", return_key="id")
        self.assertIsNotNone(
            self.client.add_workspace_member(workspace_id=workspace, role_id=role, member_id=1202)
        )
        self.assertEqual(self.state()["role_members"][str(role)], [1201, 1202])

    @shows("set_workspace_reference")
    def test_reference(self):
        workspace = self.create()
        self.assertIsNotNone(
            self.client.set_workspace_reference(
                workspace_id=workspace, external_system_id="SAP", bo_type="BUS2012", bo_id="45000001"
            )
        )
        self.assertIn(
            {"system": "SAP", "kind": "BUS2012", "id": "45000001"}, self.node(workspace)["workspace"]["references"]
        )
