"""Items: finding, creating, uploading, versions, downloading, deleting."""

import hashlib
import os
import tempfile

from harness import ARCHIVE, CLAIMS, INCOMING, Story, shows


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Finding(Story):
    @shows("get_node", "get_node: with metadata")
    def test_get_node(self):
        node = self.properties(self.client.get_node(CLAIMS))
        self.assertEqual((node["id"], node["name"], node["container"]), (CLAIMS, "Claims", True))
        self.assertIsNone(self.client.get_node(999999))
        self.assertIn("metadata", self.client.get_node(CLAIMS, metadata=True)["results"])

    @shows("get_nodes")
    def test_get_nodes(self):
        found = self.client.get_nodes([CLAIMS, 999999, ARCHIVE], fields="properties")
        names = [entry["data"]["properties"]["name"] for entry in found["results"]]
        self.assertEqual(names, ["Claims", "Digitised Archive"])

    @shows("get_subnodes")
    def test_get_subnodes(self):
        found = self.client.get_subnodes(ARCHIVE)
        names = [entry["data"]["properties"]["name"] for entry in found["results"]]
        self.assertEqual(names, ["Maps and Plans", "Photographs", "Registers"])
        self.assertEqual(found["collection"]["paging"]["total_count"], 3)

    @shows("get_subnodes: filter, hidden, page")
    def test_get_subnodes_with_a_filter(self):
        for number in range(5):
            self.upload(f"scan {number}.txt", b"x", parent=3401)
        self.upload("letter.txt", b"x", parent=3401)
        found = self.client.get_subnodes(3401, filter_name="scan", show_hidden=True, limit=3, page=2)
        names = [entry["data"]["properties"]["name"] for entry in found["results"]]
        self.assertEqual(names, ["scan 3.txt", "scan 4.txt"])
        self.assertEqual(found["collection"]["paging"]["total_count"], 5)

    @shows("get_subnodes_iterator")
    def test_get_subnodes_iterator_reads_every_page(self):
        for number in range(60):
            self.upload(f"scan {number:03}.txt", b"x", parent=3401)
        names = [e["data"]["properties"]["name"] for e in self.client.get_subnodes_iterator(3401)]
        self.assertEqual(names, [f"scan {number:03}.txt" for number in range(60)])
        self.assertEqual(self.properties(self.client.get_node(3401))["size"], 60)

    @shows("get_node_by_parent_and_name")
    def test_get_node_by_parent_and_name_is_exact(self):
        self.upload("plan.txt.old")
        wanted = self.upload("plan.txt")
        found = self.client.get_node_by_parent_and_name(parent_id=INCOMING, name="plan.txt")
        self.assertEqual([e["data"]["properties"]["id"] for e in found["results"]], [wanted])
        none = self.client.get_node_by_parent_and_name(parent_id=INCOMING, name="plan")
        self.assertEqual(none["results"], [])

    @shows("get_node_by_volume_and_path")
    def test_get_node_by_volume_and_path(self):
        found = self.client.get_node_by_volume_and_path(volume_type=141, path=["Claims", "Incoming"])
        self.assertEqual(self.id_of(found), INCOMING)

    @shows("get_node_by_volume_and_path: creating")
    def test_get_node_by_volume_and_path_creates(self):
        path = ["Claims", "Incoming", "2031", "May"]
        found = self.client.get_node_by_volume_and_path(volume_type=141, path=path, create_path=True)
        self.assertEqual(self.at("Claims/Incoming/2031/May")["id"], self.id_of(found))

    @shows("set_node_nickname", "get_node_from_nickname")
    def test_nickname(self):
        self.client.set_node_nickname(node_id=INCOMING, nickname="in-box")
        self.assertEqual(self.node(INCOMING)["nickname"], "in_box")
        self.assertEqual(self.id_of(self.client.get_node_from_nickname("in_box")), INCOMING)
        self.assertIsNone(self.client.get_node_from_nickname("nobody"))

    @shows("check_node_name")
    def test_check_node_name(self):
        wanted = self.upload("taken.txt")
        hits = self.client.check_node_name(parent_id=INCOMING, node_name="Taken.txt")["results"]
        self.assertEqual(hits, [{"id": wanted, "name": "taken.txt"}])
        self.assertEqual(self.client.check_node_name(parent_id=INCOMING, node_name="free.txt")["results"], [])

    @shows("get_unique_names")
    def test_get_unique_names(self):
        found = self.client.get_unique_names(names=["Claims", "Brand new"], subtype=0)["results"]
        self.assertEqual([entry["NodeUniqueName"] for entry in found], ["Claims (2)", "Brand new"])
        found = self.client.get_unique_names(names=["Fresh.txt"], subtype=144)["results"]
        self.assertEqual([entry["NodeUniqueName"] for entry in found], ["Fresh.txt"])

    @shows("get_node_actions")
    def test_get_node_actions(self):
        found = self.client.get_node_actions(node_id=INCOMING, filter_actions=["open", "delete"])
        self.assertEqual(set(found["results"][str(INCOMING)]["data"]), {"open", "delete"})


class Creating(Story):
    @shows("create_item")
    def test_create_item(self):
        folder = self.id_of(
            self.client.create_item(parent_id=INCOMING, item_type=0, item_name="Letters", item_description="in")
        )
        self.assertEqual(self.node(folder)["description"], "in")
        link = self.id_of(
            self.client.create_item(parent_id=folder, item_type=140, item_name="Home", url="https://example.org")
        )
        self.assertEqual(self.node(link)["url"], "https://example.org")
        shortcut = self.id_of(
            self.client.create_item(parent_id=folder, item_type=1, item_name="Archive", original_id=ARCHIVE)
        )
        self.assertEqual(self.node(shortcut)["original_id"], ARCHIVE)

    @shows("500, the name is taken: None, or the error if wanted")
    def test_a_collision_is_reported_and_nothing_is_created(self):
        self.client.create_item(parent_id=INCOMING, item_type=0, item_name="Letters")
        before = len(self.state()["nodes"])
        self.assertIsNone(self.client.create_item(parent_id=INCOMING, item_type=0, item_name="LETTERS"))
        told = self.client.create_item(
            parent_id=INCOMING, item_type=0, item_name="LETTERS", parse_error_response=True
        )
        self.assertIn("already exists", told["error"])
        self.assertEqual(len(self.state()["nodes"]), before)

    @shows("upload_file_to_parent")
    def test_upload_file_to_parent(self):
        content = os.urandom(100_000)
        node = self.node(
            self.upload(
                "Grüße 写真.txt",
                content,
                description="from outside",
                external_create_date="2030-01-02",
                external_modify_date="2030-03-04",
                category_data={"4104": {"4104_2": "S 12", "4104_4": 1887}},
                classifications=[7202],
            )
        )
        self.assertEqual(node["path"], "Enterprise/Claims/Incoming/Grüße 写真.txt")
        self.assertEqual(node["versions"][0]["sha256"], sha256(content))
        self.assertEqual(node["versions"][0]["mime_type"], "text/plain")
        self.assertEqual(node["external"]["create_date"][:10], "2030-01-02")
        self.assertEqual(node["categories"]["4104"]["values"], {"2": "S 12", "4": 1887})
        self.assertEqual(node["classifications"], [7202])

    @shows("upload_file_to_volume")
    def test_upload_file_to_volume(self):
        with tempfile.NamedTemporaryFile(suffix=".txt") as file:
            file.write(b"package")
            file.flush()
            node = self.client.upload_file_to_volume(volume_type=525, path_or_url=file.name, file_name="package.txt")
        self.assertEqual(self.node(self.id_of(node))["path"], "Transport Warehouse/package.txt")

    @shows("copy_node")
    def test_copy_node(self):
        original = self.upload("original.txt", b"same")
        copy = self.id_of(self.client.copy_node(node_id=original, parent_id=ARCHIVE, new_name="copy.txt"))
        self.assertEqual(self.at("Digitised Archive/copy.txt")["id"], copy)
        self.assertEqual(self.node(copy)["versions"][0]["sha256"], sha256(b"same"))


class Changing(Story):
    @shows("rename_node")
    def test_rename_node(self):
        node = self.upload("draft.txt")
        self.assertIsNotNone(self.client.rename_node(node_id=node, name="final.txt", description="done"))
        self.assertEqual((self.node(node)["name"], self.node(node)["description"]), ("final.txt", "done"))

    @shows("update_item")
    def test_update_item_moves(self):
        node = self.upload("moving.txt")
        self.assertIsNotNone(self.client.update_item(node_id=node, parent_id=ARCHIVE, item_name="moved.txt"))
        self.assertEqual(self.at("Digitised Archive/moved.txt")["id"], node)

    @shows("delete_node")
    def test_delete_node(self):
        node = self.upload("old.txt")
        self.assertIsNotNone(self.client.delete_node(node))
        self.assertIsNone(self.node(node))
        self.assertEqual(self.state()["recycle_bin"], [node])

    @shows("delete_node: for good")
    def test_delete_node_for_good(self):
        node = self.upload("old.txt")
        self.assertIsNotNone(self.client.delete_node(node, purge=True))
        self.assertIsNone(self.node(node))
        self.assertEqual(self.state()["recycle_bin"], [])

    @shows("get_node_audit")
    def test_get_node_audit(self):
        node = self.upload("watched.txt")
        self.client.rename_node(node_id=node, name="renamed.txt")
        audit = self.client.get_node_audit(node)["results"]["data"]["audit"]
        names = [event["audit_name"] for event in audit]
        self.assertIn("Rename", names)
        self.assertEqual(names[-1], "Create")
        self.assertEqual({event["user_id"] for event in audit}, {1000})


class Versions(Story):
    @shows("add_document_version", "get_document_versions", "get_latest_document_version", "get_document_content")
    def test_versions_and_content(self):
        node = self.upload("report.txt", b"one")
        added = self.client.add_document_version(
            node_id=node, file_content=b"two, longer", file_name="report.txt", mime_type="text/plain", description="second"
        )
        self.assertEqual(added["results"]["data"]["versions"]["version_number"], 2)
        held = self.node(node)["versions"]
        self.assertEqual([v["size"] for v in held], [3, 11])
        self.assertEqual(held[1]["description"], "second")
        listed = self.client.get_document_versions(node)
        listed = listed["results"] if isinstance(listed, dict) else listed
        self.assertEqual(sorted(e["data"]["versions"]["version_number"] for e in listed), [1, 2])
        self.assertEqual(self.client.get_latest_document_version(node)["data"]["version_number"], 2)
        self.assertEqual(self.client.get_document_content(node), b"two, longer")
        self.assertEqual(self.client.get_document_content(node, version_number="1"), b"one")

    @shows("download_document", "download_document: a version")
    def test_download_document(self):
        content = os.urandom(3_000_000)
        node = self.upload("large.bin", content)
        with tempfile.TemporaryDirectory() as folder:
            target = os.path.join(folder, "large.bin")
            self.assertTrue(self.client.download_document(node_id=node, file_path=target))
            with open(target, "rb") as file:
                self.assertEqual(sha256(file.read()), sha256(content))
            self.client.add_document_version(
                node_id=node, file_content=b"newer", file_name="large.bin", mime_type="text/plain"
            )
            for version, expected in (("1", content), ("2", b"newer")):
                target = os.path.join(folder, f"version {version}")
                self.assertTrue(self.client.download_document(node_id=node, file_path=target, version_number=version))
                with open(target, "rb") as file:
                    self.assertEqual(sha256(file.read()), sha256(expected))

    @shows("purge_document_versions")
    def test_purge_document_versions(self):
        node = self.upload("many.txt", b"1")
        for content in (b"2", b"3", b"4"):
            self.client.add_document_version(
                node_id=node, file_content=content, file_name="many.txt", mime_type="text/plain"
            )
        self.client.purge_document_versions(node_id=node, versions_to_keep=2)
        self.assertEqual([v["number"] for v in self.node(node)["versions"]], [3, 4])


class OwnFaults(Story):
    """What the client breaks on by itself: no simulator can mend that, and whoever meets it should find it here."""

    @shows("get_node_audit_iterator: breaks on the shape of the audit")
    def test_get_node_audit_iterator(self):
        with self.assertRaises(AttributeError):
            list(self.client.get_node_audit_iterator(self.upload()))

    @shows("assign_classifications: breaks when told to remove")
    def test_assign_classifications_removing(self):
        node = self.upload()
        with self.assertRaises(UnboundLocalError):
            self.client.assign_classifications(node_id=node, classifications=[7201], remove_existing=True)
        self.assertEqual(self.node(node)["classifications"], [])

    @shows("add_document_version: breaks on bytes without a type")
    def test_add_document_version_without_a_type(self):
        node = self.upload()
        with self.assertRaises(TypeError):
            self.client.add_document_version(node_id=node, file_content=b"two", file_name="memo.txt")
        self.assertEqual(len(self.node(node)["versions"]), 1)

    @shows("get_node_from_nickname: encodes nothing, finds what is not asked")
    def test_a_nickname_with_a_sign_that_addresses_give_a_meaning(self):
        self.client.set_node_nickname(node_id=INCOMING, nickname="in_box")
        # No item can have this nickname: `%` is not allowed in one.
        self.assertEqual(self.id_of(self.client.get_node_from_nickname("in%5Fbox")), INCOMING)

    @shows("get_workspace_by_business_object: the same")
    def test_a_business_object_with_a_sign_that_addresses_give_a_meaning(self):
        system = {"external_system_name": "SAP", "business_object_type": "LFA1"}
        for asked in ("0000200451#2", "0000200451?2"):
            found = self.client.get_workspace_by_business_object(business_object_id=asked, **system)
            names = [entry["data"]["properties"]["name"] for entry in found["results"]]
            self.assertEqual(names, ["0000200451 Northern Glazing"], asked)
