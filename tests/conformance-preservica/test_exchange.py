"""Links, pictures, exports, tables of metadata, and uploads to a container of Azure."""

import os
import zipfile
from unittest import mock

from harness import FOLDER, Story, Tunnel, listen, shows

from pyPreservica.common import HTTPException, ReferenceNotFoundException, RelationshipDirection, Thumbnail

PICTURE = b"\x89PNG\r\n\x1a\nand so on"


class Hanging(Story):
    @shows("EntityAPI.add_relation", "EntityAPI.relationships", "EntityAPI.delete_relationships")
    def test_links_lead_from_one_asset_to_others(self):
        spring, report = self.asset(), self.asset("Annual report")
        self.assertEqual(self.entities.add_relation(spring, "is told of in", report), "is told of in")
        self.entities.add_relation(spring, "belongs to", self.folder())
        self.entities.add_relation(report, "tells of", spring)
        found = {
            (one.relationship_type, one.direction, one.other_ref) for one in self.entities.relationships(spring, page_size=2)
        }
        self.assertEqual(found, {
            ("is told of in", RelationshipDirection.FROM, report.reference),
            ("belongs to", RelationshipDirection.FROM, self.folder().reference),
            ("tells of", RelationshipDirection.TO, report.reference),
        })
        self.assertEqual({one["kind"] for one in self.state()["links"]}, {"is told of in", "belongs to", "tells of"})
        self.entities.delete_relationships(report)
        self.assertEqual([one["kind"] for one in self.state()["links"]], ["is told of in", "belongs to"])

    def test_the_client_cannot_take_away_a_link_from_an_asset_to_a_folder(self):
        # A mistake of the client: it takes the kind of the one end with the reference of the other.
        self.entities.add_relation(self.asset(), "belongs to", self.folder())
        with self.assertRaises(ReferenceNotFoundException):
            self.entities.delete_relationships(self.asset(), "belongs to")
        self.assertEqual(len(self.state()["links"]), 1)

    @shows("EntityAPI.add_thumbnail", "EntityAPI.thumbnail", "EntityAPI.has_thumbnail", "EntityAPI.remove_thumbnail")
    def test_pictures_are_given_seen_and_taken_away(self):
        path = os.path.join(FOLDER.name, "thumbnail")
        for entity in (self.asset(), self.folder()):
            self.assertIsNone(self.entities.thumbnail(entity, path))
            self.entities.add_thumbnail(entity, self.file("picture.png", PICTURE))
            self.assertTrue(self.entities.has_thumbnail(entity))
            self.assertEqual(self.entities.thumbnail(entity, path, Thumbnail.SMALL), path)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), PICTURE)
            self.entities.remove_thumbnail(entity)
            self.assertFalse(self.entities.has_thumbnail(entity))
        with self.assertRaises(HTTPException):
            self.entities.add_thumbnail(self.asset(), self.file("picture.txt", b"no picture"))

    @shows("EntityAPI.export_opex", "EntityAPI.export_opex_async", "EntityAPI.download_opex")
    def test_an_export_is_waited_for_and_fetched(self):
        self.switch(action_seconds=0)
        asset, before = self.asset(), os.getcwd()
        os.chdir(FOLDER.name)
        self.addCleanup(os.chdir, before)
        with zipfile.ZipFile(self.entities.export_opex(asset, IncludeParentHierarchy="false")) as whole:
            self.assertEqual(whole.namelist(), [f"{asset.reference}.pax.zip", f"{asset.reference}.pax.zip.opex"])
            self.assertIn(b"Spring launch", whole.read(f"{asset.reference}.pax.zip.opex"))
        token = self.entities.export_opex_async(self.folder("2030"), IncludeContent="NoContent")
        with zipfile.ZipFile(self.entities.download_opex(token)) as whole:
            self.assertFalse([name for name in whole.namelist() if name.endswith(".pax.zip")])
            folders = [self.held(title)["reference"] for title in ("Campaigns", "2030")]
            self.assertIn(f"{folders[0]}/{folders[1]}/{folders[1]}.opex", whole.namelist())
        self.switch(exports={"workflow_active": False})
        with self.assertRaises(HTTPException):
            self.entities.export_opex(asset)

    @shows("EntityAPI.add_group_metadata")
    def test_a_table_of_metadata_is_taken(self):
        self.switch(action_seconds=0, csv_edits={"reference_column": "Asset", "schema": "urn:example:rights"})
        asset = self.asset("Annual report")
        table = f"Asset,Holder\n{asset.reference},Bär\n".encode()
        token = self.entities.add_group_metadata(self.file("table.csv", table))
        self.assertEqual(self.entities.get_async_progress(token), "COMPLETED")
        self.assertEqual(self.state()["csv_edits"], [table.decode()])
        self.assertIn("Bär", self.entities.metadata_for_entity(self.asset("Annual report"), "urn:example:rights"))


class Azure(Story):
    @shows("UploadAPI.upload_zip_package_to_Azure", "UploadAPI.upload_locations", "UploadAPI.upload_credentials")
    def test_a_package_goes_to_a_container_whole_and_in_blocks(self):
        self.switch(uploads={"at_azure": True})
        tunnel = listen(Tunnel)
        self.addCleanup(tunnel.shutdown)
        upload = self.part("UploadAPI", secure=True)
        (location,) = upload.upload_locations()
        self.assertEqual(location["type"], "Azure")
        self.assertNotIn("secret", upload.upload_credentials(location["apiId"]))
        # Above 64 MiB the library of the vendor sends blocks.
        for name, content in (("whole.txt", b"whole"), ("blocks.bin", os.urandom(66 << 20))):
            package = self.pack(
                "simple_asset_package", preservation_file=self.file(name, content), parent_folder=self.folder(), Title=name,
                Identifiers={"OTMM": name}, compress=False,
            )
            with mock.patch.dict(os.environ, {"HTTPS_PROXY": f"http://127.0.0.1:{tunnel.server_port}"}):
                held = upload.upload_zip_package_to_Azure(package, location["containerName"], folder=self.folder())
            self.assertEqual((held.size, held.metadata["status"]), (os.path.getsize(package), "ready"))
            self.wait(60)
            (found,) = self.entities.identifier("OTMM", name)
            self.assertEqual(found.title, name)
        # What names no container that is known does nothing, and says nothing.
        self.assertIsNone(upload.upload_zip_package_to_Azure(package, "other"))
