"""Packages of ours read by opex-manifest-generator and judged by schemas, and trees of that generator read by us."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path

from lxml import etree
from opex_manifest_generator.hash import HashGenerator
from opex_manifest_generator.opexLib import OpexDirReader, OpexDirWriter, OpexFileReader, OpexFileWriter
from opex_manifest_generator.opexManifest import OpexManifestGenerator

HERE = Path(__file__).parent
PUBLISHED = os.environ.get("WAYBILL_SCHEMAS")
OPEX = "http://www.openpreservationexchange.org/opex/v1.2"

NAMES = {
    "front door.jpg": b"\xff\xd8 a picture",
    "Pr\u00fcfbericht \u21165.txt": b"a report",
    "Act 1: <final> | cut?.mov": b"a film",
    "wow!.txt": b"the escape itself",
    "empty.txt": b"",
    "notes.opex": b"this is no document of OPEX",
    "inner/a.tif": b"another picture",
    "inner/deeper/b.tif": b"and another",
    "large.bin": bytes(range(256)) * 40_000,
}


def package(*arguments):
    command = [os.environ["PACKAGE"], *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def schemas(name):
    """Ours, and the published one where there is one."""
    found = [HERE / "schemas" / name]
    if PUBLISHED and (Path(PUBLISHED) / name).exists():
        found.append(Path(PUBLISHED) / name)
    return found


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # The generator leaves a folder behind wherever it runs.
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def files(self, name="source", names=NAMES):
        source = self.folder / name
        for path, content in names.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_bytes(content)
        return source

    def ours(self, *arguments):
        done = package(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)

    def valid(self, schema, document):
        for path in schemas(schema):
            found = etree.XMLSchema(etree.parse(path))
            self.assertTrue(found.validate(document), f"{path}: {found.error_log}")

    def invalid(self, schema, document):
        for path in schemas(schema):
            self.assertFalse(etree.XMLSchema(etree.parse(path)).validate(document), path)


class Trees(Case):
    def tree(self, version="v1.2"):
        to = self.folder / "tree"
        self.ours("opex", version, self.files(), to)
        return to

    def test_every_file_is_told_with_its_fixities_and_its_true_name(self):
        tree = self.tree()
        told = {}
        for document in tree.rglob("*.opex"):
            content = document.with_suffix("")
            if not content.is_file():
                continue
            read = OpexFileReader(str(document))
            self.assertTrue(read.verify_opex_version("1.2"))
            told[read.title] = content.read_bytes()
            self.assertEqual({one["type"] for one in read.fixities}, {"SHA-1", "SHA-256"})
            for one in read.fixities:
                theirs = HashGenerator(algorithm=one["type"]).hash_generator(str(content))
                self.assertEqual(one["value"].upper(), theirs)
        self.assertEqual(told, {Path(name).name: content for name, content in NAMES.items()})

    def test_names_in_storage_are_ascii_without_what_stops_an_ingest(self):
        for path in self.tree().rglob("*"):
            self.assertTrue(path.name.isascii(), path)
            self.assertFalse(set(path.name) & set(':<>|?*"\\'), path)

    def test_a_manifest_lists_what_the_generator_would_list(self):
        tree = self.tree()
        folders = [path for path in tree.rglob("*") if path.is_dir()]
        self.assertEqual(len(folders), 3)
        for folder in folders:
            read = OpexDirReader(str(folder / f"{folder.name}.opex"))
            self.assertTrue(read.verify_opex_version("1.2"))
            # Its writer looks at the folder; the manifest itself is listed by neither.
            (folder / f"{folder.name}.opex").rename(self.folder / "aside")
            writer = OpexDirWriter(str(folder))
            theirs = writer.generate_opex()
            (self.folder / "aside").rename(folder / f"{folder.name}.opex")
            names = lambda name: sorted(one.text for one in theirs.iter(f"{{{OPEX}}}{name}"))
            self.assertEqual(sorted(read.files), names("File"))
            self.assertEqual(sorted(read.folders), names("Folder"))
            for one in read.files_dict:
                self.assertEqual(int(one["size"]), (folder / one["name"]).stat().st_size)
                self.assertEqual(one["type"], "metadata" if one["name"].endswith(".opex") else "content")

    def test_documents_of_every_version_are_valid_to_its_schema_and_no_other(self):
        for version in ("1.0", "1.1", "1.2"):
            with self.subTest(version=version):
                tree = self.tree(f"v{version}")
                documents = list(tree.rglob("*.opex"))
                self.assertEqual(len(documents), len(NAMES) + 3)
                for path in documents:
                    document = etree.parse(path)
                    self.valid(f"OPEX-v{version}.xsd", document)
                    other = "1.0" if version == "1.2" else "1.2"
                    self.invalid(f"OPEX-v{other}.xsd", document)
                    # What is out of its order is seen.
                    root = document.getroot()
                    if len(root) > 1:
                        root.append(root[0])
                        self.invalid(f"OPEX-v{version}.xsd", document)
                shutil.rmtree(tree)

    def test_a_tree_of_ours_is_in_order_to_us_and_damage_is_seen(self):
        tree = self.tree()
        self.assertEqual(package("check", tree).returncode, 0)
        top = tree / "source"
        for path in [top / "front door.jpg", top / "inner" / "inner.opex", top / "inner" / "deeper" / "b.tif"]:
            with self.subTest(path=path.name):
                before = path.read_bytes()
                path.write_bytes(before[:-1] + b"!")
                damaged = package("check", tree)
                self.assertNotEqual(damaged.returncode, 0)
                self.assertTrue(damaged.stdout + damaged.stderr)
                path.write_bytes(before)
        (top / "inner" / "a.tif").unlink()
        self.assertIn("opex.missing", package("check", tree).stdout)

    def test_trees_of_the_generator_are_read_and_damage_to_them_is_seen(self):
        plain = {name: content for name, content in NAMES.items() if name.isascii() and not set(name) & set(':<>|?')}
        plain.pop("notes.opex")
        for algorithms in (["SHA-1"], ["MD5"], ["SHA-256", "SHA-512"]):
            with self.subTest(algorithms=algorithms):
                source = self.files("-".join(algorithms), plain)
                OpexManifestGenerator(root=str(source), fixity=algorithms).main()
                self.assertTrue((source / "front door.jpg.opex").exists())
                (self.folder / "theirs").mkdir()
                source.rename(self.folder / "theirs" / source.name)
                checked = package("check", self.folder / "theirs")
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
                damaged = self.folder / "theirs" / source.name / "inner" / "a.tif"
                damaged.write_bytes(b"another pictur!")
                self.assertIn("package.fixity", package("check", self.folder / "theirs").stdout)
                shutil.rmtree(self.folder / "theirs")


class Zips(Case):
    def test_a_tree_in_a_zip_is_that_tree(self):
        source, to = self.files(), self.folder / "tree.zip"
        self.ours("zip", source, to)
        self.ours("opex", "v1.2", source, self.folder / "tree")
        with zipfile.ZipFile(to) as archive:
            self.assertIsNone(archive.testzip())
            names = archive.namelist()
            self.assertEqual(names[-1], "source/source.opex")
            self.assertTrue(all(one.compress_type == zipfile.ZIP_STORED for one in archive.infolist()))
            self.assertTrue(all(one.date_time == (2031, 5, 6, 7, 8, 8) for one in archive.infolist()))
            for name in names:
                self.assertEqual(archive.read(name), (self.folder / "tree" / name).read_bytes())
            files = [path for path in (self.folder / "tree").rglob("*") if path.is_file()]
            self.assertEqual(len(names), len(files))

    def test_the_same_folder_is_the_same_package(self):
        source, digests = self.files(), set()
        for number in range(2):
            self.ours("zip", source, self.folder / f"{number}.zip")
            digests.add(hashlib.sha256((self.folder / f"{number}.zip").read_bytes()).hexdigest())
        self.assertEqual(len(digests), 1)

    def test_an_asset_in_a_zip_is_told_as_the_generator_tells_it(self):
        plain = {"master.mov": b"a film", "notes.txt": b"about it"}
        self.ours("pax", self.files(names=plain), self.folder / "asset")
        document = self.folder / "asset.pax.zip.opex"
        self.valid("OPEX-v1.2.xsd", etree.parse(document))
        ours = {(one["path"], one["type"]): one["value"].upper() for one in OpexFileReader(str(document)).fixities}
        theirs = OpexFileWriter(
            str(self.folder / "asset.pax.zip"), generate_fixity=["SHA-1", "SHA-256"], pax_flag=True
        ).generate_opex()
        told = {
            (one.get("path"), one.get("type")): one.get("value") for one in theirs.iter(f"{{{OPEX}}}Fixity")
        }
        self.assertEqual(len(told), 10)
        self.assertEqual({key: value.upper() for key, value in told.items()}, ours)
        with zipfile.ZipFile(self.folder / "asset.pax.zip") as archive:
            self.valid("XIP-v7.7.xsd", etree.fromstring(archive.read("asset.xip")))
            self.assertEqual({name.count("/") for name in archive.namelist() if name != "asset.xip"}, {3})

    def test_a_package_of_xip_is_valid_and_every_file_lies_where_it_is_said(self):
        source = self.files()
        for version, other in (("6.0", "6.2"), ("6.2", "6.0"), ("7.7", "6.2")):
            with self.subTest(version=version):
                to = self.folder / f"{version}.zip"
                self.ours("xip", version, source, to)
                self.assertEqual(package("check", to).returncode, 0)
                with zipfile.ZipFile(to) as archive:
                    self.assertIsNone(archive.testzip())
                    base = archive.namelist()[0]
                    document = etree.fromstring(archive.read(f"{base}metadata.xml"))
                    self.valid(f"XIP-v{version}.xsd", document)
                    self.invalid(f"XIP-v{other}.xsd", document)
                    files = document.findall("{*}Bitstream")
                    self.assertEqual(len(files), 2 * len([name for name in NAMES if "/" not in name]))
                    for one in files:
                        place = f"{one.findtext('{*}PhysicalLocation')}/{one.findtext('{*}Filename')}"
                        content = archive.read(f"{base}content/{place}")
                        self.assertEqual(len(content), int(one.findtext("{*}FileSize")))
                        for fixity in one.iter("{*}Fixity"):
                            algorithm = fixity.findtext("{*}FixityAlgorithmRef").lower()
                            found = hashlib.new(algorithm, content).hexdigest()
                            self.assertEqual(found, fixity.findtext("{*}FixityValue"))
                    # What the schema does not know is seen.
                    document.append(etree.fromstring(f'<Unknown xmlns="{etree.QName(document).namespace}"/>'))
                    self.invalid(f"XIP-v{version}.xsd", document)


class Fragments(Case):
    def test_premis_and_dublin_core_are_valid(self):
        self.ours("fragments", self.folder)
        for name, schema in (("premis", "premis.xsd"), ("dc", "oai_dc.xsd")):
            with self.subTest(name=name):
                document = etree.parse(self.folder / f"{name}.xml")
                self.valid(schema, document)
                document.getroot().append(etree.fromstring('<odd xmlns="urn:odd"/>'))
                self.invalid(schema, document)


if __name__ == "__main__":
    unittest.main()
