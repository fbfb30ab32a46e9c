"""Categories and classifications."""

from harness import CLAIM_EVIDENCE, DIGITISED_ITEM, INCOMING, Story, shows


class Categories(Story):
    def values(self, node, category):
        return self.node(node)["categories"][str(category)]["values"]

    @shows("assign_category", "get_node_categories")
    def test_assign_and_read(self):
        node = self.upload()
        self.assertTrue(self.client.assign_category(node_id=node, category_id=DIGITISED_ITEM))
        self.assertEqual(self.values(node, DIGITISED_ITEM), {})
        self.assertFalse(self.node(node)["categories"][str(DIGITISED_ITEM)]["inherited"])
        found = self.client.get_node_categories(node)["results"]
        self.assertEqual(found[0]["metadata"]["categories"][str(DIGITISED_ITEM)]["name"], "Digitised Item")
        self.assertEqual(list(found[0]["metadata"]["categories"])[0], str(DIGITISED_ITEM))
        # A second time changes nothing.
        self.assertTrue(self.client.assign_category(node_id=node, category_id=DIGITISED_ITEM))

    @shows("assign_category: inheritance on, sub-items", "assign_category: inheritance off")
    def test_assign_with_values_inheritance_and_sub_items(self):
        inside = self.upload("inside.txt")
        self.assertTrue(
            self.client.assign_category(
                node_id=INCOMING,
                category_id=DIGITISED_ITEM,
                inheritance=True,
                apply_to_sub_items=True,
                attribute_values={"4104_2": "S 1"},
            )
        )
        self.assertTrue(self.node(INCOMING)["categories"][str(DIGITISED_ITEM)]["inherited"])
        self.assertEqual(self.values(inside, DIGITISED_ITEM), {"2": "S 1"})
        later = self.upload("later.txt")
        self.assertEqual(self.values(later, DIGITISED_ITEM), {"2": "S 1"})
        self.assertTrue(self.client.assign_category(node_id=INCOMING, category_id=DIGITISED_ITEM, inheritance=False))
        self.assertFalse(self.node(INCOMING)["categories"][str(DIGITISED_ITEM)]["inherited"])
        self.assertEqual(self.node(self.upload("last.txt"))["categories"], {})

    def test_a_required_attribute_is_required(self):
        node = self.upload()
        self.assertFalse(self.client.assign_category(node_id=node, category_id=CLAIM_EVIDENCE))
        self.assertEqual(self.node(node)["categories"], {})
        self.assertTrue(
            self.client.assign_category(
                node_id=node, category_id=CLAIM_EVIDENCE, attribute_values={"4101_2": "100117"}
            )
        )

    @shows("set_category_value", "get_category_value")
    def test_set_and_get_values(self):
        node = self.upload(category_data={"4101": {"4101_2": "100117"}})
        client = self.client
        self.assertIsNotNone(
            client.set_category_value(node_id=node, value=["a", "b"], category_id=CLAIM_EVIDENCE, attribute_id=8)
        )
        self.assertIsNotNone(
            client.set_category_value(
                node_id=node, value=True, category_id=CLAIM_EVIDENCE, attribute_id=12, set_id=9, set_row=2
            )
        )
        self.assertEqual(self.values(node, CLAIM_EVIDENCE), {"2": "100117", "8": ["a", "b"], "9_2_12": True})
        self.assertEqual(client.get_category_value(node, CLAIM_EVIDENCE, 8), ["a", "b"])
        self.assertEqual(client.get_category_value(node, CLAIM_EVIDENCE, 12, set_id=9, set_row=2), True)
        # No value: only the category is named, and nothing changes.
        client.set_category_value(node_id=node, value=None, category_id=CLAIM_EVIDENCE, attribute_id=8)
        self.assertEqual(self.values(node, CLAIM_EVIDENCE)["8"], ["a", "b"])

    def test_a_value_that_does_not_fit_is_refused(self):
        node = self.upload(category_data={"4101": {"4101_2": "100117"}})
        for attribute, value in [(2, "x" * 33), (3, "Painting"), (4, "yesterday"), (6, "much")]:
            self.assertIsNone(
                self.client.set_category_value(
                    node_id=node, value=value, category_id=CLAIM_EVIDENCE, attribute_id=attribute
                )
            )
        self.assertEqual(self.values(node, CLAIM_EVIDENCE), {"2": "100117"})

    @shows("assign_classifications")
    def test_classifications_are_united(self):
        node = self.upload()
        self.assertIsNotNone(self.client.assign_classifications(node_id=node, classifications=[7201]))
        self.assertIsNotNone(self.client.assign_classifications(node_id=node, classifications=[7203]))
        self.assertEqual(self.node(node)["classifications"], [7201, 7203])
