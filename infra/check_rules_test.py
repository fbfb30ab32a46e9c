"""Breaks every sample of rules wherever a word or a value stands, one at a time: its schema must refuse each.

    .venv/lint/bin/python infra/check_rules_test.py
"""

import contextlib
import copy
import io
import json
import pathlib
import tempfile
import tomllib
import unittest

import check_rules

# Tables whose keys people choose: names of views, of lists, of captures, of attributes, and words of a vendor.
CHOSEN = {
    "attributes",
    "captures",
    "lookups",
    "options",
    "permission_templates",
    "queries",
    "schedules",
    "values",
    "views",
    "words",
}


def places(tree, path=()):
    """The path of each key of a file."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        if isinstance(tree, dict):
            yield (*path, key)
        yield from places(value, (*path, key))


def inside(tree, path):
    for step in path:
        tree = tree[step]
    return tree


def misspelt(tree, path):
    tree = copy.deepcopy(tree)
    table = inside(tree, path[:-1])
    table[f"{path[-1]}_"] = table.pop(path[-1])
    return tree


def replaced(tree, path, value):
    tree = copy.deepcopy(tree)
    inside(tree, path[:-1])[path[-1]] = value
    return tree


def is_chosen(path):
    """Whether people choose the key at the end; lookups are tables of theirs inside such a table."""
    return path[-2:-1] and path[-2] in CHOSEN or path[-3:-2] == ("lookups",)


def each_place_once():
    """Every sample with those of its places that no sample of the same schema has shown before."""
    shown = set()
    for sample in check_rules.samples():
        schema = check_rules.schema_of(sample)
        tree = tomllib.loads(sample.read_text())
        for path in places(tree):
            where = (schema, tuple("*" if isinstance(step, int) else step for step in path))
            if where not in shown:
                shown.add(where)
                yield sample, check_rules.validator(schema), tree, path


class RuleFiles(unittest.TestCase):
    def test_as_they_ship_are_what_their_schemas_say(self):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            self.assertEqual(check_rules.main(), 0, said.getvalue())

    def test_with_a_misspelt_key_are_refused_by_every_schema(self):
        refused = set()
        for sample, validator, tree, path in each_place_once():
            if not is_chosen(path):
                with self.subTest(sample.name, path=path):
                    self.assertFalse(validator.is_valid(misspelt(tree, path)))
                refused.add(check_rules.schema_of(sample))
        self.assertEqual(refused, {check_rules.schema_of(sample) for sample in check_rules.samples()})

    def test_with_a_value_of_a_wrong_type_are_refused_by_every_schema(self):
        refused = set()
        for sample, validator, tree, path in each_place_once():
            value = inside(tree, path)
            wrong = [["lists"]] if isinstance(value, (dict, list)) else 7.5 if isinstance(value, (str, bool)) else "seven"
            with self.subTest(sample.name, path=path):
                self.assertFalse(validator.is_valid(replaced(tree, path, [wrong])))
                self.assertFalse(validator.is_valid(replaced(tree, path, wrong)))
            refused.add(check_rules.schema_of(sample))
        self.assertEqual(refused, {check_rules.schema_of(sample) for sample in check_rules.samples()})

    def test_say_where_they_are_wrong(self):
        sample = check_rules.ROOT / "functions/s3-content-server/rules/intake-rules.toml"
        tree = replaced(tomllib.loads(sample.read_text()), ("rule", 0, "target", "creat"), True)
        found = list(check_rules.refusals(check_rules.schema_of(sample), tree))
        self.assertEqual([where for where, _ in found], ["$.rule[0].target"])
        self.assertIn("'creat' was unexpected", found[0][1])

    def test_without_the_name_of_a_schema_that_is_there_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            sample = pathlib.Path(folder) / "some-rules.toml"
            for text in ("[[rule]]\n", "# Rules\n#:schema ./some.schema.json\n", "#:schema ./some.schema.json\n"):
                sample.write_text(text)
                self.assertEqual(len(check_rules.check(sample)), 1, text)
            (sample.parent / "some.schema.json").write_text(json.dumps({"type": "object", "additionalProperties": False}))
            self.assertEqual(check_rules.check(sample), [])
            sample.write_text("#:schema ./some.schema.json\nname = 1\n")
            self.assertIn("'name' was unexpected", check_rules.check(sample)[0])


class Schemas(unittest.TestCase):
    def test_that_take_a_key_they_do_not_know_are_found(self):
        closed = {"type": "object", "properties": {"a": {"type": "object", "additionalProperties": {"type": "string"}}}, "additionalProperties": False}
        self.assertEqual(list(check_rules.open_places(closed)), [])
        for place, change in (("$", {"additionalProperties": True}), ("$.properties.a", {"properties": {"a": {"type": "object"}}})):
            self.assertEqual(list(check_rules.open_places({**closed, **change})), [place])
        del closed["additionalProperties"]
        self.assertEqual(list(check_rules.open_places({"$defs": {"Rule": closed}})), ["$.$defs.Rule"])


if __name__ == "__main__":
    unittest.main()
