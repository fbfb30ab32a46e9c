"""Assets: made, changed, deleted and taken back; their versions, relations and history."""

from pythonik.assets.models import (
    AssetCreateSchema,
    AssetHistorySchema,
    AssetSchema,
    BulkDeleteSchema,
    CreateAssetVersionSchema,
    DeleteQueueSchema,
    RelationSchema,
)
from pythonik.models.assets.assets import Asset, AssetCreate, BulkDelete
from pythonik.models.assets.versions import AssetVersion, AssetVersionCreate, AssetVersionFromAssetCreate
from pythonik.models.base import HistoryOperationType

from harness import ADMINISTRATOR, NOWHERE, Story, shows


class Assets(Story):
    @shows("A assets.create", "A assets.get")
    def test_a_made_asset_is_there(self):
        made = self.done(self.a.assets.create(AssetCreate(title="Trailer", external_id="CS-4711", category="promo")), 201)
        self.assertEqual((made.title, made.external_id, made.type, made.status), ("Trailer", "CS-4711", "ASSET", "ACTIVE"))
        read = self.done(self.a.assets.get(made.id))
        self.assertEqual((read.title, read.created_by_user, len(read.versions)), ("Trailer", ADMINISTRATOR[1], 1))
        held = self.asset_held(made.id)
        # This surface always sends a date of deletion. It deletes nothing.
        self.assertEqual((held["status"], held.get("date_deleted"), held["category"]), ("ACTIVE", None, "promo"))

    @shows("B post_assets", "B get_asset")
    def test_the_other_surface_makes_one_inside_a_collection(self):
        campaign = self.collection()
        body = AssetCreateSchema.from_dict({"title": "Poster", "type": "LINK", "collection_id": campaign,
                                            "external_link": "https://ecm.example.com/nodes/4711"})
        made = self.done(self.b.post_assets(body=body, assign_to_collection=True), 201)
        read = self.done(self.b.get_asset(str(made.id), include_collections=True, include_users=True))
        self.assertEqual((read.title, read.type_.value, read.is_online), ("Poster", "LINK", False))
        self.assertEqual([str(c) for c in read.in_collections], [campaign])
        self.assertEqual(str(read.created_by_user_info.id), ADMINISTRATOR[1])
        self.assertEqual(self.asset_held(str(made.id))["external_link"], "https://ecm.example.com/nodes/4711")

    @shows("B post_assets")
    def test_without_being_told_to_assign_it_stays_outside(self):
        body = AssetCreateSchema.from_dict({"title": "Poster", "collection_id": self.collection()})
        made = self.done(self.b.post_assets(body=body), 201)
        self.assertEqual(self.asset_held(str(made.id))["in_collections"], [])

    @shows("A assets.partial_update_asset", "B patch_asset", "B put_asset")
    def test_changes(self):
        asset = self.asset(external_id="CS-1")
        changed = self.done(self.a.assets.partial_update_asset(asset, Asset(title="Teaser")))
        self.assertEqual((changed.title, changed.external_id), ("Teaser", "CS-1"))
        body = AssetSchema.from_dict({"title": "Teaser", "warning": "Rights end in June", "is_blocked": True})
        self.assertEqual(self.done(self.b.patch_asset(asset, body=body)).warning, "Rights end in June")
        held = self.asset_held(asset)
        self.assertEqual((held["title"], held["is_blocked"], held["external_id"]), ("Teaser", True, "CS-1"))
        self.assertEqual(held["updated_by_user"], ADMINISTRATOR[1])
        self.done(self.b.put_asset(asset, body=AssetSchema.from_dict({"title": "Final", "is_blocked": False})))
        self.assertEqual(self.asset_held(asset)["title"], "Final")

    @shows("A assets.list_all", "B get_assets")
    def test_lists(self):
        made = {self.asset(f"Rushes {number:02}") for number in range(12)}
        first = self.done(self.a.assets.list_all(params={"per_page": 5}))
        self.assertEqual((len(first.objects), first.page, first.per_page), (5, 1, 5))
        self.assertIn("page=2", first.next_url)
        self.assertTrue(first.next_url.startswith("/API/assets/v1/assets/"), first.next_url)
        pages = self.done(self.b.get_assets(per_page=5, page=1)).pages
        listed = [self.done(self.b.get_assets(per_page=5, page=page + 1)) for page in range(pages)]
        self.assertLessEqual(made, {str(asset.id) for page in listed for asset in page.objects})
        # Behind the last page there is no empty list but a 404.
        self.assertEqual(self.a.assets.list_all(params={"per_page": 5, "page": pages + 1}).response.status_code, 404)
        self.assertEqual(self.b.get_assets(per_page=5, page=pages + 1).status_code, 404)

    def test_an_unknown_asset_is_404_to_both(self):
        answer = self.a.assets.get(NOWHERE)
        self.assertEqual((answer.response.status_code, answer.data), (404, None))
        self.assertIn("errors", answer.response.json())
        self.assertEqual(self.b.get_asset(NOWHERE).status_code, 404)


class DeleteQueue(Story):
    def status(self, asset):
        return self.asset_held(asset)["status"]

    @shows("A assets.delete", "B put_asset_restore", "B delete_asset", "B delete_asset_purge")
    def test_into_the_recycle_bin_and_back(self):
        asset = self.asset()
        self.done(self.a.assets.delete(asset), 204)
        self.assertEqual(self.status(asset), "DELETED")
        self.done(self.b.put_asset_restore(asset), 204)
        self.assertEqual(self.status(asset), "ACTIVE")
        self.done(self.b.delete_asset(asset), 204)
        self.done(self.b.delete_asset_purge(asset), 204)
        self.read(f"assets/v1/assets/{asset}/", 404)

    @shows("B post_delete_queue_assets", "B get_delete_queue_assets", "B delete_delete_queue_assets",
           "B post_delete_queue_assets_purge")
    def test_several_at_once(self):
        kept, restored, purged = self.asset("Kept"), self.asset("Restored"), self.asset("Purged")
        both = DeleteQueueSchema.from_dict({"ids": [restored, purged]})
        self.done(self.b.post_delete_queue_assets(body=both), 204)
        queue = self.done(self.b.get_delete_queue_assets(per_page=100))
        waiting = {str(asset.id) for asset in queue.objects}
        self.assertTrue({restored, purged} <= waiting and kept not in waiting, waiting)
        # Restoring is a DELETE with a body.
        self.done(self.b.delete_delete_queue_assets(body=DeleteQueueSchema.from_dict({"ids": [restored]})), 204)
        self.done(self.b.post_delete_queue_assets_purge(body=DeleteQueueSchema.from_dict({"ids": [purged]})), 204)
        self.assertEqual((self.status(kept), self.status(restored)), ("ACTIVE", "ACTIVE"))
        self.read(f"assets/v1/assets/{purged}/", 404)

    @shows("B post_delete_queue_bulk")
    def test_a_bulk_says_whether_the_named_objects_go_too(self):
        campaign, inside = self.collection(), self.asset()
        self.tell("POST", f"assets/v1/collections/{campaign}/contents/",
                  {"object_id": inside, "object_type": "assets"}, 201)
        body = BulkDeleteSchema.from_dict({"object_ids": [campaign], "object_type": "collections"})
        self.done(self.b.post_delete_queue_bulk(body=body), 202)
        self.assertEqual(self.status(inside), "DELETED")
        self.assertEqual(self.read(f"assets/v1/collections/{campaign}/")["status"], "ACTIVE")
        lone = self.asset()
        body = BulkDeleteSchema.from_dict({"object_ids": [lone], "object_type": "assets", "content_only": False})
        self.done(self.b.post_delete_queue_bulk(body=body), 202)
        self.assertEqual(self.status(lone), "DELETED")

    @shows("A assets.bulk_delete", "A assets.permanently_delete")
    def test_permanently_empties_the_whole_bin(self):
        earlier, now, kept = self.asset(), self.asset(), self.asset()
        self.done(self.a.assets.delete(earlier), 204)
        body = BulkDelete(object_ids=[now], object_type="assets", content_only=False)
        self.done(self.a.assets.bulk_delete(body, exclude_defaults=False, permanently_delete=False), 202)
        self.assertEqual(self.status(now), "DELETED")
        self.done(self.a.assets.permanently_delete(), 204)
        for asset in (earlier, now):
            self.read(f"assets/v1/assets/{asset}/", 404)
        self.assertEqual(self.status(kept), "ACTIVE")


class Versions(Story):
    def numbers(self, asset):
        return {v["id"]: v["version_number"] for v in self.asset_held(asset)["versions"]}

    @shows("A assets.create_version", "B post_asset_versions")
    def test_a_further_version(self):
        asset = self.asset()
        first = self.version(asset)
        made = self.done(self.a.assets.create_version(asset, AssetVersionCreate(copy_metadata=False)))
        self.assertEqual((made.asset_id, len(made.versions)), (asset, 2))
        self.assertEqual({v.version_number for v in made.versions}, {1, 2})
        body = CreateAssetVersionSchema.from_dict({"copy_metadata": True, "source_version_id": first})
        again = self.done(self.b.post_asset_versions(asset, body=body))
        self.assertEqual(len(again.versions), 3)
        self.assertEqual(sorted(self.numbers(asset).values()), [1, 2, 3])

    @shows("A assets.update_version", "A assets.partial_update_version")
    def test_what_a_version_says_of_itself(self):
        asset = self.asset()
        made = self.done(self.a.assets.create_version(asset, AssetVersionCreate(copy_segments=False)))
        newest = max(made.versions, key=lambda v: v.version_number)
        for method, told in ((self.a.assets.partial_update_version, {"transcribe_status": "DONE"}),
                             (self.a.assets.update_version, {"transcribe_status": "DONE", "is_online": True})):
            answer = self.done(method(asset, newest.id, AssetVersion(**{**newest.model_dump(), **told})))
            self.assertEqual((answer.asset_id, len(answer.versions)), (asset, 2))
        held = next(v for v in self.asset_held(asset)["versions"] if v["id"] == newest.id)
        self.assertEqual((held["transcribe_status"], held["is_online"]), ("DONE", True))

    @shows("A assets.promote_version", "A assets.delete_old_versions")
    def test_an_older_version_becomes_the_current_one(self):
        asset = self.asset()
        first = self.version(asset)
        self.done(self.a.assets.create_version(asset, AssetVersionCreate(copy_metadata=False)))
        self.assertNotEqual(self.version(asset), first)
        answer = self.a.assets.promote_version(asset, first)
        self.assertIn(answer.response.status_code, (200, 204))
        self.assertEqual(self.version(asset), first)
        self.done(self.a.assets.delete_old_versions(asset), 204)
        self.assertEqual(list(self.numbers(asset)), [first])

    @shows("A assets.delete_version", "B delete_asset_version")
    def test_a_version_goes(self):
        asset = self.asset()
        for _ in range(2):
            self.done(self.a.assets.create_version(asset, AssetVersionCreate(copy_metadata=False)))
        newest, middle, oldest = sorted(self.numbers(asset), key=self.numbers(asset).get, reverse=True)
        self.done(self.a.assets.delete_version(asset, middle, hard_delete=True), 204)
        self.assertNotIn(middle, self.numbers(asset))
        self.done(self.b.delete_asset_version(asset, newest, hard_delete=True), 204)
        self.assertEqual(list(self.numbers(asset)), [oldest])

    @shows("A assets.create_version_from_asset")
    def test_another_asset_becomes_a_version(self):
        asset, source = self.asset("Trailer"), self.asset("Trailer, regraded")
        body = AssetVersionFromAssetCreate(copy_previous_version_segments=False)
        self.done(self.a.assets.create_version_from_asset(asset, source, body), 202)
        self.assertEqual(len(self.numbers(asset)), 2)


class Relations(Story):
    @shows("B post_asset_relations", "B get_asset_relations")
    def test_a_release_form_is_related_once(self):
        kind = {"name": "release-form", "source_label": "has release", "destination_label": "releases",
                "is_directional": True}
        self.tell("POST", "assets/v1/assets/relation_types/", kind, 201)
        trailer, release = self.asset("Trailer"), self.asset("Release of the actor", type="LINK")
        body = RelationSchema.from_dict({"related_to_asset_id": release, "relation_type": "release-form",
                                         "description": "signed"})
        made = self.done(self.b.post_asset_relations(trailer, body=body), 201)
        self.assertEqual((str(made.related_to_asset_id), made.relation_type), (release, "release-form"))
        # The same again makes no second one.
        self.done(self.b.post_asset_relations(trailer, body=body), 200)
        listed = self.done(self.b.get_asset_relations(trailer, per_page=10))
        self.assertEqual([str(asset.id) for asset in listed.objects], [release])
        held = self.read(f"assets/v1/assets/{trailer}/relations/")["objects"]
        self.assertEqual([r["description"] for r in held[0]["relations"]], ["signed"])


class History(Story):
    def entries(self, asset):
        listed = self.read(f"assets/v1/assets/{asset}/history/?per_page=100")["objects"]
        return [(e["operation_type"], e.get("operation_description")) for e in listed]

    @shows("A assets.create_history_entity", "A assets.list_asset_history_entities")
    def test_a_visible_trail(self):
        asset = self.asset()
        self.done(self.a.assets.create_history_entity(asset, "Filed as CS-4711", HistoryOperationType.EXPORT), 201)
        self.done(self.a.assets.create_history_entity(asset, "Retained until 2041", "CUSTOM"), 201)
        listed = self.done(self.a.assets.list_asset_history_entities(asset))
        self.assertLessEqual({"Filed as CS-4711", "Retained until 2041"},
                             {entry.get("operation_description") for entry in listed.objects})
        self.assertIn(("EXPORT", "Filed as CS-4711"), self.entries(asset))

    @shows("B post_asset_history", "B get_asset_history")
    def test_the_other_surface(self):
        asset = self.asset()
        body = AssetHistorySchema.from_dict({"operation_type": "CUSTOM", "operation_description": "Sign-off started"})
        made = self.done(self.b.post_asset_history(asset, body=body), 201)
        self.assertEqual((str(made.user_id), str(made.asset_id)), (ADMINISTRATOR[1], asset))
        listed = self.done(self.b.get_asset_history(asset, per_page=10))
        self.assertIn("Sign-off started", [entry.operation_description for entry in listed.objects])
        self.assertIn(("CUSTOM", "Sign-off started"), self.entries(asset))
