"""Collections and what is in them."""

from pythonik.assets.models import CollectionContentSchema, CollectionInputSchema
from pythonik.models.assets.collections import Collection, Content

from harness import NOWHERE, Story, shows


class Collections(Story):
    def contents(self, collection):
        listed = self.read(f"assets/v1/collections/{collection}/contents/?per_page=100")["objects"]
        return [(o["object_type"], o["id"]) for o in listed]

    @shows("A collections.create", "A collections.get")
    def test_a_made_collection_is_there(self):
        made = self.done(self.a.collections.create(Collection(title="Autumn", external_id="C-1")), 201)
        read = self.done(self.a.collections.get(made.id))
        self.assertEqual((read.title, read.external_id, read.status, read.is_root), ("Autumn", "C-1", "ACTIVE", True))
        self.assertEqual(self.read(f"assets/v1/collections/{made.id}/")["title"], "Autumn")
        self.assertEqual(self.a.collections.get(NOWHERE).response.status_code, 404)

    @shows("B post_collections", "B get_collection", "B get_collections", "B patch_collection")
    def test_the_other_surface_makes_one_inside_another(self):
        above = self.collection("Campaigns")
        body = CollectionInputSchema.from_dict({"title": "Autumn", "parent_id": above})
        made = self.done(self.b.post_collections(body=body), 201)
        read = self.done(self.b.get_collection(str(made.id)))
        self.assertEqual((read.title, str(read.parent_id), read.is_root), ("Autumn", above, False))
        self.assertEqual(self.contents(above), [("collections", str(made.id))])
        listed = self.done(self.b.get_collections(per_page=100))
        self.assertLessEqual({"Campaigns", "Autumn"}, set(self.titles(listed.objects)))
        self.done(self.b.patch_collection(str(made.id), body=CollectionInputSchema.from_dict({"title": "Winter"})))
        self.assertEqual(self.read(f"assets/v1/collections/{made.id}/")["title"], "Winter")

    @shows("A collections.add_content", "A collections.get_contents", "A collections.get_info",
           "B post_collection_contents", "B get_collection_contents", "B get_collection_content_info",
           "B delete_collection_contents_object")
    def test_contents(self):
        campaign, inner, trailer, poster = self.collection(), self.collection("Cuts"), self.asset(), self.asset("Poster")
        self.done(self.a.collections.add_content(campaign, Content(object_id=trailer, object_type="assets")), 201)
        for kind, member in (("assets", poster), ("collections", inner)):
            body = CollectionContentSchema.from_dict({"object_id": member, "object_type": kind})
            self.done(self.b.post_collection_contents(campaign, body=body), 201)
        self.assertEqual(sorted(self.contents(campaign)),
                         sorted([("assets", trailer), ("assets", poster), ("collections", inner)]))
        self.assertEqual(self.asset_held(trailer)["in_collections"], [campaign])

        read = self.done(self.a.collections.get_contents(campaign))
        self.assertEqual((len(read.objects), read.total, read.pages), (3, 3, 1))
        assets = self.done(self.b.get_collection_contents(campaign, object_types="assets", per_page=1, page=2))
        self.assertEqual((assets.total, assets.pages, len(assets.objects)), (2, 2, 1))
        info = self.done(self.a.collections.get_info(campaign))
        self.assertEqual((info.assets_count, info.collections_count), (2, 1))
        self.assertEqual(self.done(self.b.get_collection_content_info(campaign)).assets_count, 2)

        self.done(self.b.delete_collection_contents_object(campaign, "assets", poster), 204)
        self.assertNotIn(("assets", poster), self.contents(campaign))
        # Taken out is not deleted.
        self.assertEqual(self.asset_held(poster)["status"], "ACTIVE")

    @shows("A collections.get_contents", "B get_collection_contents")
    def test_behind_the_last_page_is_404(self):
        campaign = self.collection()
        for number in range(3):
            body = Content(object_id=self.asset(f"Cut {number}"), object_type="assets")
            self.done(self.a.collections.add_content(campaign, body), 201)
        pages = []
        for page in (1, 2, 3):
            answer = self.a.collections.get_contents(campaign, params={"per_page": 2, "page": page})
            pages.append((answer.response.status_code, len(answer.data.objects) if answer.data else None))
        self.assertEqual(pages, [(200, 2), (200, 1), (404, None)])
        self.assertEqual(self.b.get_collection_contents(campaign, per_page=2, page=3).status_code, 404)

    @shows("A collections.delete", "B delete_collection")
    def test_deleting(self):
        for delete in (self.a.collections.delete, self.b.delete_collection):
            campaign = self.collection()
            self.done(delete(campaign), 202)
            self.assertEqual(self.read(f"assets/v1/collections/{campaign}/")["status"], "DELETED")
