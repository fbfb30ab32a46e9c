"""Our program, the schemas, and a note of what was shown to whom."""

import copy
import itertools
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from lxml import etree

HERE = Path(__file__).parent
OURS, PUBLISHED = "schema of ours", "published schema"
FOLDER = os.environ.get("WAYBILL_SCHEMAS")
OPEX = "http://www.openpreservationexchange.org/opex/v"
XIP = "http://preservica.com/XIP/v"

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
# Two assets that stay folders, one of them in a folder.
ASSETS = {
    "Act 2: <final>.pax/master.mov": b"the film itself",
    "Act 2: <final>.pax/notes \u21165.txt": b"about it",
    "inner/cover.pax/cover.tif": b"a cover",
}

# What was shown to whom, and the tests that did.
shown = {}


def recorded():
    """The published schemas that our documents were found valid to: SHA-256 by name."""
    lines = (HERE / "published.tsv").read_text().splitlines()
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines if line and not line.startswith("#")}


class Beside(etree.Resolver):
    """What a schema imports is beside it, whatever address it gives: nothing is fetched."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def resolve(self, address, public, context):
        beside = self.folder / Path(address).name
        return self.resolve_filename(str(beside), context) if beside.exists() else None


def read_schema(path):
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Beside(path.parent))
    return etree.XMLSchema(etree.parse(path, parser))


def schemas(name):
    """Ours, and the published one where there is one."""
    found = {OURS: read_schema(HERE / "schemas" / name)}
    if FOLDER and (Path(FOLDER) / name).exists():
        found[PUBLISHED] = read_schema(Path(FOLDER) / name)
    return found


def called(document, namespace):
    """The same document under another namespace."""
    own = etree.QName(document).namespace
    return etree.fromstring(etree.tostring(document).replace(own.encode(), namespace.encode()))


def names_in(schema):
    """Names of elements that a schema declares."""
    declared = etree.parse(HERE / "schemas" / schema).iter("{http://www.w3.org/2001/XMLSchema}element")
    return sorted({one.get("name") for one in declared if one.get("name")})


def crowded(document, names):
    """A document with an element of each name where there is none: first and last in one of each kind."""
    kinds = {one.tag: at for at, one in enumerate(document.iter()) if isinstance(one.tag, str)}
    for tag, at in kinds.items():
        for name in names:
            for place in (0, sys.maxsize):
                again = copy.deepcopy(document)
                parent = list(again.iter())[at]
                parent.insert(place, etree.Element(f"{{{etree.QName(tag).namespace}}}{name}"))
                yield f"{etree.QName(tag).localname} has {name}, {'first' if place == 0 else 'last'}", again


def spoilt(document):
    """Each way to spoil one place of a document, with its name."""
    places = [element for element in document.iter() if isinstance(element.tag, str)]
    for at, element in enumerate(places):
        name = f"{etree.QName(element).localname} ({at})"

        def changed(change, at=at):
            again = copy.deepcopy(document)
            change([one for one in again.iter() if isinstance(one.tag, str)][at])
            return again

        if at > 0:
            yield f"{name} is missing", changed(lambda one: one.getparent().remove(one))
            yield f"{name} comes twice", changed(lambda one: one.addnext(copy.deepcopy(one)))
            yield f"{name} is something else", changed(lambda one: setattr(one, "tag", f"{one.tag}Odd"))
        if element.getnext() is not None:
            yield f"{name} comes after the next", changed(lambda one: one.getnext().addnext(one))
        if len(element) == 0:
            yield f"{name} says `odd`", changed(lambda one: setattr(one, "text", "odd"))
        for attribute in element.attrib:
            yield f"{name} has no {attribute}", changed(lambda one, key=attribute: one.attrib.pop(key))
            yield f"{name} has an odd {attribute}", changed(lambda one, key=attribute: one.set(key, "odd"))
        yield f"{name} has an attribute too many", changed(lambda one: one.set("odd", "odd"))


def package(*arguments, **options):
    command = [os.environ["PACKAGE"], *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # The generator leaves a folder behind wherever it runs.
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)

    def shown(self, what, to):
        """Say it after the last assertion about it: what comes before may fail."""
        shown.setdefault((what, to), set()).add(self.id())

    def files(self, name="source", names=NAMES):
        source = self.folder / name
        for path, content in names.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_bytes(content)
        return source

    def tree(self, version="1.2", names=None):
        to = self.folder / "tree"
        self.ours("opex", f"v{version}", self.files(names=names or {**NAMES, **ASSETS}), to)
        return to

    def ours(self, *arguments):
        done = package(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)

    def refused(self, code, *arguments):
        done = package(*arguments)
        self.assertNotEqual(done.returncode, 0, arguments)
        self.assertIn(code, done.stdout + done.stderr)

    def valid(self, name, document, what=None):
        for to, schema in schemas(name).items():
            self.assertTrue(schema.validate(document), f"{to}, {name}: {schema.error_log}")
            if what:
                self.shown(what, to)

    def invalid(self, name, document, why):
        for to, schema in schemas(name).items():
            self.assertFalse(schema.validate(document), f"{to}, {name}: {why}")

    def as_strict(self, name, document):
        """What the published schema refuses, ours refuses too: each place of a document, spoilt in each way."""
        found = schemas(name)
        self.assertTrue(found[OURS].validate(document), found[OURS].error_log)
        refused = 0
        for why, wrong in itertools.chain(spoilt(document), crowded(document, names_in(name))):
            if PUBLISHED in found and not found[PUBLISHED].validate(wrong):
                self.assertFalse(found[OURS].validate(wrong), f"{name} of ours takes it: {why}")
            refused += not found[OURS].validate(wrong)
        # And it does not let everything pass.
        self.assertGreater(refused, len(document))
