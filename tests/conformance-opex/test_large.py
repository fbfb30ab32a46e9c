"""A package beyond the bounds of small zips, before an outside reader."""

import hashlib
import os
import resource
import subprocess
import unittest
import zipfile

from harness import Case

GIB = 1 << 30
LENGTH = 4 * GIB + GIB // 10
# What is not zero: at both ends, and on both sides of what 32 bits can say.
MARKS = {0: b"begins", 4 * GIB - 3: b"across", LENGTH - 4: b"ends"}
PIECE = 1 << 20
NOTHING = bytes(PIECE)
# A sixteenth of the content.
MEMORY = 256 << 20
ZIPFILE, LIMITS = "zipfile of Python", "limits of the system"


def bounded():
    """No file can be written by the program, wherever it is, and its memory is small."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def packed(source, to):
    """Packs into a pipe, and from there into a file that takes no room for zeros: how it ended, and its SHA-256."""
    command = [os.environ["PACKAGE"], "zip", source, "-"]
    digest, length = hashlib.sha256(), 0
    with (
        open(to, "wb") as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, preexec_fn=bounded) as process,
    ):
        while piece := process.stdout.read(PIECE):
            digest.update(piece)
            file.seek(length)
            if piece != NOTHING:
                file.write(piece)
            length += len(piece)
        file.truncate(length)
    return process.returncode, digest.hexdigest()


class Large(Case):
    def source(self):
        source = self.files(names={"a first.txt": b"before it", "z last.txt": b"beyond it"})
        with open(source / "master.mov", "wb") as file:
            for at, mark in MARKS.items():
                file.seek(at)
                file.write(mark)
        self.assertEqual((source / "master.mov").stat().st_size, LENGTH)
        return source

    def test_what_would_be_written_to_a_file_is_refused_by_the_bound(self):
        source = self.files(names={"a.txt": b"a"})
        command = [os.environ["PACKAGE"], "zip", source]
        for to, works in (("-", True), (self.folder / "written.zip", False)):
            done = subprocess.run([*command, to], capture_output=True, check=False, preexec_fn=bounded)
            self.assertEqual(done.returncode == 0, works, done.stderr)

    def test_more_than_four_gibibytes_are_packed_without_a_file_and_found_by_another_program(self):
        source, to = self.source(), self.folder / "large.zip"
        code, digest = packed(source, to)
        self.assertEqual(code, 0)
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["large.zip", "source"])
        self.shown("zip, beyond 4 GiB: no file of ours, little memory", LIMITS)
        with zipfile.ZipFile(to) as archive:
            told = archive.infolist()
            names = [one.filename.removeprefix("source/") for one in told]
            self.assertEqual(names[::2], ["a first.txt", "master.mov", "z last.txt", "source.opex"])
            self.assertEqual({one.compress_type for one in told}, {zipfile.ZIP_STORED})
            large = archive.getinfo("source/master.mov")
            self.assertEqual((large.file_size, large.compress_size), (LENGTH, LENGTH))
            beyond = told[names.index("master.mov") + 1 :]
            self.assertEqual(len(beyond), 4)
            self.assertTrue(all(one.header_offset > LENGTH for one in beyond))
            self.assertEqual(archive.read("source/a first.txt"), b"before it")
            self.assertEqual(archive.read("source/z last.txt"), b"beyond it")
            self.assertIn(b"master.mov.opex</opex:File>", archive.read("source/source.opex"))
            self.passes_whole(archive, large)
        self.shown("zip, beyond 4 GiB: sizes, places, last entry", ZIPFILE)
        os.unlink(to)
        self.assertEqual(packed(source, to), (0, digest))
        self.shown("zip, beyond 4 GiB: the same bytes again", "SHA-256")

    def passes_whole(self, archive, member):
        """Reads it to its end, where its CRC is compared; what is not zero is where it was."""
        length, pieces = 0, {}
        with archive.open(member) as content:
            while piece := content.read(PIECE):
                if piece != NOTHING[: len(piece)]:
                    pieces[length] = piece
                length += len(piece)
        self.assertEqual(length, LENGTH)
        for at, mark in MARKS.items():
            begin = at - at % PIECE
            near = pieces[begin] + pieces.get(begin + PIECE, b"")
            self.assertEqual(near[at - begin :][: len(mark)], mark)
        there = sum(len(piece) - piece.count(0) for piece in pieces.values())
        self.assertEqual(there, sum(map(len, MARKS.values())))


if __name__ == "__main__":
    unittest.main()
