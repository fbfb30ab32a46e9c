"""REST v4 with requests alone; content that goes to signed addresses; events as the library signs them."""

import datetime
import json
import os
import subprocess
import time

import requests
import standardwebhooks

from harness import KEY, PRODUCTS, SERVER, STORAGE, TOKEN, Story, shows

RIGHT = {"Authorization": f"Token token={TOKEN}"}


class Rest(Story):
    def get(self, parameters=None, headers=RIGHT, address=PRODUCTS):
        return requests.get(address, params=parameters, headers=headers, timeout=30)

    @shows("REST token scheme")
    def test_the_token_opens_it_quoted_or_not_and_no_other_scheme_does(self):
        for headers in (RIGHT, {"Authorization": f'Token token="{TOKEN}"'}):
            self.assertEqual(self.get(headers=headers).status_code, 200)
        self.assertEqual(self.get(address=f"{SERVER}/api/products.json").status_code, 200, "the unversioned path")
        for shown in (f"Bearer {TOKEN}", f"Token token={KEY}", f"Token {TOKEN}", TOKEN, ""):
            with self.subTest(shown=shown):
                answer = self.get(headers={"Authorization": shown})
                self.assertEqual((answer.status_code, answer.text), (401, "HTTP Token: Access denied.\n"))
                self.assertEqual(answer.headers["WWW-Authenticate"], 'Token realm="Application"')
                self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"))

    @shows("REST pages")
    def test_pages_follow_each_other_and_end(self):
        whole = self.get().json()
        self.assertEqual((whole["current_page"], whole["per_page"], whole["total_pages"]), (1, 50, 1))
        self.assertEqual(whole["url"], "/api/v4/products.json")
        self.switch(rest_page_size=2)
        pages = [self.get({"page": number}).json() for number in (1, 2, 3, 4)]
        self.assertEqual([page["total_pages"] for page in pages], [3] * 4)
        numbers = [[product["id"] for product in page["products"]] for page in pages]
        self.assertEqual(numbers, [[2001, 2002], [2003, 2004], [2005], []])
        self.assertEqual(self.get().json()["products"][0], pages[0]["products"][0], "without a page it is the first")
        self.switch(rest_pages_shift=True)
        seen = [product["id"] for number in (1, 2, 3) for product in self.get({"page": number}).json()["products"]]
        self.assertNotEqual(sorted(seen), [2001, 2002, 2003, 2004, 2005], "one is missed or comes twice")

    @shows("REST filters")
    def test_each_filter_gives_what_it_names_with_brackets_encoded_or_not(self):
        for name, value, expected in (
            ("id_eq", "2003", [2003]),
            ("isbn_eq", "9780000000019", [2002]),
            ("isbn_eq", "978-0-00-000001-9", []),
            ("pub_date_eq", "2031-04-01", [2001, 2002]),
            ("work_title_cont", "salt", [2001, 2002]),
            ("shops_id_eq", "1", [2001, 2003]),
            ("updated_at_gteq", "2031-05-05", [2001, 2002, 2003, 2004, 2005]),
        ):
            with self.subTest(name=name, value=value):
                encoded = self.get({f"q[{name}]": value})
                self.assertIn("%5B", encoded.url)
                self.assertEqual([product["id"] for product in encoded.json()["products"]], expected)
                bare = requests.Request("GET", PRODUCTS, headers=RIGHT).prepare()
                bare.url = f"{PRODUCTS}?q[{name}]={value}"
                with requests.Session() as session:
                    self.assertEqual(session.send(bare, timeout=30).json()["products"], encoded.json()["products"])
        self.switch(rest_unknown_filters_ignored=False)
        self.assertEqual(self.get({"q[updated_at_gteq]": "2031-05-05"}).status_code, 500)

    def test_a_record_has_what_makes_readers_stumble(self):
        first, _, third, *_ = self.get().json()["products"]
        self.assertEqual((first["isbn"], third["isbn"]), ("978-0-00-000000-2", "No ISBN"))
        self.assertEqual((first["product_form"], first["publishing_status"]), ("BC", "04"))
        self.assertEqual(first["measurements"]["product_dimensions_mm"], "216 \u00d7 138 \u00d7 19")
        self.assertEqual((third["measurements"], third["pub_date"]), (None, None))
        self.assertIn("<em>caf&eacute;s</em>", first["marketingtexts"][0]["external_text"])
        self.assertEqual(first["prices"][1]["price_amount"], "18.90")
        self.assertIn("//_jpg", first["supportingresources"][0]["style_urls"][0]["url"])
        self.assertEqual(first["rights_not_available_countries"], ["CA", "US"])
        self.switch(price_amount_is_text=False, country_element="object")
        first = self.get().json()["products"][0]
        self.assertEqual((first["prices"][1]["price_amount"], first["rights_not_available_countries"][0]["code"]), (18.9, "CA"))


class Uploads(Story):
    CREATE = """mutation Create($input: CreateSupportingResourceInput!) { createSupportingResource(input: $input) {
        presignedUrl supportingResource { id isProcessing } errors { field message } } }"""
    FILE = """mutation { createProductionFile(input: {productIds: [2002], filename: "salt-road.epub", fileVariant: EPUB}) {
        presignedUrl productionFile { id exists fileSize } } }"""

    def made(self, **given):
        given = {"workId": 1001, "resourceFileName": "cover.jpg", "linkToAllProducts": True, **given}
        return self.execute(self.CREATE, {"input": given})["createSupportingResource"]

    def shown(self, identifier):
        resources = self.execute("{ work(workSearch: {idEq: 1001}) { supportingResources { id isProcessing fileSize url } } }")
        return next(one for one in resources["work"]["supportingResources"] if one["id"] == identifier)

    @shows("upload by a signed address", "Mutation.createSupportingResource", "Mutation.createProductionFile")
    def test_content_goes_to_the_signed_address_with_no_key_and_is_prepared(self):
        made = self.made()
        address, identifier = made["presignedUrl"], made["supportingResource"]["id"]
        self.assertTrue(address.startswith(STORAGE), f"a place of its own: {address}")
        self.assertTrue(made["supportingResource"]["isProcessing"])
        for method, status in (("POST", 405), ("PUT", 200)):
            answer = requests.request(method, address, data=b"\xff\xd8" * 4096, timeout=30)
            self.assertEqual(answer.status_code, status, answer.text)
        brought = self.state()["brought"][-1]
        names = {name for name, _ in brought["headers"]}
        self.assertEqual((brought["method"], "authorization" in names), ("PUT", False))
        self.assertTrue(self.shown(identifier)["isProcessing"])
        self.wait(10)
        after = self.shown(identifier)
        self.assertEqual((after["isProcessing"], after["fileSize"]), (False, 8192))
        made = self.execute(self.FILE)["createProductionFile"]
        self.assertFalse(made["productionFile"]["exists"])

        def pieces():
            for _ in range(64):
                yield b"x" * 1024

        self.assertEqual(requests.put(made["presignedUrl"], data=pieces(), timeout=30).status_code, 200, "in chunks")
        files = self.execute("{ work(workSearch: {idEq: 1001}) { productionFiles { id exists fileSize } } }")
        found = next(one for one in files["work"]["productionFiles"] if one["id"] == made["productionFile"]["id"])
        self.assertEqual((found["exists"], found["fileSize"]), (True, "65536"))

    def test_an_address_ends_and_cannot_be_changed(self):
        address = self.made()["presignedUrl"]
        self.assertEqual(requests.put(f"{address}0", data=b"x", timeout=30).status_code, 403)
        self.assertEqual(requests.put(address.replace("/_storage/", "/_storage/0"), data=b"x", timeout=30).status_code, 404)
        self.wait(901)
        answer = requests.put(address, data=b"x", timeout=30)
        self.assertEqual((answer.status_code, "<Code>AccessDenied</Code>" in answer.text), (403, True))

    def test_only_one_source_and_only_jpg_is_taken(self):
        for given in (
            {"resourceFileName": "cover.png"},
            {"imageRemoteUrl": "https://images.example.com/cover.jpg"},
            {"productIds": [2001]},
            {"resourceFileName": None},
        ):
            with self.subTest(given=given):
                made = self.made(**given)
                self.assertEqual((len(made["errors"]), made["supportingResource"], made["presignedUrl"]), (1, None, None))
        remote = self.made(resourceFileName=None, imageRemoteUrl="https://images.example.com/cover.jpg")
        self.assertEqual((remote["presignedUrl"], remote["errors"]), (None, []))

    def test_where_a_mutation_has_to_follow_nothing_is_there_before_it(self):
        self.switch(upload_needs_follow_up=True)
        made = self.execute(self.FILE)["createProductionFile"]
        requests.put(made["presignedUrl"], data=b"x", timeout=30)
        text = "{ work(workSearch: {idEq: 1001}) { productionFiles { id exists } } }"
        identifier = made["productionFile"]["id"]
        exists = lambda: {one["id"]: one["exists"] for one in self.execute(text)["work"]["productionFiles"]}[identifier]
        self.assertFalse(exists())
        done = self.execute(f"mutation {{ finishUpload(input: {{id: {identifier}}}) {{ finished }} }}")
        self.assertEqual((done["finishUpload"]["finished"], exists()), (True, True))


class Events(Story):
    """There is no webhook of the vendor's: whoever sends events signs them with a library such as this one."""

    SECRET = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="

    def ours(self, *arguments, body=""):
        done = subprocess.run([os.environ["EVENT"], *arguments], input=body.encode(), capture_output=True, check=False)
        return done.returncode, done.stdout.decode()

    def taken(self, headers, body):
        secret = json.dumps({"current": self.SECRET, "previous": ""})
        return self.ours("take", secret, json.dumps(headers), str(int(time.time())), body=body)[0] == 0

    @shows("events signed by the library")
    def test_an_event_of_each_type_is_taken_as_the_library_signs_it_and_not_when_it_was_changed(self):
        code, examples = self.ours("examples")
        examples = examples.splitlines()
        self.assertTrue(code == 0 and len(examples) > 10, examples)
        library, now = standardwebhooks.Webhook(self.SECRET), datetime.datetime.now(datetime.UTC)
        for number, body in enumerate(examples):
            with self.subTest(type=json.loads(body)["type"]):
                identifier = f"msg_{number}"
                headers = {
                    "webhook-id": identifier, "webhook-timestamp": str(int(now.timestamp())),
                    "webhook-signature": library.sign(identifier, now, body),
                }
                self.assertTrue(self.taken(headers, body))
                self.assertFalse(self.taken({**headers, "webhook-id": "msg_other"}, body))
                self.assertFalse(self.taken(headers, body.replace('"account"', '"acc0unt"', 1)))
                secret = json.dumps({"current": self.SECRET, "previous": ""})
                code, signature = self.ours("sign", secret, identifier, headers["webhook-timestamp"], body=body)
                self.assertEqual(code, 0)
                library.verify(body, {**headers, "webhook-signature": signature.strip()})
