"""Requests of other public clients, in their order and with their headers, sent again by a plain HTTP library."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import requests
from harness import API, EDITOR, PASSWORD, SECRET, CLIENT, SERVER, USER, Story, shows

PATIENCE = {"timeout": 30}


def representation(correlation, policy=1):
    fields = [
        {
            "id": "CUSTOM.FIELD.CORRELATION",
            "type": "com.artesia.metadata.MetadataField",
            "value": {"value": {"type": "string", "value": correlation}},
        }
    ]
    return json.dumps({"asset_resource": {"asset": {
        "metadata": {"metadata_element_list": fields},
        "metadata_model_id": "CUSTOM.MODEL.CAMPAIGN",
        "security_policy_list": [{"id": policy}],
    }}})


def manifest(*names, replaces=None):
    more = {} if replaces is None else {"uoi_id": replaces}
    files = [{"file": {"file_name": name, "file_type": "image/tiff"}, **more} for name in names]
    return json.dumps({"upload_manifest": {"master_files": files}})


def text(value):
    """A part of a form that is no file."""
    return (None, value)


def selection(*ids):
    context = {
        "type": "com.artesia.asset.selection.AssetIdsSelectionContext",
        "asset_ids": list(ids), "include_descendants": "NONE", "child_type": "ASSETS", "include_deleted_assets": False,
    }
    return json.dumps({"selection_context_param": {"selection_context": context}})


class Uploaders(Story):
    """What imports."""

    def job(self, number):
        return [one for one in self.state()["assets"].values() if str(one["import_job"]) == str(number)]

    @shows("upload in one request, v4: cookie only")
    def test_the_oldest_uploader_sends_nothing_but_its_cookie(self):
        session = requests.Session()
        session.post(f"{SERVER}/otmmapi/v4/sessions", data={"username": USER, "password": PASSWORD}, **PATIENCE)
        form = {
            "asset_representation": text(representation("v4")),
            "manifest": text(manifest("a.tif")),
            "parent_folder_id": text(self.id_of("Products")),
            "no_content": text("false"),
            "files": ("a.tif", b"II* picture", "application/octet-stream"),
        }
        answer = session.post(f"{SERVER}/otmmapi/v4/assets", files=form, **PATIENCE)
        self.assertEqual(answer.status_code, 200, answer.text)
        # The same with v5 is refused: it wants the number of the session too.
        self.assertEqual(session.post(f"{SERVER}/otmmapi/v5/assets", files=form, **PATIENCE).status_code, 403)
        self.wait(20)
        (made,) = self.job(answer.json()["job_handle"]["job_id"])
        self.assertEqual(made["values"]["CUSTOM.FIELD.CORRELATION"], "v4")

    @shows("upload in one request, v6: login, folder walked to, several files, job followed, logout")
    def test_the_asset_uploader(self):
        session = self.login()
        roots = session.get(f"{API}/folders/rootfolders", **PATIENCE).json()["folders_resource"]["folder_list"]
        at = next(one["asset_id"] for one in roots if one["name"] == "Public folders")
        for name in ("Campaigns", "Spring 2030"):
            inside = session.get(f"{API}/folders/{at}/folders", **PATIENCE).json()["folders_resource"]["folder_list"]
            at = next(one["asset_id"] for one in inside if one["name"] == name)
        body = {"folder_resource": {"folder": {
            "name": "Upload", "container_type_id": "ARTESIA.BASIC.FOLDER",
            "metadata_model_id": "ARTESIA.MODEL.BASIC FOLDER", "security_policy_list": [{"id": 1}],
        }}}
        made = session.post(f"{API}/folders/{at}", json=body, **PATIENCE).json()["folder_resource"]["folder"]
        form = [
            ("asset_representation", ("blob", representation("many"), "application/json")),
            ("manifest", ("blob", manifest("größe.tif", "b.tif"), "application/json")),
            ("parent_folder_id", text(made["asset_id"])),
            ("no_content", text("false")),
            ("files", ("größe.tif", b"II* one", "image/tiff")),
            ("files", ("b.tif", b"II* two", "image/tiff")),
        ]
        self.switch(jobs={"accepted_status": 202})
        answer = session.post(f"{API}/assets", files=form, **PATIENCE)
        self.assertEqual(answer.status_code, 202, answer.text)
        number = answer.json()["job_handle"]["job_id"]
        self.assertIsInstance(number, str)
        self.wait(20)
        self.assertEqual(session.get(f"{API}/jobs/{number}", **PATIENCE).json()["job_resource"]["job"]["status"], "COMPLETED")
        self.assertEqual({one["name"] for one in self.job(number)}, {"größe.tif", "b.tif"})
        self.assertEqual({tuple(one["parents"]) for one in self.job(number)}, {(made["asset_id"],)})
        self.assertEqual(session.delete(f"{API}/sessions", **PATIENCE).status_code, 200)
        self.assertEqual(session.get(f"{API}/users/me", **PATIENCE).status_code, 401)

    @shows("upload in one request, v6: cookie and number, a representation without fields, a manifest without types")
    def test_the_asset_uploader_of_one_file(self):
        session = self.login()
        del session.headers["otmmauthtoken"]
        described = {"asset_resource": {"asset": {
            "asset_id": "61e6", "metadata": {"id": "61e6", "name": "otmm-api.properties"},
            "metadata_model_id": "ARTESIA.MODEL.DEFAULT", "security_policy_list": [{"id": "2"}],
        }}}
        files = {"upload_manifest": {"master_files": [{"file": {"file_name": "otmm-api.properties"}}]}}
        form = {
            "parent_folder_id": text(self.id_of("Products")),
            "manifest": (None, json.dumps(files), "application/json"),
            "asset_representation": (None, json.dumps(described), "application/json"),
            "files": ("otmm-api.properties", b"a=b", "application/octet-stream"),
        }
        number = session.post(f"{API}/assets", files=form, **PATIENCE).json()["job_handle"]["job_id"]
        self.wait(20)
        (made,) = self.job(number)
        self.assertEqual((made["name"], made["policies"], made["model"]), ("otmm-api.properties", [2], "ARTESIA.MODEL.DEFAULT"))
        self.assertNotEqual(made["id"], "61e6", "ids are the server's")

    @shows("staged import: job, several files at a time, start")
    def test_files_of_a_job_come_in_parallel(self):
        session = self.login()
        answer = session.post(f"{API}/jobs/imports", data={"file_name": "{}"}, **PATIENCE)
        number = answer.json()["job_handle"]["job_id"]
        names = [f"part-{index}.tif" for index in range(6)]

        def send(name):
            form = {"import_job_id": text(number), "file_name": text(name), "file": (name, name.encode(), "image/tiff")}
            return self.copy(session).post(f"{API}/renditions", files=form, **PATIENCE).status_code

        with ThreadPoolExecutor(3) as pool:
            self.assertEqual(set(pool.map(send, names)), {200})
        form = {
            "import_job_id": text(number), "file_name": text(names[0]), "manifest": text(manifest(*names)),
            "asset_representation": text(representation("staged")), "parent_folder_id": text(self.id_of("Products")),
        }
        answer = session.put(f"{API}/jobs/imports/{number}", files=form, **PATIENCE)
        self.assertEqual(answer.json()["job_handle"]["job_id"], number)
        self.wait(20)
        found = {one["name"]: one["master"]["md5"] for one in self.job(number)}
        self.assertEqual(found, {name: hashlib.md5(name.encode()).hexdigest() for name in names})

    def copy(self, session):
        other = requests.Session()
        other.headers.update(session.headers)
        other.cookies.update(session.cookies)
        return other

    def version(self, session, opened, order):
        """A new version: the states in this order, a job of this kind, its file, the check-in."""
        before = self.held("spring-poster.tif")
        for action in order:
            answer = session.put(f"{API}/assets/{before['id']}/state", data={"action": action}, **PATIENCE)
            self.assertEqual(answer.status_code, 200, answer.text)
        job = session.post(f"{API}/jobs/{opened}", data={"file_name": "spring-poster.tif"}, **PATIENCE)
        number = job.json()["job_handle"]["job_id"]
        name = "spring-poster.tif"
        form = {"import_job_id": text(number), "file_name": text(name), "file": (name, opened.encode(), "image/tiff")}
        self.assertEqual(session.post(f"{API}/renditions", files=form, **PATIENCE).status_code, 200)
        form = {
            "import_job_id": text(number), "file_name": text(name),
            "manifest": text(manifest(name, replaces=before["id"])),
        }
        answer = session.put(f"{API}/jobs/checkins/{number}", files=form, **PATIENCE)
        self.assertEqual(answer.status_code, 200, answer.text)
        self.wait(20)
        after = self.held("spring-poster.tif")
        self.assertEqual((after["version"], after["original_id"]), (before["version"] + 1, before["original_id"]))
        self.assertEqual(after["values"], before["values"])
        self.assertIsNone(after["check_out"])

    @shows("check-in: checked out, locked, import job", "check-in: locked, checked out, check-in job")
    def test_new_versions_in_both_orders(self):
        session = self.login()
        self.version(session, "imports", ("check_out", "lock"))
        self.version(session, "checkins", ("lock", "check_out"))

    @shows("preview of an asset replaced")
    def test_a_preview(self):
        session, id = self.login(), self.id_of("spring-brief.pdf")
        form = {"rendition_type": text("preview"), "job_name": text("Job"), "file": ("p.jpg", b"picture", "image/jpeg")}
        self.assertEqual(session.post(f"{API}/assets/{id}/contents", files=form, **PATIENCE).status_code, 200)
        self.wait(20)
        answer = session.get(f"{API}/assets/{id}/contents", params={"rendition_type": "preview"}, **PATIENCE)
        self.assertEqual(answer.content, b"picture")

    @shows("an extension that is not allowed: 500 with a sentence")
    def test_a_restricted_extension(self):
        session = self.login()
        form = {
            "asset_representation": text(representation("x")), "manifest": text(manifest("a.exe")),
            "parent_folder_id": text(self.id_of("Products")), "files": ("a.exe", b"MZ", "application/octet-stream"),
        }
        answer = session.post(f"{API}/assets", files=form, **PATIENCE)
        self.assertEqual((answer.status_code, answer.json()["exception_body"]["error_code"]), (500, 1000))


class Readers(Story):
    """What looks."""

    @shows("Node: digest as a bearer of its own kind")
    def test_the_node_client(self):
        digest = self.login().headers["otmmauthtoken"]
        headers = {"Authorization": f"Bearer otmmToken {digest}", "Accept": "application/json"}
        answer = requests.get(f"{API}/assets/{self.id_of('spring-brief.pdf')}", headers=headers, **PATIENCE)
        self.assertEqual(answer.json()["asset_resource"]["asset"]["name"], "spring-brief.pdf")

    @shows("Node: words and pages of a search by GET, assets by a selection with an unknown member")
    def test_the_node_client_looks(self):
        session = self.login()
        params = {
            "keyword_query": "spring", "load_type": "metadata", "load_multilingual_values": "true",
            "level_of_detail": "slim", "after": 1, "limit": 3, "multilingual_language_code": "en_US",
            "keyword_scope_id": 3, "preference_id": "ARTESIA.PREFERENCE.GALLERYVIEW.DISPLAYED_FIELDS",
            "metadata_to_return": "ARTESIA.FIELD.TAG", "sort": "desc_ARTESIA.FIELD.ASSET ID",
        }
        found = session.get(f"{API}/search/text", params=params, **PATIENCE).json()["search_result_resource"]
        self.assertEqual((found["search_result"]["offset"], len(found["search_result"]["asset_id_list"])), (1, 3))
        context = {
            "child_type": "ASSETS", "include_descendants": "NONE", "include_devared_assets": False,
            "type": "com.artesia.asset.selection.AssetIdsSelectionContext",
            "asset_ids": found["search_result"]["asset_id_list"],
        }
        context = json.dumps({"selection_context_param": {"selection_context": context}})
        params = {"load_type": "system", "level_of_detail": "slim", "selection_context": context}
        listed = session.get(f"{API}/assets", params=params, **PATIENCE).json()["assets_resource"]["asset_list"]
        self.assertEqual(len(listed), 3)
        recent = session.get(f"{API}/assets/recent", params={"load_type": "full", "limit": 25}, **PATIENCE).json()
        self.assertGreater(len(recent["assets_resource"]["asset_list"]), 0)

    @shows("collections with their owners, their assets with content and address; policies")
    def test_collections_and_policies(self):
        session = self.login()
        found = session.get(f"{API}/collections", **PATIENCE).json()["collection_resource"]
        self.assertIn("limit", found["collection_summary"])
        (kit,) = found["collection"]
        self.assertEqual((kit["name"], "owner_name" in kit), ("Press kit", True))
        inside = session.get(f"{API}/collections/{kit['id']}/assets", **PATIENCE).json()["assets_resource"]["asset_list"]
        for asset in inside:
            self.assertTrue(asset["asset_content_info"]["master_content"]["mime_type"])
            self.assertIn(asset["original_asset_id"], asset["delivery_service_url"])
            self.assertEqual(requests.get(asset["delivery_service_url"], **PATIENCE).status_code, 200)
        policies = session.get(f"{API}/securitypolicies", **PATIENCE).json()["security_policies_resource"]
        self.assertEqual([one["id"] for one in policies["security_policy_list"]], [1, 2])

    @shows("v5 exchange: cookies only, folders and assets walked")
    def test_reading_with_cookies_only(self):
        session = self.login(version="v5")
        for header in ("otmmauthtoken", "X-Requested-By"):
            del session.headers[header]
        # It says so of its empty requests too.
        session.headers["Content-Type"] = "application/json"
        base = f"{SERVER}/otmmapi/v5/folders"
        roots = session.get(f"{base}/rootfolders", **PATIENCE).json()["folders_resource"]["folder_list"]
        self.assertIn("ARTESIA.PUBLIC.TREEN", [one["asset_id"] for one in roots])
        spring = self.id_of("Spring 2030")
        inside = session.get(f"{base}/{spring}/assets", params={"load_type": "metadata"}, **PATIENCE).json()
        found = inside["assets_resource"]
        self.assertEqual(found["collection_summary"]["total_number_of_items"], len(found["asset_list"]))
        url = next(one["master_content_info"]["url"] for one in found["asset_list"] if one["name"] == "spring-brief.pdf")
        self.assertTrue(url.startswith("/otmmapi/v5/renditions/"))
        self.assertEqual(len(session.get(SERVER + url, **PATIENCE).content), 60_000)
        above = session.get(f"{base}/{spring}/parents", **PATIENCE).json()["folders_resource"]["folder_list"]
        self.assertEqual([one["name"] for one in above], ["Campaigns"])

    @shows("folder browser: children with filter, sort and preference; deleted ones unless excluded")
    def test_the_folder_browser(self):
        session, spring = self.login(), self.id_of("Spring 2030")
        params = {
            "load_type": "metadata", "level_of_detail": "slim", "after": 0, "limit": 25, "sort": "asc_NAME",
            "preference_id": "ARTESIA.PREFERENCE.GALLERYVIEW.DISPLAYED_FIELDS",
        }
        path = f"{API}/folders/{spring}/children"
        everything = session.get(path, params=params, **PATIENCE).json()["folder_children"]["asset_list"]
        wanted = {"asset_filter_request_param": {"asset_filter_request": {"exclude_deleted_assets": True}}}
        params["asset_filter_request"] = json.dumps(wanted)
        living = session.get(path, params=params, **PATIENCE).json()["folder_children"]["asset_list"]
        self.assertEqual(len(everything) - len(living), 1)
        self.assertEqual([one["name"] for one in living], sorted(one["name"] for one in living))

    @shows("directory service: ticket, ticket for the resource, session by header or by query")
    def test_tickets(self):
        otds = f"{SERVER}/otdsws/rest/authentication"
        body = {"userName": USER, "password": PASSWORD, "ticketType": "OTDSTICKET"}
        ticket = requests.post(f"{otds}/credentials", json=body, **PATIENCE).json()["ticket"]
        body = {"ticket": ticket, "targetResourceId": "otmm"}
        ticket = requests.post(f"{otds}/resource/ticketforresource", json=body, **PATIENCE).json()["ticket"]
        for ways in ({"headers": {"OTDSToken": ticket}}, {"params": {"OTDSTicket": ticket}}):
            answer = requests.get(f"{API}/sessions", **ways, **PATIENCE)
            self.assertEqual(answer.json()["session_resource"]["session"]["login_name"], USER)
            self.assertIn("JSESSIONID", answer.cookies)

    @shows("panel: bearer of the directory service, search without X-Requested-By")
    def test_the_panel(self):
        for grant in ({"grant_type": "password", "username": USER, "password": PASSWORD}, {"grant_type": "client_credentials"}):
            form = {**grant, "client_id": CLIENT, "client_secret": SECRET}
            token = requests.post(f"{SERVER}/otdsws/oauth2/token", data=form, **PATIENCE).json()
            headers = {"Authorization": f"Bearer {token['access_token']}"}
            answer = requests.post(f"{API}/search/text", data={"keyword_query": "spring"}, headers=headers, **PATIENCE)
            self.assertGreater(answer.json()["search_result_resource"]["search_result"]["hit_count"], 0)

    @shows("poller: search on a status field, sorted, ids only, page by page")
    def test_the_poller(self):
        session = self.login()
        conditions = [
            {"type": "com.artesia.search.SearchScalarCondition", "metadata_field_id": "CUSTOM.FIELD.STATUS",
             "relational_operator_id": "ARTESIA.OPERATOR.CHAR.CONTAINS", "value": "approved", "left_paren": "(", "right_paren": ")"},
            {"type": "com.artesia.search.SearchScalarCondition", "metadata_field_id": "ARTESIA.FIELD.IS LATEST VERSION",
             "relational_operator_id": "ARTESIA.OPERATOR.CHAR.CONTAINS", "value": "Y", "relational_operator": "and"},
        ]
        params = {
            "search_condition_list": json.dumps({"search_condition_list": {"search_condition": conditions}}),
            "search_config_id": "3", "keyword_query": "*", "sort": "desc_ARTESIA.FIELD.ASSET ID", "limit": 3,
            "return_type": "ids", "after": 0,
        }
        found = []
        while True:
            answer = session.get(f"{API}/search/text", params=params, **PATIENCE).json()
            result = answer["search_result_resource"]["search_result"]
            self.assertFalse(result["contains_invalid_conditions"])
            found += result["asset_id_list"]
            params["after"] += result["hit_count"]
            if not result["hit_count"] or params["after"] >= result["total_hit_count"]:
                break
        held = self.state()["assets"].values()
        wanted = [one["id"] for one in held if one["latest"] and one["values"].get("CUSTOM.FIELD.STATUS") == "approved"]
        self.assertEqual(found, sorted(wanted, reverse=True))

    @shows("sharing: session probed, rendition by HEAD and GET, many at once as an export")
    def test_sharing(self):
        session = self.login()
        self.assertEqual(session.get(f"{API}/sessions", **PATIENCE).status_code, 200)
        ids = [self.id_of("spring-brief.pdf"), self.id_of("spring-spot.mov")]
        listed = session.get(f"{API}/assets", params={"selection_context": selection(*ids)}, **PATIENCE).json()
        listed = listed["assets_resource"]["asset_list"]
        self.assertEqual([one["asset_id"] for one in listed], ids)
        url = SERVER + listed[0]["master_content_info"]["url"]
        head = session.head(url, params={"disposition": "attachment"}, **PATIENCE)
        whole = session.get(url, params={"disposition": "attachment"}, **PATIENCE)
        self.assertEqual((head.status_code, int(head.headers["Content-Length"])), (200, len(whole.content)))
        self.assertEqual(hashlib.md5(whole.content).hexdigest(), listed[0]["master_content_info"]["content_checksum"])
        form = {"selection_context": selection(*ids, self.id_of("Products"))}
        answer = session.post(f"{API}/jobs/exports", data=form, **PATIENCE).json()["export_job_handle"]["export_response"]
        self.assertEqual(answer, {"exportable_count": 2, "unexportable_count": 1})
        refused = session.post(f"{API}/jobs/exports", data={"selection_context": selection(self.id_of("Products"))}, **PATIENCE)
        self.assertEqual((refused.status_code, "message" in refused.json()["exception_body"]), (500, True))

    @shows("review: address for a look outside of a task", "custom load of one asset, flags as words")
    def test_small_things(self):
        session, id = self.login(), self.id_of("spring-brief.pdf")
        form = {"asset_ids": id}
        answer = session.post(f"{API}/reviewjobs/quicksessions", params={"version": 1}, data=form, **PATIENCE).json()
        self.assertIn("url", answer["quick_session_resource"])
        request = {"data_load_request": {"load_metadata": "true", "child_count_load_type": "both"}}
        params = {"load_type": "custom", "data_load_request": json.dumps(request)}
        asset = session.get(f"{API}/assets/{id}", params=params, **PATIENCE).json()["asset_resource"]["asset"]
        self.assertEqual(("metadata" in asset, "path_list" in asset), (True, False))


class Writers(Story):
    """What changes."""

    def patched(self, session, path, body):
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        return session.patch(f"{API}/{path}", data=json.dumps(body).encode(), headers=headers, **PATIENCE)

    @shows("edit: locked, saved, unlocked", "edit without lock, optimistic")
    def test_one_asset(self):
        session, editor, id = self.login(), self.login(user=EDITOR), self.id_of("spring-brief.pdf")
        field = {"id": "CUSTOM.FIELD.ARCHIVE ID", "type": "com.artesia.metadata.MetadataField",
                 "value": {"value": {"type": "string", "value": "a-1"}}}
        body = {"edited_asset": {"data": {"metadata": [field]}}}
        self.assertEqual(self.patched(session, f"assets/{id}", body).status_code, 500, "nobody has locked it")
        state = f"{API}/assets/{id}/state"
        options = json.dumps({"asset_state_options_param": {"asset_state_options": {"apply_to_all_versions": False}}})
        form = {"action": "lock", "asset_state_options": options}
        self.assertEqual(session.put(state, data=form, **PATIENCE).status_code, 200)
        self.assertEqual(editor.put(state, data=form, **PATIENCE).status_code, 500)
        self.assertEqual(self.patched(session, f"assets/{id}", body).status_code, 200)
        self.assertEqual(session.put(state, data={"action": "unlock"}, **PATIENCE).status_code, 200)
        self.assertEqual(self.held("spring-brief.pdf")["values"]["CUSTOM.FIELD.ARCHIVE ID"], "a-1")
        field["value"] = None
        self.assertEqual(self.patched(session, f"assets/{id}?lock_strategy=optimistic", body).status_code, 200)
        self.assertNotIn("CUSTOM.FIELD.ARCHIVE ID", self.held("spring-brief.pdf")["values"])

    @shows("edit in bulk, with failures at 200")
    def test_many_assets(self):
        session = self.login()
        ids = [self.id_of("spring-brief.pdf"), "0" * 40]
        context = json.loads(selection(*ids))["selection_context_param"]["selection_context"]
        entry = {"metadata_field_id": "CUSTOM.FIELD.RESTRICTION", "metadata_value": {"value": {"type": "string", "value": "x"}}}
        values = {"metadata_edit_id_value_list": [
            {"metadata_section_id": "METADATA_MISC_EDIT_SECTION", "field_id_value_entries": [entry]}
        ]}
        body = {"bulk_edit_request_param": {"bulk_edit_request": {"context": context, "metadata_values": values}}}
        answer = self.patched(session, "assets/", body)
        result = answer.json()["bulk_asset_result_representation"]["bulk_asset_result"]
        self.assertEqual((len(result["successful_object_list"]), len(result["failed_object_list"])), (1, 1))
        self.assertEqual(self.held("spring-brief.pdf")["values"]["CUSTOM.FIELD.RESTRICTION"], "x")

    @shows("edit of a table: whole columns, lookup by what people see")
    def test_tables(self):
        session, id = self.login(), self.id_of("spring-spot.mov")
        column = lambda name, kind, *values: {  # noqa: E731
            "id": f"CUSTOM.COLUMN.EVENT {name}", "type": "com.artesia.metadata.MetadataTableField",
            "values": [{"value": {"type": kind, "value": value}} for value in values],
        }
        fields = [
            column("DATE", "dateTime", "2030-03-01T00:00:00Z", "2030-04-01T00:00:00Z"),
            column("TYPE", "string", "approved", "archived"),
            column("DETAIL", "string", "", "a-1"),
            {"id": "CUSTOM.FIELD.STATUS", "type": "com.artesia.metadata.MetadataField",
             "value": {"value": {"type": "com.artesia.metadata.DomainValue", "displayValue": "Draft",
                                 "field_value": {"type": "string", "value": "draft"}}}},
        ]
        path, body = f"assets/{id}?lock_strategy=optimistic", {"edited_asset": {"data": {"metadata": fields}}}
        self.assertEqual(self.patched(session, path, body).status_code, 200)
        held = self.held("spring-spot.mov")
        self.assertEqual(held["columns"]["CUSTOM.COLUMN.EVENT TYPE"], ["approved", "archived"])
        self.assertEqual(held["values"]["CUSTOM.FIELD.STATUS"], "draft")

    @shows("deleting, subscribing, putting into a folder: in bulk, with reasons at 200")
    def test_states_and_folders(self):
        session, folder = self.login(), self.id_of("Products")
        ids = [self.id_of("spring-brief.pdf"), self.id_of("Spring 2030")]
        form = {"type": "add", "selection_context": selection(*ids)}
        answer = session.put(f"{API}/folders/{folder}/children", data=form, **PATIENCE)
        result = answer.json()["folder_operation_resource"]["folder_operation_result"]
        self.assertEqual((answer.status_code, result["failed_children"][0]["reasons"]), (200, ["SINGLE_PARENT"]))
        form = {"action": "subscribe", "selection_context": selection(ids[0])}
        self.assertEqual(session.post(f"{API}/assets/subscriptions", data=form, **PATIENCE).status_code, 200)
        form = {"action": "delete", "selection_context": selection(ids[0], "0" * 40)}
        answer = session.put(f"{API}/assets/state", data=form, **PATIENCE)
        result = answer.json()["bulk_asset_result_representation"]["bulk_asset_result"]
        self.assertEqual((answer.status_code, len(result["failed_object_list"])), (200, 1))
        self.assertIsNotNone(self.held("spring-brief.pdf")["deleted"])

    @shows("JSON in an address, not encoded: refused by the container")
    def test_raw_json_in_an_address(self):
        session = self.login()
        import http.client

        connection = http.client.HTTPConnection(SERVER.removeprefix("http://"), timeout=30)
        target = f"/otmmapi/v6/assets/{self.id_of('spring-brief.pdf')}?data_load_request={{}}"
        connection.request("GET", target, headers={"otmmauthtoken": session.headers["otmmauthtoken"]})
        answer = connection.getresponse()
        self.assertEqual((answer.status, answer.read(15)), (400, b"<!DOCTYPE html>"))
        connection.close()
