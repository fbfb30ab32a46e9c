"""Events signed by us before the reference libraries of Standard Webhooks, theirs before us; the schema before a validator."""

import base64
import datetime
import json
import os
import subprocess
import time
import unittest

import jsonschema
import standardwebhooks

OLD = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
NEW = "whsec_" + base64.b64encode(b"A" * 32).decode()

BODY = json.dumps({
    "type": "title.updated", "timestamp": "2031-05-06T07:08:09Z", "schema_version": 1, "account": "harbour",
    "data": {"work_id": 1001, "product_ids": [2001], "isbn13": "9780000000002", "revision": "3", "note": "Straße 日本"},
}, ensure_ascii=False)


def ours(*arguments, body=BODY):
    done = subprocess.run([os.environ["EVENT"], *map(str, arguments)], input=body.encode(), capture_output=True, check=False)
    return done.returncode, done.stdout.decode().strip()


def node(command, secret, headers, body=BODY):
    request = json.dumps({"command": command, "secret": secret, "headers": headers, "body": body})
    done = subprocess.run(["node", os.environ["NODE_READER"]], input=request.encode(), capture_output=True, check=True)
    return json.loads(done.stdout)


def secrets(current, previous=""):
    return json.dumps({"current": current, "previous": previous})


def headers(identifier, at, signature):
    return {"webhook-id": identifier, "webhook-timestamp": str(at), "webhook-signature": signature}


def taken_by_python(secret, sent, body=BODY):
    try:
        standardwebhooks.Webhook(secret).verify(body, sent)
        return True
    except standardwebhooks.WebhookVerificationError:
        return False


def taken_by_us(known, sent, body=BODY):
    code, _ = ours("take", known, json.dumps(sent), int(time.time()), body=body)
    return code == 0


class Signatures(unittest.TestCase):
    def signed_by(self, who, secret, at, body=BODY):
        if who == "us":
            code, signature = ours("sign", secrets(secret), "msg_1", at, body=body)
            self.assertEqual(code, 0)
            return signature
        if who == "python":
            moment = datetime.datetime.fromtimestamp(at, tz=datetime.timezone.utc)
            return standardwebhooks.Webhook(secret).sign("msg_1", moment, body)
        return node("sign", secret, headers("msg_1", at, "-"), body)["signature"]

    def taken_by(self, who, secret, sent, body=BODY):
        if who == "us":
            return taken_by_us(secrets(secret), sent, body)
        if who == "python":
            return taken_by_python(secret, sent, body)
        return node("verify", secret, sent, body)["taken"]

    def test_everybody_makes_the_same_signature_and_takes_the_others(self):
        now = int(time.time())
        signatures = {who: self.signed_by(who, OLD, now) for who in ("us", "python", "node")}
        self.assertEqual(len(set(signatures.values())), 1, signatures)
        for signer, signature in signatures.items():
            for reader in ("us", "python", "node"):
                with self.subTest(signer=signer, reader=reader):
                    self.assertTrue(self.taken_by(reader, OLD, headers("msg_1", now, signature)))

    def test_everybody_refuses_what_was_changed(self):
        now = int(time.time())
        signature = self.signed_by("us", OLD, now)
        changed = {
            "body": (OLD, headers("msg_1", now, signature), BODY.replace("1001", "1002")),
            "id": (OLD, headers("msg_2", now, signature), BODY),
            "time": (OLD, headers("msg_1", now + 1, signature), BODY),
            "secret": (NEW, headers("msg_1", now, signature), BODY),
            "version": (OLD, headers("msg_1", now, signature.replace("v1,", "v2,")), BODY),
        }
        for what, (secret, sent, body) in changed.items():
            for reader in ("us", "python", "node"):
                with self.subTest(what=what, reader=reader):
                    self.assertFalse(self.taken_by(reader, secret, sent, body))

    def test_everybody_has_five_minutes_of_tolerance_in_both_directions(self):
        for shift, fits in ((-290, True), (290, True), (-310, False), (310, False)):
            at = int(time.time()) + shift
            sent = headers("msg_1", at, self.signed_by("us", OLD, at))
            for reader in ("us", "python", "node"):
                with self.subTest(shift=shift, reader=reader):
                    self.assertEqual(self.taken_by(reader, OLD, sent), fits)

    def test_a_secret_is_changed_without_losing_an_event(self):
        now = int(time.time())
        both = " ".join([self.signed_by("python", OLD, now), "v1a,bm9uZQ==", self.signed_by("node", NEW, now)])
        for known in (secrets(OLD), secrets(NEW, OLD), secrets(NEW)):
            self.assertTrue(taken_by_us(known, headers("msg_1", now, both)), known)
        self.assertTrue(taken_by_us(secrets(NEW, OLD), headers("msg_1", now, self.signed_by("python", OLD, now))))
        self.assertFalse(taken_by_us(secrets(NEW), headers("msg_1", now, self.signed_by("python", OLD, now))))


class Schema(unittest.TestCase):
    def setUp(self):
        code, text = ours("schema")
        self.assertEqual(code, 0)
        self.schema = json.loads(text)
        self.validator = jsonschema.Draft202012Validator(self.schema)

    def examples(self):
        code, text = ours("examples")
        self.assertEqual(code, 0)
        return [json.loads(line) for line in text.splitlines()]

    def test_the_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_what_the_reader_takes_is_valid_and_every_type_is_there(self):
        examples = self.examples()
        self.assertEqual(len({example["type"] for example in examples}), len(self.schema["oneOf"]))
        for example in examples:
            with self.subTest(type=example["type"]):
                self.validator.validate(example)
                self.assertEqual(ours("read", body=json.dumps(example))[0], 0)

    def test_reader_and_schema_agree_on_what_is_wrong(self):
        for example in self.examples():
            broken = []
            for member in ("timestamp", "schema_version", "account", "data"):
                broken.append({name: value for name, value in example.items() if name != member})
            about = ("work_id", "product_ids", "isbn13")
            broken.append({**example, "data": {n: v for n, v in example["data"].items() if n not in about}})
            broken.append({**example, "data": {**example["data"], "work_id": "x"}})
            if "files" in example["data"]:
                file = example["data"]["files"][0]
                broken.append({**example, "data": {**example["data"], "files": [{**file, "sha256": "x"}]}})
                broken.append({**example, "data": {**example["data"], "files": [{"url": file["url"]}]}})
            for wrong in broken:
                with self.subTest(type=example["type"], wrong=json.dumps(wrong)[:200]):
                    self.assertFalse(self.validator.is_valid(wrong))
                    self.assertEqual(ours("read", body=json.dumps(wrong))[0], 1)


if __name__ == "__main__":
    unittest.main()
