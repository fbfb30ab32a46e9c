"""Every method of the class OTMM of pyxecm, against what the simulator then holds."""

import json
import os
import threading

from harness import API, Story, admin, shows


def calls():
    return admin("GET", "journal")["count"]


class Pyxecm(Story):
    @shows("OTMM.__init__", "OTMM.config", "OTMM.authenticate")
    def test_a_token_is_fetched_with_password_and_client(self):
        client = self.client()
        self.assertEqual(client.config()["restUrl"], API)
        token = client.authenticate()
        self.assertGreater(len(token), 40)
        self.assertIsNone(self.client(password="wrong").authenticate())

    @shows("OTMM.get_lookup_domains", "OTMM.get_lookup_domain", "OTMM.get_lookup_domain_values")
    def test_lookups(self):
        client = self.ready()
        domains = client.get_lookup_domains()["lookup_domains_resource"]["lookup_domains"]
        self.assertEqual({one["domainId"] for one in domains}, {one["id"] for one in self.state()["domains"]})
        domain = client.get_lookup_domain("CUSTOM.DOMAIN.STATUS")["lookup_domain_resource"]["lookup_domain"]
        self.assertEqual(domain["datatype"], "CHAR")
        values = client.get_lookup_domain_values("CUSTOM.DOMAIN.STATUS")
        self.assertEqual([one["expired_value"] for one in values], [False, False, False, True])
        self.assertIsNone(client.get_lookup_domain_values("NOTHING"))

    @shows("OTMM.get_products", "OTMM.get_business_units")
    def test_names_with_stray_blanks_are_read(self):
        client = self.ready()
        self.assertEqual(client.get_products()["Trading Grid"], "7")
        self.assertEqual(client.get_business_units(), {"Retail": "1", "Business Network": "2", "Cybersecurity": "3"})

    @shows("OTMM.get_asset", "OTMM.get_asset_details")
    def test_an_asset_has_metadata_policies_and_path_only_when_they_are_asked_for(self):
        client, id = self.ready(), self.id_of("spring-poster.tif")
        plain = client.get_asset(id)["asset_resource"]["asset"]
        held = self.held("spring-poster.tif")
        self.assertEqual(plain["master_content_info"]["content_checksum"], held["master"]["md5"])
        self.assertEqual((plain["version"], plain["original_asset_id"]), (2, held["original_id"]))
        gated = {"metadata", "security_policy_list", "path_list", "links"}
        self.assertEqual(gated & set(plain), set())
        self.assertEqual(gated & set(client.get_asset_details(id)["asset_resource"]["asset"]), gated)
        less = client.get_asset_details(id, load_path=False, load_security_policies=False)
        self.assertEqual(gated & set(less["asset_resource"]["asset"]), {"metadata", "links"})
        self.assertIsNone(client.get_asset("0" * 40))

    @shows("OTMM.prepare_asset_data")
    def test_metadata_of_the_first_group_is_flattened(self):
        client = self.ready()
        for empty in ("absent", "hollow"):
            self.switch(wire={"empty_value": empty})
            found = client.prepare_asset_data(self.id_of("spring-poster.tif"))
            self.assertEqual(found["OTMM_CUSTOM_FIELD_TITLE"], "spring-poster")
            self.assertEqual(found["LANGUAGE_COMBO_CHAR_ID"], "English")
            self.assertEqual(found["OTMM_FIELD_BUSINESS_UNIT_TAB"], ["Retail ", "Business Network"])
            self.assertEqual(found["OTM_TABLE_PRODUCT_TABLE_FIELD"], [" Trading Grid"])
            self.assertIsNone(found["ARTESIA_FIELD_TAG"])
            self.assertNotIn("CUSTOM_FIELD_STATUS", found, "it reads the first group only")
        self.assertEqual(client.prepare_asset_data("0" * 40), {})

    @shows("OTMM.search_assets")
    def test_search_tells_counts_and_conditions_it_did_not_understand(self):
        client = self.ready()
        found = client.search_assets({"keyword_query": "*", "limit": "5"})["search_result_resource"]
        self.assertEqual((found["search_result"]["hit_count"], len(found["asset_list"])), (5, 5))
        self.assertEqual(found["search_result"]["total_hit_count"], len(self.state()["assets"]))
        condition = {
            "type": "com.artesia.search.SearchScalarCondition", "metadata_field_id": "NO.SUCH FIELD",
            "relational_operator_id": "ARTESIA.OPERATOR.CHAR.CONTAINS", "value": "x",
        }
        conditions = json.dumps({"search_condition_list": {"search_condition": [condition]}})
        found = client.search_assets({"search_condition_list": conditions})["search_result_resource"]["search_result"]
        self.assertTrue(found["contains_invalid_conditions"])
        self.assertEqual(found["total_hit_count"], len(self.state()["assets"]), "wider than anybody meant")
        self.assertIsNone(client.search_assets({"sort": "up_NAME"}))

    @shows("OTMM.get_product_assets", "OTMM.get_business_unit_assets")
    def test_all_pages_of_products_and_business_units_are_read(self):
        client = self.ready()
        for most in (200, 1):
            self.switch(search={"most": most})
            found = client.get_product_assets("7")
            self.assertEqual({one["asset_id"] for one in found}, self.having("PRODUCT_CHAR_ID", "7"))
            self.assertEqual(len(found), 3)
            # Of the business unit only what belongs to no product.
            found = client.get_business_unit_assets("1")
            self.assertEqual([one["name"] for one in found], ["spring-brief.pdf"])
        everything = client.get_product_assets("7", metadata_table_id="NO.SUCH TABLE")
        self.assertEqual(len(everything), len(self.state()["assets"]), "it does not ask whether it was understood")

    def having(self, column, value):
        return {one["id"] for one in self.state()["assets"].values() if value in one["columns"].get(column, [])}

    @shows("OTMM.download_asset", "OTMM.remove_stale_download")
    def test_downloads_are_kept_until_the_asset_changes(self):
        client, id = self.ready(), self.id_of("spring-brief.pdf")
        path = os.path.join(self.folder.name, id)
        self.assertTrue(client.download_asset(id, "brief"))
        self.assertEqual(os.path.getsize(path), self.held("spring-brief.pdf")["master"]["content"]["size"])
        before = calls()
        self.assertTrue(client.download_asset(id, "brief", asset_modification_date="2001-01-01T00:00:00Z"))
        self.assertEqual(calls(), before, "it is up to date")
        self.assertTrue(client.download_asset(id, "brief", asset_modification_date="2999-01-01T00:00:00Z"))
        self.assertEqual(calls(), before + 1)
        self.assertTrue(client.remove_stale_download(id))
        self.assertFalse(os.path.exists(path) or client.remove_stale_download(id))
        self.assertFalse(client.download_asset(self.id_of("broadcast-master.mxf"), "offline"))
        self.assertFalse(client.download_asset("0" * 40, "nothing"))

    @shows("OTMM.load_assets", "OTMM.load_assets_worker", "OTMM.get_data", "OTMM.thread_wrapper")
    def test_everything_of_products_and_business_units_is_loaded(self):
        client = self.ready()
        self.assertTrue(client.load_assets())
        frame = client.get_data().get_data_frame()
        wanted = self.having("PRODUCT_CHAR_ID", "7") | self.having("PRODUCT_CHAR_ID", "8") | {self.id_of("spring-brief.pdf")}
        self.assertEqual(set(frame["asset_id"]), wanted)
        self.assertEqual(set(frame["workspace_type"]), {"Product", "Business Unit"})
        self.assertIn("spring-poster", set(frame["asset_title"]))
        # What has expired is listed and not fetched; what is offline cannot be.
        self.assertEqual(set(os.listdir(self.folder.name)), wanted - {self.id_of("old-logo.png"), self.id_of("broadcast-master.mxf")})
        other = self.ready(threads=1, product_inclusions=["Archive Center"], asset_exclusions=[self.id_of("old-logo.png")])
        other.load_assets(load_business_units=False, download_assets=False)
        self.assertEqual(list(other.get_data().get_data_frame()["name"]), ["broadcast-master.mxf"])
        listed = [dict(client.get_asset(self.id_of("spring-brief.pdf"))["asset_resource"]["asset"])]
        third = self.ready()
        third.load_assets_worker(listed, 1, download_assets=False)
        self.assertEqual(len(third.get_data().get_data_frame()), 1)
        seen = []
        third.thread_wrapper(lambda: seen.append(threading.current_thread()))
        self.assertEqual(len(seen), 1)

    @shows("OTMM.get_asset", "OTMM.search_assets")
    def test_what_goes_wrong_is_nothing_to_this_client(self):
        client, id = self.ready(), self.id_of("spring-brief.pdf")
        for action in (
            {"kind": "status", "status": 500},
            {"kind": "unauthorized"},
            {"kind": "html_error"},
            {"kind": "drop_before_effect"},
        ):
            self.fault(action=action)
            self.assertIsNone(client.get_asset(id), action)
        self.wait(3601)
        self.assertIsNone(client.get_asset(id), "it does not renew its token")
        self.assertTrue(client.authenticate())
        self.assertIsNotNone(client.get_asset(id))
        self.fault(action={"kind": "html_ok"})
        with self.assertRaises(ValueError):
            client.search_assets({"keyword_query": "*"})
