"""Packages in one file: zips of trees, PAX, XIP; and the fragments of metadata in them."""

import hashlib
import os
import unittest
import zipfile
from pathlib import Path

from harness import ASSETS, NAMES, OPEX, PUBLISHED, XIP, Case, called, package, schemas
from lxml import etree
from opex_manifest_generator.opexLib import OpexFileReader, OpexFileWriter

GENERATOR, READER, ZIPFILE = "opex-manifest-generator", "our reader", "zipfile of Python"
IN = f"{{{OPEX}1.2}}"


class Zips(Case):
    def test_a_tree_in_a_zip_is_that_tree(self):
        to, tree = self.folder / "tree.zip", self.tree()
        self.ours("zip", self.folder / "source", to)
        with zipfile.ZipFile(to) as archive:
            self.assertIsNone(archive.testzip())
            names = archive.namelist()
            self.assertEqual(names[-1], "source/source.opex")
            self.assertTrue(all(one.compress_type == zipfile.ZIP_STORED for one in archive.infolist()))
            self.assertTrue(all(one.date_time == (2031, 5, 6, 7, 8, 8) for one in archive.infolist()))
            self.assertEqual({one.external_attr >> 16 for one in archive.infolist()}, {0o100644})
            files = {path.relative_to(tree).as_posix(): path for path in tree.rglob("*") if path.is_file()}
            self.assertEqual(sorted(names), sorted(files))
            for name in names:
                self.assertEqual(archive.read(name), files[name].read_bytes())
        self.shown("zip, of a tree with asset folders, stored", ZIPFILE)

    def test_the_same_folder_is_the_same_package(self):
        source, digests = self.files(names={**NAMES, **ASSETS}), {}
        for number, zone in enumerate(("Pacific/Auckland", "America/Lima")):
            # When they were written, and where that is, is not what they are.
            for path in source.rglob("*"):
                os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
            for layout in (("zip",), ("xip", "7.7")):
                to = self.folder / f"{number}.zip"
                done = package(*layout, source, to, env={**os.environ, "TZ": zone, "LC_ALL": "C"})
                self.assertEqual(done.returncode, 0, done.stderr)
                digests.setdefault(layout, set()).add(hashlib.sha256(to.read_bytes()).hexdigest())
        self.assertEqual({layout: len(found) for layout, found in digests.items()}, {("zip",): 1, ("xip", "7.7"): 1})
        # Another content is another package.
        (source / "empty.txt").write_bytes(b"not empty")
        self.ours("zip", source, self.folder / "other.zip")
        other = hashlib.sha256((self.folder / "other.zip").read_bytes()).hexdigest()
        self.assertNotIn(other, digests[("zip",)])
        self.shown("zip, the same bytes again", "SHA-256")


class Assets(Case):
    def test_an_asset_in_a_zip_is_told_as_the_generator_tells_it(self):
        self.ours("pax", self.files(names={"master.mov": b"a film", "notes.txt": b"about it"}), self.folder / "asset")
        beside = self.folder / "asset.pax.zip.opex"
        ours = {(one["path"], one["type"]): one["value"].upper() for one in OpexFileReader(str(beside)).fixities}
        theirs = OpexFileWriter(
            str(self.folder / "asset.pax.zip"), generate_fixity=["SHA-1", "SHA-256"], pax_flag=True
        ).generate_opex()
        told = {(one.get("path"), one.get("type")): one.get("value") for one in theirs.iter(f"{IN}Fixity")}
        self.assertEqual(len(told), 10)
        self.assertEqual({key: value.upper() for key, value in told.items()}, ours)
        self.shown("PAX, zipped, fixities by path", GENERATOR)
        document = etree.parse(beside).getroot()
        self.valid("OPEX-v1.2.xsd", document, "OPEX 1.2, zipped assets")
        self.invalid("OPEX-v1.0.xsd", called(document, f"{OPEX}1.0"), "fixities have paths")
        with zipfile.ZipFile(self.folder / "asset.pax.zip") as archive:
            self.assertIsNone(archive.testzip())
            described = etree.fromstring(archive.read("asset.xip"))
            self.valid("XIP-v7.7.xsd", described, "XIP 7.7, in a zipped asset")
            names = set(archive.namelist()) - {"asset.xip"}
            self.assertEqual({name.count("/") for name in names}, {3})
            places = {
                f"{one.findtext('{*}PhysicalLocation')}/{one.findtext('{*}Filename')}"
                for one in described.findall("{*}Bitstream")
            }
            self.assertEqual(places, names)
        self.shown("PAX, zipped, files where they are said", ZIPFILE)

    def test_a_package_of_xip_is_valid_and_every_file_lies_where_it_is_said(self):
        source = self.files()
        for version in ("6.0", "6.2", "7.7"):
            with self.subTest(version=version):
                to = self.folder / f"{version}.zip"
                self.ours("xip", version, source, to)
                self.ours("check", to)
                with zipfile.ZipFile(to) as archive:
                    self.assertIsNone(archive.testzip())
                    base = archive.namelist()[0]
                    document = etree.fromstring(archive.read(f"{base}metadata.xml"))
                    self.valid(f"XIP-v{version}.xsd", document, f"XIP {version}, packages")
                    files = document.findall("{*}Bitstream")
                    plain = [name for name in NAMES if "/" not in name]
                    self.assertEqual(len(files), 2 * len(plain))
                    lying = [one.filename for one in archive.infolist() if not one.is_dir()]
                    self.assertEqual(len(lying), len(files) + 1)
                    contents = []
                    for one in files:
                        place = f"{one.findtext('{*}PhysicalLocation')}/{one.findtext('{*}Filename')}"
                        content = archive.read(f"{base}content/{place}")
                        contents.append(content)
                        self.assertEqual(len(content), int(one.findtext("{*}FileSize")))
                        fixities = list(one.iter("{*}Fixity"))
                        self.assertEqual(len(fixities), 2)
                        for fixity in fixities:
                            algorithm = fixity.findtext("{*}FixityAlgorithmRef").lower()
                            found = hashlib.new(algorithm, content).hexdigest()
                            self.assertEqual(found, fixity.findtext("{*}FixityValue"))
                    self.assertEqual(sorted(contents), sorted(2 * [NAMES[name] for name in plain]))
                    if version != "6.0":
                        self.assertIsNotNone(document.find(".//{*}OriginalFilename"))
                        self.invalid("XIP-v6.0.xsd", called(document, f"{XIP}6.0"), "it has original names")
                self.shown(f"XIP {version}, packages, files where they are said", ZIPFILE)
                self.shown(f"XIP {version}, packages of ours", READER)

    def test_damage_to_a_package_of_xip_is_seen(self):
        to = self.folder / "package.zip"
        self.ours("xip", "6.0", self.files(), to)
        whole = to.read_bytes()
        # In a content, and in what is said of it.
        for there, other in ((b"the escape itself", b"the escape itselF"), (b"<FileSize>6</", b"<FileSize>7</")):
            with self.subTest(there=there):
                self.assertIn(there, whole)
                to.write_bytes(whole.replace(there, other, 1))
                self.refused("package.fixity", "check", to)
        to.write_bytes(whole)
        self.ours("check", to)
        self.shown("XIP, damage to packages", READER)

    def test_our_schemas_refuse_what_the_published_ones_refuse(self):
        source = self.files(names={"a:b.tif": b"a picture"})
        for version in ("6.0", "6.2", "7.7"):
            with self.subTest(version=version):
                to = self.folder / f"{version}.zip"
                self.ours("xip", version, source, to)
                with zipfile.ZipFile(to) as archive:
                    base = archive.namelist()[0]
                    self.as_strict(f"XIP-v{version}.xsd", etree.fromstring(archive.read(f"{base}metadata.xml")))
                if PUBLISHED in schemas(f"XIP-v{version}.xsd"):
                    self.shown(f"XIP {version}, schema of ours as strict", PUBLISHED)


class Fragments(Case):
    def test_premis_and_dublin_core_are_valid(self):
        self.ours("fragments", self.folder)
        for name, schema, what in (("premis", "premis.xsd", "PREMIS 3.0"), ("dc", "oai_dc.xsd", "Dublin Core")):
            with self.subTest(name=name):
                document = etree.parse(Path(self.folder) / f"{name}.xml").getroot()
                self.valid(schema, document, what)
                self.as_strict(schema, document)
                if PUBLISHED in schemas(schema):
                    self.shown(f"{what}, schema of ours as strict", PUBLISHED)
                document.append(etree.fromstring('<odd xmlns="urn:odd"/>'))
                self.invalid(schema, document, "something odd is in it")


if __name__ == "__main__":
    unittest.main()
