"""The rule files that people copy, each against the schema that its first line names, as an editor would read them.

    .venv/lint/bin/python infra/check_rules.py

A schema that takes a key it does not know says nothing about one that is misspelt, so every schema of a rule file must be
closed. One line per violation; exit 1 if there is any. `check_rules_test.py` breaks every sample.
"""

import functools
import json
import pathlib
import re
import sys
import tomllib

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

ROOT = pathlib.Path(__file__).resolve().parents[1]
NAMED = re.compile(r"#:schema (\S+)\n")


def samples():
    """Whatever a package or a test gives away as rules; those of tests only where they name a schema."""
    shown = sorted(ROOT.glob("functions/*/rules/**/*.toml"))
    tried = (path for path in sorted(ROOT.glob("tests/**/*.toml")) if NAMED.match(path.read_text()))
    return [*shown, *tried]


def schema_of(sample):
    """The path of the schema that the first line of a sample names, as an editor finds it."""
    named = NAMED.match(sample.read_text())
    return (sample.parent / named[1]).resolve() if named else None


@functools.cache
def validator(schema):
    tree = json.loads(schema.read_text())
    Draft202012Validator.check_schema(tree)
    return Draft202012Validator(tree)


def refusals(schema, tree):
    """What a schema says against a tree: where, and what. Of a choice, what speaks against the side that is nearest."""
    for error in validator(schema).iter_errors(tree):
        nearest = best_match([error])
        yield nearest.json_path, nearest.message


def open_places(schema, path="$"):
    """The tables of a schema that take any key, though they say which ones they have, and those that say nothing at all."""
    if isinstance(schema, list):
        for index, inner in enumerate(schema):
            yield from open_places(inner, f"{path}[{index}]")
    elif isinstance(schema, dict):
        rest = schema.get("additionalProperties", True)
        if "properties" in schema and rest is not False or schema.get("type") == "object" and rest is True:
            yield path
        for key, inner in schema.items():
            yield from open_places(inner, f"{path}.{key}")


def check(sample):
    schema = schema_of(sample)
    if schema is None or not schema.is_file():
        return ["the first line must be `#:schema`, and the way to its schema"]
    return [f"{where}: {message}" for where, message in refusals(schema, tomllib.loads(sample.read_text()))]


def main():
    found = [f"{sample.relative_to(ROOT)}: {problem}" for sample in samples() for problem in check(sample)]
    schemas = {schema for schema in map(schema_of, samples()) if schema and schema.is_file()}
    for schema in sorted(schemas):
        for place in open_places(json.loads(schema.read_text())):
            found.append(f"{schema.relative_to(ROOT)}: {place}: takes any key, so that a misspelt one is not noticed")
    for schema in sorted(ROOT.glob("functions/*/rules/*-rules.schema.json")):
        if schema not in schemas:
            found.append(f"{schema.relative_to(ROOT)}: no sample names it")
    print("\n".join([*found, f"rule files: {len(found)} violation(s) in {len(samples())} sample(s) of {len(schemas)} schema(s)"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
