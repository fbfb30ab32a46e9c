"""Runs the tests and prints what each operation of the client came to."""

import sys
import unittest
from pathlib import Path

from operations import LEFT_OUT, OPERATIONS


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


def shown_by(result):
    """Operation → whether every test that shows it held, and one of them."""
    found = {}
    for test in result.ran:
        for operation in getattr(getattr(test, test._testMethodName), "shows", ()):
            holds, name = found.get(operation, (True, None))
            broken = test.id() in result.broken
            short = test.id().split(".", 1)[1]
            found[operation] = (holds and not broken, short if broken or name is None else name)
    return found


def main(arguments):
    here = Path(__file__).parent
    loader = unittest.TestLoader()
    # Names of modules, classes or tests run these alone, without asking whether all operations are shown.
    if arguments:
        tests = loader.loadTestsFromNames(arguments)
    else:
        tests = loader.discover(str(here))
    result = unittest.TextTestRunner(resultclass=Outcomes, verbosity=1).run(tests)
    found = shown_by(result)
    strange = sorted(set(found) - set(OPERATIONS))
    missing = [] if arguments else [operation for operation in OPERATIONS if operation not in found]

    print(f"\n{'surface':8} {'operation':42} {'result':9} shown by")
    for operation in OPERATIONS:
        if arguments and operation not in found:
            continue
        holds, name = found.get(operation, (False, ""))
        result_text = "conforms" if holds else "FAILS" if operation in found else "NOT SHOWN"
        surface, method = operation.split(" ", 1)
        print(f"{surface:8} {method:42} {result_text:9} {name}")
    if not arguments:
        for operation, reason in LEFT_OUT.items():
            surface, method = operation.split(" ", 1)
            print(f"{surface:8} {method:42} left out  {reason}")
    held = sum(holds for holds, _ in found.values())
    print(f"\n{held} of {len(found) + len(missing)} operations conform; {len(result.ran)} tests, {len(result.broken)} broken")
    for operation in strange:
        print(f"shown, but in no list: {operation}")
    return 0 if result.wasSuccessful() and not missing and not strange else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
