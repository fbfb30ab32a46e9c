"""Runs the tests and prints what each operation of the interface came to."""

import sys
import unittest
from pathlib import Path

import operations


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


def known():
    """Every operation that is to be shown."""
    from harness import Story

    client = Story().client()
    with client:
        return set(operations.of(client.schema))


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
        print(f"{operation:50} {'conforms' if found[operation] else 'FAILS'}")
    missing = set() if arguments else known() - set(found)
    for operation in sorted(missing):
        print(f"{operation:50} NOT SHOWN")
    for operation, reason in operations.LEFT_OUT.items():
        print(f"{operation:50} left out  {reason}")
    print(f"\n{sum(found.values())} of {len(found) + len(missing)} conform; {len(result.ran)} tests, {len(result.broken)} broken")
    return 0 if result.wasSuccessful() and not missing else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
