"""Folders, assets and content objects, and what hangs on them."""

import os
import xml.etree.ElementTree as ElementTree

from harness import FOLDER, MANAGER, PASSWORD, Story, shows

from pyPreservica.common import EntityType, ReferenceNotFoundException


class Entities(Story):
    @shows("EntityAPI.folder", "EntityAPI.asset", "EntityAPI.content_object", "EntityAPI.entity")
    def test_what_is_there_is_read_and_what_is_not_is_said(self):
        asset = self.asset()
        self.assertEqual((asset.title, asset.security_tag), ("Spring launch", "open"))
        self.assertEqual(self.entities.folder(asset.parent).title, "2030")
        part = self.held("spring.jpg")
        self.assertEqual(self.entities.content_object(part["reference"]).parent, asset.reference)
        self.assertEqual(self.entities.entity(EntityType.ASSET, asset.reference).title, asset.title)
        with self.assertRaises(ReferenceNotFoundException):
            self.entities.asset("00000000-0000-4000-a000-000000000000")

    @shows("EntityAPI.create_folder", "EntityAPI.save")
    def test_folders_are_made_and_saved(self):
        parent = self.folder()
        made = self.entities.create_folder("Größe & <Maß>", "d", "open", parent.reference)
        made.title = "Anders"
        self.assertEqual(self.entities.save(made).title, "Anders")
        self.assertEqual(self.held("Anders")["parent"], parent.reference)
        self.assertIsNone(self.entities.create_folder("Root", "d", "open").parent)

    @shows("EntityAPI.move", "EntityAPI.move_async", "EntityAPI.get_async_progress", "EntityAPI.security_tag_sync",
            "EntityAPI.security_tag_async")
    def test_place_and_tag_change(self):
        self.switch(action_seconds=0)
        asset, folder = self.asset(), self.folder()
        self.entities.move(asset, folder)
        self.assertEqual(self.held("Spring launch")["parent"], folder.reference)
        token = self.entities.move_async(asset, self.folder("2030"))
        self.assertEqual(self.entities.get_async_progress(token), "COMPLETED")
        self.entities.security_tag_sync(asset, "closed")
        self.assertEqual(self.held("Spring launch")["security_tag"], "closed")
        self.switch(action_seconds=60)
        token = self.entities.security_tag_async(asset, "open")
        self.assertEqual(self.entities.get_async_progress(token), "ACTIVE")
        self.wait(61)
        self.assertEqual(self.entities.get_async_progress(token), "COMPLETED")
        self.assertEqual(self.held("Spring launch")["security_tag"], "open")

    @shows("EntityAPI.children", "EntityAPI.descendants", "EntityAPI.all_descendants")
    def test_folders_are_walked(self):
        for number in range(30):
            self.entities.create_folder(f"Folder {number:02}", "d", "open")
        page = self.entities.children(maximum=10)
        self.assertEqual((len(page.results), page.has_more, page.total), (10, True, 32))
        self.assertEqual(len(list(self.entities.descendants())), 32)
        titles = {entity.title for entity in self.entities.all_descendants()}
        self.assertTrue({"Spring launch", "Annual report", "Folder 29"} <= titles)

    @shows(
        "EntityAPI.add_identifier", "EntityAPI.identifiers_for_entity", "EntityAPI.identifier",
        "EntityAPI.update_identifiers", "EntityAPI.delete_identifiers", "EntityAPI.entity_identifiers",
    )
    def test_identifiers(self):
        asset = self.asset("Annual report")
        self.entities.add_identifier(asset, "Waybill", "1")
        self.assertEqual(self.entities.identifiers_for_entity(asset), {("Waybill", "1")})
        self.assertEqual({found.reference for found in self.entities.identifier("Waybill", "1")}, {asset.reference})
        self.entities.update_identifiers(asset, "Waybill", "2")
        self.assertEqual(len(self.entities.entity_identifiers(asset)), 1)
        self.assertEqual([one["value"] for one in self.held("Annual report")["identifiers"]], ["2"])
        self.entities.delete_identifiers(asset)
        self.assertEqual(self.held("Annual report")["identifiers"], [])

    @shows(
        "EntityAPI.add_metadata", "EntityAPI.metadata", "EntityAPI.update_metadata", "EntityAPI.delete_metadata",
        "EntityAPI.metadata_for_entity", "EntityAPI.all_metadata",
    )
    def test_metadata(self):
        schema, asset = "urn:example:campaign", self.asset("Annual report")
        asset = self.entities.add_metadata(asset, schema, f'<c xmlns="{schema}"><name>Bär</name></c>')
        (url,) = asset.metadata
        self.assertIn("Bär", self.entities.metadata(url))
        asset = self.entities.update_metadata(asset, schema, f'<c xmlns="{schema}"><name>Wolf</name></c>')
        self.assertIn("Wolf", self.entities.metadata_for_entity(asset, schema))
        self.assertEqual(len(list(self.entities.all_metadata(asset))), 1)
        asset = self.entities.delete_metadata(asset, schema)
        self.assertEqual(asset.metadata, {})

    @shows(
        "EntityAPI.representations", "EntityAPI.content_objects", "EntityAPI.generations", "EntityAPI.bitstream_content",
        "EntityAPI.bitstream_bytes", "EntityAPI.integrity_checks", "EntityAPI.bitstream_location", "EntityAPI.bitstream",
    )
    def test_files(self):
        for representation in self.entities.representations(self.asset()):
            for part in self.entities.content_objects(representation):
                for generation in self.entities.generations(part):
                    for file in generation.bitstreams:
                        path = os.path.join(FOLDER.name, file.filename)
                        self.assertEqual(self.entities.bitstream_content(file, path), file.length)
                        self.assertEqual(len(self.entities.bitstream_bytes(file).getvalue()), file.length)
                        self.assertEqual(len(list(self.entities.integrity_checks(file))), 2)
                        self.assertEqual(list(self.entities.bitstream_location(file)), ["s3-storage"])
                        self.assertIn("SHA256", file.fixity)
                        again = self.entities.bitstream(file.content_url.removesuffix("/content"))
                        self.assertEqual((again.filename, again.fixity), (file.filename, file.fixity))

    @shows("EntityAPI.replace_generation_async", "EntityAPI.add_access_representation")
    def test_new_content(self):
        self.switch(action_seconds=0)
        part = self.entities.content_object(self.held("report.pdf")["reference"])
        self.entities.replace_generation_async(part, self.file("newer.pdf", b"newer"))
        self.assertEqual(len(self.held("report.pdf")["generations"]), 2)
        self.entities.add_access_representation(self.asset("Annual report"), self.file("web.jpg", b"web"), "Web")
        kinds = [one["kind"] for one in self.held("Annual report")["representations"]]
        self.assertEqual(kinds, ["Preservation", "Access"])

    @shows(
        "EntityAPI.entity_events", "EntityAPI.all_events", "EntityAPI.all_ingest_events", "EntityAPI.entity_from_event",
        "EntityAPI.updated_entities",
    )
    def test_what_was_done(self):
        events = list(self.entities.entity_events(self.asset()))
        self.assertEqual(events[0]["eventType"], "Ingest")
        self.assertTrue(list(self.entities.all_events()))
        self.assertEqual(len(list(self.entities.all_ingest_events())), 3)
        self.assertTrue(list(self.entities.entity_from_event(events[0]["Ref"])))
        self.assertTrue(any(one.title == "Spring launch" for one in self.entities.updated_entities()))

    @shows("EntityAPI.delete_asset", "EntityAPI.delete_folder")
    def test_two_persons_remove(self):
        self.switch(action_seconds=0)
        path = self.file(
            "credentials.properties",
            f"[credentials]\nmanager.username={MANAGER}\nmanager.password={PASSWORD}\n".encode(),
        )
        self.entities.delete_asset(self.asset(), "away", "agreed", credentials_path=path)
        self.entities.delete_folder(self.folder("2030"), "away", "agreed", credentials_path=path)
        self.wait(5)
        self.assertTrue(self.held("2030")["deleted"])
        with self.assertRaises(RuntimeError):
            # It is kept for seven years.
            self.entities.delete_asset(self.asset("Annual report"), "away", "agreed", credentials_path=path)

    @shows("EntityAPI.folder")
    def test_a_token_that_ended_is_renewed(self):
        reference = self.folder().reference
        from harness import admin

        admin("POST", "sessions/end")
        self.assertEqual(self.entities.folder(reference).reference, reference)

    @shows("EntityAPI.user_security_tags")
    def test_tags(self):
        self.assertIn("closed", self.entities.user_security_tags())

    @shows("EntityAPI.xml_asset")
    def test_the_document_itself(self):
        document = self.entities.xml_asset(self.held("Spring launch")["reference"])
        ElementTree.fromstring(document)
