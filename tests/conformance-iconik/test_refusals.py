"""When iconik says no, both surfaces have to be able to read it."""

from pythonik.assets.models import AssetCreateSchema
from pythonik.models.assets.assets import AssetCreate

from harness import ADDRESS, NOWHERE, Story, admin, send


class Refusals(Story):
    def fault(self, kind, method="GET", path="/assets/v1/assets/", times=1, **details):
        admin("POST", "faults", {"method": method, "path": path, "times": times, "action": {"kind": kind, **details}})

    def calls(self, path):
        return [e["status"] for e in self.journal() if e["path"].startswith(f"/API/{path}")]

    def test_every_status_is_read_by_the_generated_surface(self):
        # It reads each refusal that its description does not list as JSON, and raises when it is none.
        for status in (402, 403, 405, 409, 413, 423, 429, 500, 502, 503):
            with self.subTest(status):
                self.fault("status", status=status)
                self.assertEqual(self.b.get_asset(NOWHERE).status_code, status)

    def test_both_forms_of_an_error(self):
        for shape, kind in (("list", list), ("map", dict)):
            with self.subTest(shape):
                self.switch(error_shape=shape)
                answer = self.a.assets.create({"external_id": "CS-1"})
                self.assertEqual((answer.response.status_code, answer.data), (400, None))
                self.assertIsInstance(answer.response.json()["errors"], kind)

    def test_the_first_surface_waits_as_long_as_it_is_told(self):
        asset = self.asset()
        self.fault("rate_limited", path=f"/assets/{asset}/", retry_after=0)
        self.assertEqual(self.done(self.a.assets.get(asset)).id, asset)
        self.assertEqual(self.calls(f"assets/v1/assets/{asset}/"), [429, 200])

    def test_without_being_told_when_it_gives_up_and_returns_the_refusal(self):
        asset = self.asset()
        self.fault("status", path=f"/assets/{asset}/", status=429)
        self.assertEqual(self.a.assets.get(asset).response.status_code, 429)
        self.assertEqual(self.calls(f"assets/v1/assets/{asset}/"), [429])

    def test_too_many_calls(self):
        self.switch(rate_limit={"calls": 3, "seconds": 60, "retry_after_seconds": 7})
        answers = [self.b.get_users_current() for _ in range(4)]
        self.assertEqual([answer.status_code for answer in answers], [200, 200, 200, 429])
        self.assertEqual(answers[3].headers["Retry-After"], "7")
        self.assertEqual([answer.headers["RateLimit-Remaining"] for answer in answers], ["2", "1", "0", "0"])

    def test_a_post_is_not_repeated_by_either(self):
        self.fault("status_after_effect", method="POST", path="/assets/v1/assets", status=504, times=1)
        answer = self.a.assets.create(AssetCreate(title="Once"))
        self.assertEqual(answer.response.status_code, 504)
        listed = self.read("assets/v1/assets/?per_page=1000")["objects"]
        self.assertEqual(self.titles(listed).count("Once"), 1)

    def test_a_path_without_its_last_slash(self):
        self.assertEqual(self.a.assets.create(AssetCreate(title="Served")).response.status_code, 201)
        # A server that redirects keeps the method and the body for the first surface.
        self.switch(missing_slash="redirected")
        made = self.done(self.a.assets.create(AssetCreate(title="Redirected")), 201)
        self.assertEqual(self.asset_held(made.id)["title"], "Redirected")

    def test_an_unknown_address_is_json_too(self):
        status, answer = send("GET", f"{ADDRESS}/API/assets/v1/nonsense/")
        self.assertIn(status, (401, 404))
        self.assertIn("errors", answer)

    def test_a_title_is_needed(self):
        body = AssetCreateSchema.from_dict({"title": ""})
        body.title = None
        self.assertEqual(self.b.post_assets(body=body).status_code, 400)
