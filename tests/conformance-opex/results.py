"""Runs the tests and prints what of ours was shown to be right, and to whom."""

import hashlib
import sys
import unittest
from pathlib import Path

from harness import FOLDER, OURS, PUBLISHED, recorded, shown

GENERATOR, READER, ZIPFILE = "opex-manifest-generator", "our reader", "zipfile of Python"

# What a run has to show, in the order of the table.
BY_SCHEMA = [
    *(f"OPEX {version}, {what}" for what in ("files and folders", "history and relationships") for version in ("1.0", "1.1", "1.2")),
    "OPEX 1.1, called 1.0 and 1.2",
    "OPEX 1.2, asset folders",
    "OPEX 1.2, zipped assets",
    *(f"XIP {version}, packages" for version in ("6.0", "6.2", "7.7")),
    "XIP 7.7, in an asset folder",
    "XIP 7.7, in a zipped asset",
    "PREMIS 3.0",
    "Dublin Core",
]
BY_OTHERS = [
    ("OPEX, files with fixities and true names", GENERATOR),
    ("OPEX, manifests", GENERATOR),
    ("OPEX 1.2, asset folders, fixities by path", GENERATOR),
    ("OPEX 1.2, asset folders, manifests to the last level", GENERATOR),
    ("OPEX, names that an ingest takes", "file system"),
    ("OPEX 1.0 and 1.1, asset folders refused", "our writer"),
    ("OPEX, trees of ours, and damage to them", READER),
    ("OPEX, trees of the generator, and damage to them", READER),
    ("OPEX 1.2, asset folders of the generator, and damage to them", READER),
    ("PAX, folders, files where they are said", "file system"),
    ("PAX, zipped, fixities by path", GENERATOR),
    ("PAX, zipped, files where they are said", ZIPFILE),
    *((f"XIP {version}, packages, files where they are said", ZIPFILE) for version in ("6.0", "6.2", "7.7")),
    *((f"XIP {version}, packages of ours", READER) for version in ("6.0", "6.2", "7.7")),
    ("XIP, damage to packages", READER),
    ("zip, of a tree with asset folders, stored", ZIPFILE),
    ("zip, the same bytes again", "SHA-256"),
    ("zip, beyond 4 GiB: sizes, places, last entry", ZIPFILE),
    ("zip, beyond 4 GiB: no file of ours, little memory", "limits of the system"),
    ("zip, beyond 4 GiB: the same bytes again", "SHA-256"),
]
# No public schema of OPEX 1.1 was found: what is written as 1.1 is judged by those of its neighbours.
NOT_PUBLISHED = ["OPEX 1.1, files and folders", "OPEX 1.1, history and relationships"]
AS_STRICT = ["OPEX 1.0", "OPEX 1.2", "XIP 6.0", "XIP 6.2", "XIP 7.7", "PREMIS 3.0", "Dublin Core"]


class Outcomes(unittest.TextTestResult):
    """Remembers which tests did not hold."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.broken = set()

    def addError(self, test, error):
        super().addError(test, error)
        self.broken.add(test.id())

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.broken.add(test.id())

    def addSubTest(self, test, part, error):
        super().addSubTest(test, part, error)
        if error is not None:
            self.broken.add(test.id())


def wanted():
    """What has to be shown, to whom."""
    rows = [(what, OURS) for what in BY_SCHEMA] + BY_OTHERS
    if FOLDER:
        rows += [(what, PUBLISHED) for what in BY_SCHEMA if what not in NOT_PUBLISHED]
        rows += [(f"{what}, schema of ours as strict", PUBLISHED) for what in AS_STRICT]
    return rows


def published():
    """What the published schemas are: those that are recorded, or others; whether one is missing."""
    if not FOLDER:
        print("The published schemas were not asked: WAYBILL_SCHEMAS names no folder with them (see published.tsv).")
        return True
    complete = True
    for name, known in recorded().items():
        path = Path(FOLDER) / name
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
        complete &= found is not None
        state = {known: "as recorded", None: "MISSING"}.get(found, f"another one than is recorded: {found}")
        print(f"{name:16} {state}")
    return complete


def main(arguments):
    loader = unittest.TestLoader()
    tests = loader.loadTestsFromNames(arguments) if arguments else loader.discover(str(Path(__file__).parent))
    result = unittest.TextTestRunner(resultclass=Outcomes, verbosity=1).run(tests)
    rows = list(shown) if arguments else wanted()
    print()
    conform = 0
    for row in sorted(rows, key=lambda row: (row[1] in (OURS, PUBLISHED), row)):
        holds = row in shown and not shown[row] & result.broken
        conform += holds
        print(f"{row[0]:64} {row[1]:26} {'conforms' if holds else 'FAILS' if row in shown else 'NOT SHOWN'}")
    unknown = set(shown) - set(rows)
    for row in sorted(unknown):
        print(f"{row[0]:64} {row[1]:26} NOT IN THIS TABLE")
    print()
    complete = published()
    print(f"{conform} of {len(rows)} conform; {result.testsRun} tests, {len(result.broken)} broken")
    return 0 if result.wasSuccessful() and conform == len(rows) and not unknown and complete else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
