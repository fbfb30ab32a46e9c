"""Runs the tests and prints what each method of the client, and each sequence of another one, came to."""

import sys
import unittest
from pathlib import Path


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


def methods():
    """Every method that the class has of its own."""
    from pyxecm.otmm import OTMM

    return {f"OTMM.{name}" for name, member in vars(OTMM).items() if callable(member)}


def main(arguments):
    loader = unittest.TestLoader()
    tests = loader.loadTestsFromNames(arguments) if arguments else loader.discover(str(Path(__file__).parent))
    result = unittest.TextTestRunner(resultclass=Outcomes, verbosity=1).run(tests)
    found = {}
    for test in result.ran:
        for operation in getattr(getattr(test, getattr(test, "_testMethodName", ""), None), "shows", ()):
            found[operation] = found.get(operation, True) and test.id() not in result.broken
    print()
    for operation in sorted(found):
        print(f"{operation:88} {'conforms' if found[operation] else 'FAILS'}")
    missing = set() if arguments else methods() - set(found)
    for operation in sorted(missing):
        print(f"{operation:88} NOT SHOWN")
    print(f"\n{sum(found.values())} of {len(found) + len(missing)} conform; {len(result.ran)} tests, {len(result.broken)} broken")
    return 0 if result.wasSuccessful() and not missing else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
