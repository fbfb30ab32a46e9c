"""Records Management."""

from harness import Story, shows

CLAIM_FILES, FLOOD_HOLD = 7101, 8001


class Records(Story):
    @shows("assign_rm_classification", "set_node_records_details")
    def test_classify_and_declare(self):
        node = self.upload()
        self.assertIsNotNone(self.client.assign_rm_classification(node_id=node, rm_classification=CLAIM_FILES))
        self.assertEqual(self.node(node)["record"]["rsi"], "CLM-FILES-10Y")
        token = str(self.node(node)["record"]["token"])
        self.assertIsNotNone(
            self.client.set_node_records_details(node_id=node, metadata_token=token, official=True, status="CLOSED")
        )
        held = self.node(node)["record"]
        self.assertEqual((held["official"], held["status"]), (True, "CLOSED"))
        # The token is used up, and an official record stays where it is.
        self.assertIsNone(
            self.client.set_node_records_details(node_id=node, metadata_token=token, official=False)
        )
        self.assertIsNone(self.client.delete_node(node))
        self.assertIsNotNone(self.node(node))

    @shows("create_records_management_hold", "assign_hold")
    def test_holds(self):
        created = self.client.create_records_management_hold(
            hold_type="LEGAL", name="Storm 2031", comment="all", alternate_id="S-1", date_applied="2031-05-06T00:00:00"
        )
        hold = created["holdID"]
        self.assertEqual(self.state()["holds"][str(hold)]["name"], "Storm 2031")
        node = self.upload()
        self.assertIsNotNone(self.client.assign_hold(node_id=node, hold_id=hold))
        self.assertEqual([h["hold"] for h in self.node(node)["holds"]], [hold])
        self.assertIsNone(self.client.delete_node(node))
        self.assertIsNotNone(self.node(node))

    @shows("get_hold_by_name", "get_records_management_holds")
    def test_find_holds(self):
        found = self.client.get_hold_by_name("Flood 2030 litigation")
        found = found.get("results", {}).get("data", {}).get("hold", found)
        self.assertEqual(found["HoldID"], FLOOD_HOLD)
        listed = self.client.get_records_management_holds()["results"]["data"]["holds"]
        self.assertEqual([hold["HoldID"] for hold in listed], [FLOOD_HOLD])

    @shows("get_records_management_rsis", "create_records_management_rsi")
    def test_schedules(self):
        listed = self.client.get_records_management_rsis()
        self.assertEqual(len(listed), 4)
        created = self.client.create_records_management_rsi(
            name="TMP-1Y", status="ACTIVE", status_date="2031-05-06", description="d", subject="s", title="t", dispcontrol=True
        )
        schedule = created["results"]["id"]
        held = self.state()["schedules"][str(schedule)]
        self.assertEqual((held["name"], held["disposition"]), ("TMP-1Y", True))
