"""Trees of OPEX: ours read by opex-manifest-generator and judged by schemas, those of the generator read by us."""

import os
import shutil
import unittest
import xml.etree.ElementTree as plain
from datetime import datetime, timezone
from pathlib import Path

from harness import ASSETS, NAMES, OPEX, PUBLISHED, XIP, Case, called, package, schemas
from lxml import etree
from opex_manifest_generator.hash import HashGenerator
from opex_manifest_generator.opexLib import OpexDirReader, OpexDirWriter, OpexFileReader
from opex_manifest_generator.opexManifest import OpexManifestGenerator

GENERATOR, READER = "opex-manifest-generator", "our reader"
IN = f"{{{OPEX}1.2}}"
HASHED = ["SHA-1", "SHA-256"]


def is_within_asset(path):
    """Whether it is in an asset folder; the folder itself is one too."""
    return any(step.endswith(".pax") for step in path.parts)


def walked(folder):
    """Files and folders below a folder by their paths from there."""
    files, folders = {}, set()
    for place, inner, names in os.walk(folder):
        below = Path(place).relative_to(folder)
        folders |= {(below / name).as_posix() for name in inner}
        files |= {(below / name).as_posix(): Path(place) / name for name in names}
    return files, folders


class Trees(Case):
    def test_every_file_is_told_with_its_fixities_and_its_true_name(self):
        tree = self.tree()
        told = {}
        for document in tree.rglob("*.opex"):
            content = document.with_suffix("")
            if not content.is_file():
                continue
            read = OpexFileReader(str(document))
            self.assertTrue(read.verify_opex_version("v1.2"))
            told[read.title] = content.read_bytes()
            self.assertEqual(read.security, "open")
            self.assertEqual(read.description, 'What it is about, in "words" & <signs>')
            self.assertIn({"type": "OTMM", "value": "4711:3"}, read.identifiers)
            self.assertEqual([one["type"] for one in read.fixities], HASHED)
            for one in read.fixities:
                theirs = HashGenerator(algorithm=one["type"]).hash_generator(str(content))
                self.assertEqual(one["value"].upper(), theirs)
            # Titles can be changed: the name of the file itself is told too.
            original = read.tree.findtext(f"{IN}Transfer/{IN}OriginalFilename")
            self.assertEqual(original, read.title)
        self.assertEqual(told, {Path(name).name: content for name, content in NAMES.items()})
        self.shown("OPEX, files with fixities and true names", GENERATOR)

    def test_names_in_storage_are_ascii_without_what_stops_an_ingest(self):
        paths = list(self.tree().rglob("*"))
        self.assertGreater(len(paths), 2 * len(NAMES))
        for path in paths:
            self.assertTrue(path.name.isascii(), path)
            self.assertFalse(set(path.name) & set(':<>|?*"\\'), path)
        self.shown("OPEX, names that an ingest takes", "file system")

    def test_a_manifest_lists_what_the_generator_would_list(self):
        tree = self.tree()
        folders = [path for path in tree.rglob("*") if path.is_dir() and not is_within_asset(path.relative_to(tree))]
        self.assertEqual(len(folders), 3)
        for folder in folders:
            read = OpexDirReader(str(folder / f"{folder.name}.opex"))
            self.assertTrue(read.verify_opex_version("v1.2"))
            # Its writer looks at the folder; the manifest itself is listed by neither.
            (folder / f"{folder.name}.opex").rename(self.folder / "aside")
            theirs = OpexDirWriter(str(folder)).generate_opex()
            (self.folder / "aside").rename(folder / f"{folder.name}.opex")
            names = lambda name: sorted(one.text for one in theirs.iter(f"{IN}{name}"))
            self.assertEqual(sorted(read.files), names("File"))
            self.assertEqual(sorted(read.folders), names("Folder"))
            self.assertTrue(read.files)
            for one in read.files_dict:
                self.assertEqual(int(one["size"]), (folder / one["name"]).stat().st_size)
                self.assertEqual(one["type"], "metadata" if one["name"].endswith(".opex") else "content")
        self.shown("OPEX, manifests", GENERATOR)

    def test_documents_of_every_version_are_valid_to_its_schema(self):
        for version in ("1.0", "1.1", "1.2"):
            with self.subTest(version=version):
                tree = self.tree(version, NAMES)
                documents = [etree.parse(path).getroot() for path in tree.rglob("*.opex")]
                self.assertEqual(len(documents), len(NAMES) + 3)
                for document in documents:
                    self.assertEqual(etree.QName(document).namespace, f"{OPEX}{version}")
                    self.valid(f"OPEX-v{version}.xsd", document, f"OPEX {version}, files and folders")
                    # What is older is a document of the newer version too, but for its namespace.
                    self.valid("OPEX-v1.2.xsd", called(document, f"{OPEX}1.2"))
                    if version == "1.1":
                        self.valid("OPEX-v1.0.xsd", called(document, f"{OPEX}1.0"), "OPEX 1.1, called 1.0 and 1.2")
                    if version == "1.2" and document.find(".//{*}OriginalFilename") is not None:
                        self.invalid("OPEX-v1.0.xsd", called(document, f"{OPEX}1.0"), "it has an original name")
                shutil.rmtree(tree)

    def test_history_and_relationships_are_told_in_every_version(self):
        for version in ("1.0", "1.1", "1.2"):
            with self.subTest(version=version):
                tree = self.tree(version, NAMES if version != "1.2" else None)
                checked = [tree / "source" / "front door.jpg.opex", tree / "source" / "inner" / "inner.opex"]
                if version == "1.2":
                    checked.append(tree / "source" / "inner" / "cover.pax.opex")
                for path in checked:
                    document = etree.parse(path).getroot()
                    first, second = document.findall("{*}History/{*}Events/{*}Event")
                    self.assertEqual(first.attrib, {"date": "2031-05-06T07:08:09Z", "user": "j.doe & partner"})
                    said = [(etree.QName(one).localname, one.text) for one in first]
                    wanted = [("Type", "Create"), ("Action", "Scanned, <twice>"), ("Detail", "Gr\u00f6\u00dfe: A4")]
                    self.assertEqual(said, wanted)
                    moment = datetime.fromisoformat(second.get("date")[:26] + "+00:00")
                    self.assertEqual(moment, datetime(2031, 5, 6, 21, 59, 59, 123456, timezone.utc))
                    self.assertEqual(len(second), 0)
                    related = document.findall("{*}Relationships/{*}Relationship")
                    kinds = [one.findtext("{*}Type") for one in related]
                    self.assertEqual(kinds, ["isVersionOf", None])
                    self.assertTrue(all(one.findtext("{*}Object").startswith("urn:uuid:") for one in related))
                    self.valid(f"OPEX-v{version}.xsd", document, f"OPEX {version}, history and relationships")
                    first.attrib.pop("date")
                    self.invalid(f"OPEX-v{version}.xsd", document, "an event has no date")
                shutil.rmtree(tree)

    def test_our_schemas_refuse_what_the_published_ones_refuse(self):
        for version in ("1.0", "1.1", "1.2"):
            with self.subTest(version=version):
                tree = self.tree(version, NAMES if version != "1.2" else None)
                checked = ["front door.jpg.opex", "source.opex", *(["inner/cover.pax.opex"] if version == "1.2" else [])]
                for name in checked:
                    self.as_strict(f"OPEX-v{version}.xsd", etree.parse(tree / "source" / name).getroot())
                    if PUBLISHED in schemas(f"OPEX-v{version}.xsd"):
                        self.shown(f"OPEX {version}, schema of ours as strict", PUBLISHED)
                shutil.rmtree(tree)


class Assets(Case):
    def test_an_asset_folder_is_told_as_the_generator_tells_it(self):
        tree = self.tree()
        assets = [path for path in tree.rglob("*.pax") if path.is_dir()]
        names = {path.relative_to(tree).as_posix() for path in assets}
        self.assertEqual(names, {"source/Act 2!3A !3Cfinal!3E.pax", "source/inner/cover.pax"})
        for asset in assets:
            beside = asset.with_name(f"{asset.name}.opex")
            files, folders = walked(asset)
            # Its document is beside it, and not in it.
            self.assertNotIn(f"{asset.name}.opex", files)
            ours = OpexFileReader(str(beside))
            self.assertTrue(ours.verify_opex_version("v1.2"))
            theirs = OpexDirWriter(str(asset), pax_flag=True, generate_fixity=HASHED).generate_opex()
            told = {(one.get("path"), one.get("type")): one.get("value") for one in theirs.iter(f"{IN}Fixity")}
            self.assertEqual(len(told), 2 * len(files))
            self.assertEqual({(one["path"], one["type"]): one["value"].upper() for one in ours.fixities}, told)
            self.shown("OPEX 1.2, asset folders, fixities by path", GENERATOR)
            # The generator writes no manifest for it; ours goes down to the last level.
            manifest = OpexDirReader(str(beside))
            self.assertEqual(sorted(manifest.folders), sorted(folders))
            sizes = {one["name"]: int(one["size"]) for one in manifest.files_dict}
            self.assertEqual(sizes, {name: path.stat().st_size for name, path in files.items()})
            kinds = {one["name"]: one["type"] for one in manifest.files_dict}
            described = [name for name, kind in kinds.items() if kind == "metadata"]
            self.assertEqual(described, [name for name in files if name.endswith(".xip")])
            self.assertEqual(len(described), 1)
            self.shown("OPEX 1.2, asset folders, manifests to the last level", GENERATOR)
            self.valid("OPEX-v1.2.xsd", etree.parse(beside), "OPEX 1.2, asset folders")
            self.invalid("OPEX-v1.0.xsd", called(etree.parse(beside).getroot(), f"{OPEX}1.0"), "fixities have paths")
            self.valid("XIP-v7.7.xsd", etree.parse(asset / described[0]), "XIP 7.7, in an asset folder")

    def test_every_file_of_an_asset_folder_lies_where_its_description_says(self):
        asset = self.tree() / "source" / "Act 2!3A !3Cfinal!3E.pax"
        # Read by another parser than the one that schemas use.
        document = plain.parse(asset / "Act 2!3A !3Cfinal!3E.xip").getroot()
        found = {}
        for one in document.iter(f"{{{XIP}7.7}}Bitstream"):
            said = {child.tag.split("}")[1]: child.text for child in one}
            if "FileSize" in said:
                path = asset / said["PhysicalLocation"] / said["Filename"]
                self.assertEqual(path.stat().st_size, int(said["FileSize"]))
                found.setdefault(path.read_bytes(), set()).add(said["PhysicalLocation"].split("/")[0])
        both = {"Representation_Preservation", "Representation_Access"}
        contents = [content for name, content in ASSETS.items() if name.startswith("Act 2")]
        self.assertEqual(found, {content: both for content in contents})
        self.shown("PAX, folders, files where they are said", "file system")

    def test_a_version_without_asset_folders_is_not_given_any(self):
        source = self.files(names={**NAMES, **ASSETS})
        for version in ("v1.0", "v1.1"):
            self.refused("opex.not-in-version", "opex", version, source, self.folder / "none")
        self.assertFalse((self.folder / "none").exists())
        self.shown("OPEX 1.0 and 1.1, asset folders refused", "our writer")


class Reading(Case):
    def damaged(self, path, code):
        """Another content of the same length: only its fixities tell."""
        with self.subTest(path=path.name):
            before = path.read_bytes()
            path.write_bytes(before[:-1] + (b"!" if before[-1:] != b"!" else b"?"))
            self.refused(code, "check", self.folder / "tree")
            path.write_bytes(before)

    def test_a_tree_of_ours_is_in_order_to_us_and_damage_is_seen(self):
        tree = self.tree()
        checked = package("check", tree)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, "", ""))
        top = tree / "source"
        part = "Representation_Access/cover.tif/Generation_1/cover.tif"
        for path in ("front door.jpg", "inner/deeper/b.tif", f"inner/cover.pax/{part}", "inner/cover.pax/cover.xip"):
            self.damaged(top / path, "package.fixity")
        self.damaged(top / "inner" / "inner.opex", "opex.bad-document")
        self.damaged(top / "inner" / "cover.pax.opex", "opex.bad-document")
        for path in ("inner/a.tif", f"inner/cover.pax/{part}"):
            with self.subTest(missing=path):
                (top / path).rename(self.folder / "aside")
                self.refused("opex.missing", "check", tree)
                (self.folder / "aside").rename(top / path)
        for path in ("inner/more.tif", "inner/cover.pax/Representation_Access/cover.tif/Generation_1/more.tif"):
            with self.subTest(more=path):
                (top / path).write_bytes(b"more")
                self.refused("opex.not-listed", "check", tree)
                (top / path).unlink()
        self.assertEqual(package("check", tree).returncode, 0)
        self.shown("OPEX, trees of ours, and damage to them", READER)

    def theirs(self, names, algorithms, **options):
        source = self.files("-".join(algorithms), names)
        OpexManifestGenerator(root=str(source), fixity=algorithms, **options).main()
        (self.folder / "tree").mkdir()
        source.rename(self.folder / "tree" / source.name)
        return self.folder / "tree" / source.name

    def test_trees_of_the_generator_are_read_and_damage_to_them_is_seen(self):
        names = {name: content for name, content in NAMES.items() if name.isascii() and not set(name) & set(':<>|?')}
        names.pop("notes.opex")
        self.assertEqual(len(names), 6)
        for algorithms in (["SHA-1"], ["MD5"], ["SHA-256", "SHA-512"]):
            with self.subTest(algorithms=algorithms):
                top = self.theirs(names, algorithms)
                self.assertEqual(len(list(top.rglob("*.opex"))), len(names) + 3)
                checked = package("check", self.folder / "tree")
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                # None of its files is without a fixity.
                self.assertNotIn("opex.no-fixity", checked.stderr)
                for name in ("inner/a.tif", "front door.jpg"):
                    self.damaged(top / name, "package.fixity")
                shutil.rmtree(self.folder / "tree")
        self.shown("OPEX, trees of the generator, and damage to them", READER)

    def test_asset_folders_of_the_generator_are_read_and_damage_to_them_is_seen(self):
        part = "act.pax/Representation_Preservation/film/Generation_1/film.mov"
        names = {"notes.txt": b"about it", part: b"a film", part.replace("Preservation", "Access"): b"a copy"}
        asset = self.files("SHA-1", names) / "act.pax"
        OpexDirWriter(str(asset), pax_flag=True, generate_fixity=HASHED).write_opex_manifest(f"{asset}.opex")
        top = self.theirs(names, ["SHA-1"], pax=True)
        checked = package("check", self.folder / "tree")
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        self.assertNotIn("opex.no-fixity", checked.stderr)
        self.damaged(top / part, "package.fixity")
        self.shown("OPEX 1.2, asset folders of the generator, and damage to them", READER)

    def test_an_asset_folder_without_values_of_fixities_is_no_opex_to_anybody(self):
        # What this version of the generator writes for an asset folder when it makes the whole tree: values as texts.
        top = self.theirs({"act.pax/Representation_Access/film/film.mov": b"a film"}, ["SHA-1"], pax=True)
        document = etree.parse(top / "act.pax.opex")
        self.assertIsNone(document.find(f".//{IN}Fixity").get("value"))
        self.invalid("OPEX-v1.2.xsd", document, "a fixity has no value")
        self.refused("opex.bad-document", "check", self.folder / "tree")


if __name__ == "__main__":
    unittest.main()
