"""Runs the tests and prints what each row of the client's calls and answers came to."""

import sys
import unittest
from pathlib import Path

from rows import ROWS


class Outcomes(unittest.TextTestResult):
    """Remembers which tests held and which did not."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.broken, self.ran = set(), []

    def startTest(self, test):
        super().startTest(test)
        self.ran.append(test)

    def addError(self, test, error):
        super().addError(test, error)
        self.broken.add(test.id())

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.broken.add(test.id())

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.broken.add(test.id())

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.broken.add(test.id())


def shown_by(result):
    """Row → whether every test that shows it held, and one of them."""
    found = {}
    for test in result.ran:
        for row in getattr(getattr(test, getattr(test, "_testMethodName", ""), None), "shows", ()):
            holds, name = found.get(row, (True, None))
            broken = test.id() in result.broken
            short = test.id().split(".", 1)[1]
            found[row] = (holds and not broken, short if broken or name is None else name)
    return found


def main(arguments):
    loader = unittest.TestLoader()
    # Names of modules, classes or tests run these alone, without asking whether all rows are shown.
    tests = loader.loadTestsFromNames(arguments) if arguments else loader.discover(str(Path(__file__).parent))
    result = unittest.TextTestRunner(resultclass=Outcomes, verbosity=1).run(tests)
    found = shown_by(result)
    strange = sorted(set(found) - set(ROWS))
    missing = [] if arguments else [row for row in ROWS if row not in found]

    print(f"\n{'group':17} {'method, or answer':66} {'result':9} shown by")
    for row, (group, _) in ROWS.items():
        if arguments and row not in found:
            continue
        holds, name = found.get(row, (False, ""))
        word = "conforms" if holds else "FAILS" if row in found else "NOT SHOWN"
        print(f"{group:17} {row:66} {word:9} {name}")
    held = sum(holds for holds, _ in found.values())
    print(f"\n{held} of {len(found) + len(missing)} rows conform; {len(result.ran)} tests, {len(result.broken)} broken")
    for row in strange:
        print(f"shown, but in no list: {row}")
    return 0 if result.wasSuccessful() and not result.broken and not missing and not strange else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
