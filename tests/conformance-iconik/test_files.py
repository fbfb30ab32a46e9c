"""Formats, file sets, files, and where they are stored."""

from pythonik.files.models import (
    FileCreateSchema,
    FileSchema,
    FileSetSchema,
    FormatSchema,
    TranscodeRequestSchema,
)
from pythonik.models.files.file import FileCreate, FileSetCreate
from pythonik.models.files.format import Component, FormatCreate

from harness import NOWHERE, Story, send, shows


class Formats(Story):
    @shows("A files.create_asset_format", "A files.get_asset_formats", "A files.get_asset_format",
           "A files.update_asset_format", "A files.partial_update_asset_format")
    def test_a_format(self):
        asset = self.asset()
        body = FormatCreate(name="ORIGINAL", metadata=[{"codec": "prores"}], storage_methods=["S3"])
        made = self.done(self.a.files.create_asset_format(asset, body), 201)
        read = self.done(self.a.files.get_asset_format(asset, made.id))
        self.assertEqual((read.name, read.asset_id, read.metadata), ("ORIGINAL", asset, [{"codec": "prores"}]))
        # The same place in the path takes the name.
        self.assertEqual(self.done(self.a.files.get_asset_format(asset, "ORIGINAL")).id, made.id)
        self.assertEqual(self.a.files.get_asset_format(asset, "EDIT_PROXY").response.status_code, 404)
        self.assertEqual([f.id for f in self.done(self.a.files.get_asset_formats(asset)).objects], [made.id])
        self.done(self.a.files.partial_update_asset_format(asset, made.id, {"metadata": [{"codec": "h264"}]}))
        held = self.read(f"files/v1/assets/{asset}/formats/{made.id}/")
        self.assertEqual((held["name"], held["metadata"], held["version_id"]),
                         ("ORIGINAL", [{"codec": "h264"}], self.version(asset)))
        self.done(self.a.files.update_asset_format(asset, made.id, FormatCreate(name="MASTER")))
        self.assertEqual(self.read(f"files/v1/assets/{asset}/formats/{made.id}/")["name"], "MASTER")

    @shows("B post_asset_formats", "B get_asset_formats", "B get_asset_format")
    def test_the_other_surface_leaves_a_link_to_the_filed_copy(self):
        asset = self.asset()
        place = {"uri": "https://ecm.example.com/nodes/4711", "display_name": "Filed master"}
        body = FormatSchema.from_dict({"name": "ORIGINAL", "external_references": [place]})
        made = self.done(self.b.post_asset_formats(asset, body=body), 201)
        read = self.done(self.b.get_asset_format(asset, str(made.id)))
        self.assertEqual(read.external_references[0].uri, "https://ecm.example.com/nodes/4711")
        self.assertEqual([str(f.id) for f in self.done(self.b.get_asset_formats(asset)).objects], [str(made.id)])

    @shows("A files.create_asset_format_component", "A files.list_asset_format_components")
    def test_components(self):
        asset = self.asset()
        format_id = self.format(asset)
        body = Component(name="picture", type="VIDEO", metadata={"width": "3840"})
        self.assertIn(self.a.files.create_asset_format_component(asset, format_id, body).response.status_code, (200, 201))
        listed = self.done(self.a.files.list_asset_format_components(asset, format_id))
        self.assertEqual([(c["name"], c["type"], c["metadata"]) for c in listed.objects],
                         [("picture", "VIDEO", {"width": "3840"})])
        held = self.read(f"files/v1/assets/{asset}/formats/{format_id}/")
        self.assertEqual([c["name"] for c in held["components"]], ["picture"])


class FileSets(Story):
    @shows("A files.create_asset_file_sets", "A files.get_asset_filesets", "A files.get_asset_file_set_files")
    def test_a_file_set(self):
        asset, storage = self.asset(), self.storage()
        # Empty members are not sent by this surface, though the description demands them.
        body = FileSetCreate(name="master", format_id=self.format(asset), storage_id=storage)
        made = self.done(self.a.files.create_asset_file_sets(asset, body), 201)
        self.assertEqual((made.base_dir, made.component_ids, made.storage_id), ("", [], storage))
        self.assertEqual([s.id for s in self.done(self.a.files.get_asset_filesets(asset)).objects], [made.id])
        self.assertEqual(self.done(self.a.files.get_asset_file_set_files(asset, made.id)).objects, [])
        self.assertEqual(self.read(f"files/v1/assets/{asset}/file_sets/{made.id}/")["name"], "master")

    @shows("B post_asset_file_sets", "B get_asset_file_sets", "B get_asset_file_set_files")
    def test_the_other_surface_counts_files(self):
        asset = self.asset()
        body = FileSetSchema.from_dict({"name": "frames", "format_id": self.format(asset), "base_dir": "shot-010",
                                        "component_ids": [], "storage_id": self.storage()})
        made = self.done(self.b.post_asset_file_sets(asset, body=body), 201)
        for number in range(12):
            frame = {"original_name": f"frame.{number:04}.dpx", "directory_path": "shot-010", "size": 1, "type": "FILE",
                     "file_set_id": str(made.id), "format_id": str(made.format_id), "storage_id": str(made.storage_id)}
            self.tell("POST", f"files/v1/assets/{asset}/files/", frame, 201)
        counted = self.done(self.b.get_asset_file_sets(asset, file_count=True)).objects
        self.assertEqual([(str(s.id), s.file_count) for s in counted], [(str(made.id), 12)])
        # Lists of files are paged by the last id seen, ten at a time.
        first = self.done(self.b.get_asset_file_set_files(asset, str(made.id), generate_signed_url=False)).objects
        rest = self.done(self.b.get_asset_file_set_files(asset, str(made.id), last_id=str(first[-1].id),
                                                         generate_signed_url=False)).objects
        names = {f.original_name for f in first} | {f.original_name for f in rest}
        self.assertEqual((len(first), len(rest), len(names)), (10, 2, 12))

    @shows("A files.delete_asset_file_set", "A files.get_deleted_file_sets", "A files.get_deleted_formats")
    def test_a_file_set_goes_into_the_bin(self):
        asset = self.asset()
        made = self.file(asset, content=b"frames")
        gone = self.a.files.delete_asset_file_set(asset, made["file_set"], keep_source=True)
        self.assertEqual(self.done(gone).status, "DELETED")
        queue = self.a.files.get_deleted_file_sets()
        self.assertEqual(queue.response.status_code, 200)
        self.assertIn(made["file_set"], [s["id"] for s in queue.response.json()["objects"]])
        self.tell("DELETE", f"files/v1/assets/{asset}/formats/{made['format']}/")
        queue = self.a.files.get_deleted_formats().response.json()["objects"]
        self.assertIn(made["format"], [f["id"] for f in queue])


class Files(Story):
    @shows("A files.create_asset_file", "A files.get_asset_file", "A files.partial_update_asset_file",
           "A files.update_asset_file", "A files.get_asset_files", "A files.delete_asset_file")
    def test_from_open_to_closed(self):
        asset, storage = self.asset(), self.storage()
        format_id = self.format(asset)
        file_set = self.file_set(asset, format_id, storage)
        body = FileCreate(file_set_id=file_set, format_id=format_id, storage_id=storage, name="trailer.mov",
                          original_name="trailer.mov", size=7, type="FILE", status="OPEN")
        made = self.done(self.a.files.create_asset_file(asset, body), 201)
        self.assertEqual((made.status, made.storage_method, made.directory_path), ("OPEN", "S3", ""))
        self.assertTrue(made.upload_url.startswith("http://127.0.0.1:"), made.upload_url)
        self.assertIn(send("PUT", made.upload_url, b"picture")[0], (200, 201))
        closed = self.done(self.a.files.partial_update_asset_file(asset, made.id, {"status": "CLOSED"}))
        self.assertEqual((closed.status, closed.size), ("CLOSED", 7))
        self.assertEqual(self.done(self.a.files.get_asset_file(asset, made.id)).status, "CLOSED")
        self.assertEqual([f.id for f in self.done(self.a.files.get_asset_files(asset)).objects], [made.id])
        replaced = {**body.model_dump(exclude_defaults=True), "original_name": "final.mov", "status": "CLOSED"}
        self.done(self.a.files.update_asset_file(asset, made.id, replaced))
        held = self.read(f"files/v1/assets/{asset}/files/{made.id}/")
        self.assertEqual((held["original_name"], held["status"], held["size"]), ("final.mov", "CLOSED", 7))
        self.done(self.a.files.delete_asset_file(asset, made.id), 204)
        self.read(f"files/v1/assets/{asset}/files/{made.id}/", 404)

    @shows("B post_asset_files", "B patch_asset_file", "B get_asset_file", "B get_asset_files",
           "B get_asset_file_download_url", "B get_asset_version_files")
    def test_the_other_surface_reads_the_bytes_back(self):
        asset = self.asset()
        format_id = self.format(asset)
        file_set = self.file_set(asset, format_id)
        body = {"directory_path": "autumn", "original_name": "trailer.mov", "type": "FILE", "size": 7, "status": "OPEN",
                "file_set_id": file_set, "format_id": format_id, "storage_id": self.storage()}
        made = self.done(self.b.post_asset_files(asset, body=FileCreateSchema.from_dict(body)), 201)
        self.assertIn(send("PUT", made.upload_url, b"picture")[0], (200, 201))
        body = FileSchema.from_dict({**body, "status": "CLOSED"})
        self.assertEqual(self.done(self.b.patch_asset_file(asset, str(made.id), body=body)).status.value, "CLOSED")
        # Only closed files are content.
        place = self.done(self.b.get_asset_file_download_url(asset, str(made.id)))
        self.assertEqual(send("GET", place.url), (200, b"picture"))
        # Signed addresses: not in this list unless asked for, but in that of a version.
        listed = self.done(self.b.get_asset_files(asset)).objects
        self.assertEqual([(str(f.id), bool(f.url)) for f in listed], [(str(made.id), False)])
        listed = self.done(self.b.get_asset_files(asset, generate_signed_url=True)).objects
        self.assertEqual(send("GET", listed[0].url), (200, b"picture"))
        listed = self.done(self.b.get_asset_version_files(asset, self.version(asset))).objects
        self.assertTrue(listed[0].url)
        self.assertEqual(self.done(self.b.get_asset_file(asset, str(made.id))).size, 7)

    @shows("A files.get_asset_files_by_version", "A files.get_asset_file_sets_by_version",
           "A files.get_asset_formats_by_version", "B get_asset_version_files")
    def test_each_version_has_its_own(self):
        asset = self.asset()
        first, old = self.version(asset), self.file(asset, "cut-1.mov", b"first")
        self.tell("POST", f"assets/v1/assets/{asset}/versions/", {})
        second, new = self.version(asset), self.file(asset, "cut-2.mov", b"second")
        lists = {
            "file": self.a.files.get_asset_files_by_version,
            "file_set": self.a.files.get_asset_file_sets_by_version,
            "format": self.a.files.get_asset_formats_by_version,
        }
        for version, made in ((first, old), (second, new)):
            for kind, listed in lists.items():
                with self.subTest(kind=kind):
                    found = self.done(listed(asset, version, per_page=50)).objects
                    self.assertEqual([o.id for o in found], [made[kind]])
        listed = self.done(self.b.get_asset_version_files(asset, second, generate_signed_url=False)).objects
        self.assertEqual([(f.original_name, bool(f.url)) for f in listed], [("cut-2.mov", False)])

    @shows("A files.create_mediainfo_job", "A files.create_transcode_job", "B post_asset_file_keyframes")
    def test_what_follows_an_upload(self):
        asset = self.asset()
        made = self.file(asset, content=b"picture")["file"]
        for method in (self.a.files.create_mediainfo_job, self.a.files.create_transcode_job):
            answer = method(asset, made, priority=7)
            self.assertLess(answer.response.status_code, 300, answer.response.text)
        answer = self.b.post_asset_file_keyframes(asset, made, body=TranscodeRequestSchema.from_dict({"priority": 5}))
        self.assertIn(answer.status_code, (200, 204))
        self.assertEqual(self.b.post_asset_file_keyframes(asset, NOWHERE, body=TranscodeRequestSchema()).status_code, 404)

    @shows("B get_files_checksum_by_checksum")
    def test_by_checksum(self):
        import hashlib

        asset = self.asset()
        made = self.file(asset, content=b"a picture like no other")["file"]
        sum_ = hashlib.md5(b"a picture like no other").hexdigest()
        self.tell("PATCH", f"files/v1/assets/{asset}/files/{made}/", {"checksum": sum_})
        found = self.done(self.b.get_files_checksum_by_checksum(sum_)).objects
        self.assertEqual([str(f.id) for f in found], [made])


class Storages(Story):
    @shows("A files.get_storages", "A files.get_storage", "A files.list_storage_files")
    def test_storages(self):
        storages = self.done(self.a.files.get_storages(params={"per_page": 100})).objects
        self.assertLessEqual({"S3", "GCS", "FILE"}, {storage.method for storage in storages})
        storage = self.storage()
        self.assertEqual(self.done(self.a.files.get_storage(storage)).method, "S3")
        made = self.file(self.asset(), "unmistakable.mov", b"picture", storage)["file"]
        self.assertIn(made, [f.id for f in self.done(self.a.files.list_storage_files(storage, params={"per_page": 1000})).objects])

    @shows("B get_storages", "B get_storage", "B get_storages_matching_by_purpose")
    def test_the_other_surface(self):
        storages = self.done(self.b.get_storages(per_page=100)).objects
        self.assertIn(self.storage(), [str(storage.id) for storage in storages])
        read = self.done(self.b.get_storage(self.storage("GCS")))
        self.assertEqual((read.method.value, read.purpose.value), ("GCS", "FILES"))
        self.assertEqual(self.done(self.b.get_storages_matching_by_purpose("FILES")).purpose.value, "FILES")
