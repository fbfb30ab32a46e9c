"""Bags of ours read by the Library of Congress's bagit package, and bags of that package read by us."""

import logging
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import bagit

logging.disable(logging.CRITICAL)

NAMES = {
    "front door.jpg": b"\xff\xd8 a picture",
    "Pr\u00fcfbericht \u21165.txt": b"a report",
    "100 % sure?.txt": b"a name with a percent sign",
    "a\nline.txt": b"a name with a line end",
    "~home.txt": b"a tilde",
    "folder/.hidden": b"",
    "folder/deeper/CON.txt": b"a device, elsewhere",
    "large.bin": bytes(range(256)) * 40_000,
}


def bag(*arguments):
    return subprocess.run([os.environ["BAG"], *map(str, arguments)], capture_output=True, text=True, check=False)


class Bags(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def files(self):
        source = self.folder / "source"
        for name, content in NAMES.items():
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return source

    def written_by_us(self):
        written = bag("write", self.files(), self.folder / "bag")
        self.assertEqual(written.returncode, 0, written.stderr)
        return self.folder / "bag"

    def test_a_bag_of_ours_is_valid_to_the_library_of_congress(self):
        read = bagit.Bag(str(self.written_by_us()))
        self.assertTrue(read.validate())
        self.assertEqual(len(list(read.payload_files())), len(NAMES))
        self.assertEqual(read.version, "1.0")
        self.assertEqual(read.info["Payload-Oxum"], f"{sum(map(len, NAMES.values()))}.{len(NAMES)}")

    def test_damage_to_a_bag_of_ours_is_seen_by_both(self):
        damaged = self.written_by_us()
        for path in [next(damaged.glob("data/front*")), damaged / "bag-info.txt", damaged / "manifest-sha256.txt"]:
            with self.subTest(path=path.name):
                before = path.read_bytes()
                path.write_bytes(before[:-1] + b"!")
                self.assertFalse(bagit.Bag(str(damaged)).is_valid())
                self.assertNotEqual(bag("check", damaged).returncode, 0)
                path.write_bytes(before)
        self.assertEqual(bag("check", damaged).returncode, 0)

    def test_bags_of_the_library_of_congress_are_accepted(self):
        for algorithms in (["md5"], ["sha1", "sha256"], ["sha512"], ["sha224", "sha384"]):
            with self.subTest(algorithms=algorithms):
                source = self.files()
                made = bagit.make_bag(
                    str(source), {"Contact-Name": "M\u00fcller", "Notes": "one\ntwo"}, checksums=algorithms
                )
                self.assertTrue(made.is_valid())
                checked = bag("check", source)
                self.assertEqual(checked.returncode, 0, checked.stdout)
                (source / "data" / "front door.jpg").write_bytes(b"another picture")
                self.assertNotEqual(bag("check", source).returncode, 0)
                source.rename(self.folder / "-".join(algorithms))


if __name__ == "__main__":
    unittest.main()
