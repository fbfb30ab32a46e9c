"""Fields, views and values."""

from pythonik.metadata.models import (
    CreateMetadataValuesBatchSchema,
    MetadataFieldCreateSchema,
    MetadataValuesBatchSchema,
    MetadataValuesSchema,
    MetadataViewCreateSchema,
)
from pythonik.models.metadata.fields import FieldCreate, FieldOption, FieldUpdate
from pythonik.models.metadata.views import CreateViewRequest, UpdateViewRequest, ViewField, ViewMetadata
from pythonik.models.mutation.metadata.mutate import UpdateMetadata

from harness import NOWHERE, SERVICE, Story, shows


def values(**fields):
    """`values(Sales_region="EMEA", Sales_tags=["a", "b"])` as both surfaces send it."""
    listed = {name: value if isinstance(value, list) else [value] for name, value in fields.items()}
    return {"metadata_values": {name: {"field_values": [{"value": v} for v in held]} for name, held in listed.items()}}


def plain(answer):
    """The values of an answer without their wrapping."""
    if hasattr(answer, "to_dict"):
        answer = answer.to_dict()
    elif hasattr(answer, "model_dump"):
        answer = answer.model_dump()
    held = answer["metadata_values"].items()
    return {name: [v["value"] for v in field.get("field_values") or []] for name, field in held}


class Definitions(Story):
    @shows("A metadata.create_field", "A metadata.get_field", "A metadata.update_field", "A metadata.delete_field")
    def test_a_field(self):
        options = [FieldOption(label="Europe", value="EMEA"), FieldOption(label="Asia", value="APAC")]
        body = FieldCreate(name="Sales_region", label="Region", field_type="drop_down", options=options, sortable=True)
        made = self.done(self.a.metadata.create_field(body), 201)
        self.assertEqual((made.name, made.field_type, len(made.options)), ("Sales_region", "drop_down", 2))
        read = self.done(self.a.metadata.get_field("Sales_region"))
        self.assertEqual((read.label, read.options[1].value), ("Region", "APAC"))
        self.done(self.a.metadata.update_field("Sales_region", FieldUpdate(label="Sales region", field_type="drop_down")))
        self.assertEqual(self.read("metadata/v1/fields/Sales_region/")["label"], "Sales region")
        self.done(self.a.metadata.delete_field("Sales_region"), 204)
        self.assertEqual(self.a.metadata.get_field("Sales_region").response.status_code, 404)

    @shows("A metadata.create_field")
    def test_every_kind_of_field(self):
        kinds = ("integer float boolean string string_exact text date datetime tag_cloud url drop_down email").split()
        for kind in kinds:
            with self.subTest(kind):
                body = FieldCreate(name=f"Kind_{kind}", label=kind, field_type=kind)
                self.assertEqual(self.done(self.a.metadata.create_field(body), 201).field_type, kind)
        refused = self.a.metadata.create_field({"name": "Kind_colour", "label": "colour", "field_type": "colour"})
        self.assertEqual(refused.response.status_code, 400)

    @shows("A metadata.list_fields", "B get_fields_metadata", "B post_fields_metadata",
           "B get_fields_metadata_by_field_name")
    def test_fields_are_paged_by_the_last_name(self):
        body = MetadataFieldCreateSchema.from_dict({"name": "Aa_campaign", "label": "Campaign", "field_type": "string"})
        self.done(self.b.post_fields_metadata(body=body), 201)
        self.field("Aa_market")
        some = self.done(self.a.metadata.list_fields(filter="Aa_campaign,Aa_market"))
        self.assertEqual({f.name for f in some.objects}, {"Aa_campaign", "Aa_market"})
        seen, page = [], [None]
        while page and len(seen) < 1000:
            last = seen[-1] if seen else None
            page = self.done(self.a.metadata.list_fields(per_page=2, last_field_name=last)).objects
            seen += [field.name for field in page]
        self.assertEqual(len(seen), len(set(seen)))
        everything = self.done(self.b.get_fields_metadata())
        self.assertEqual({f.name for f in everything.objects}, set(seen))
        self.assertEqual(self.done(self.b.get_fields_metadata_by_field_name("Aa_market")).label, "Aa market")

    @shows("A metadata.create_view", "A metadata.get_view", "A metadata.get_views", "A metadata.update_view",
           "A metadata.replace_view", "A metadata.delete_view")
    def test_a_view(self):
        self.field("Sales_region"), self.field("Sales_market")
        body = CreateViewRequest(name="Clearance", view_fields=[ViewField(name="Sales_region", required=True)])
        made = self.done(self.a.metadata.create_view(body), 201)
        merged = self.done(self.a.metadata.get_view(made.id, merge_fields=True))
        self.assertEqual([(f.name, f.label, f.required, f.field_type) for f in merged.view_fields],
                         [("Sales_region", "Sales region", True, "string")])
        self.assertIn("Clearance", [view.name for view in self.done(self.a.metadata.get_views()).objects])
        self.done(self.a.metadata.update_view(made.id, UpdateViewRequest(description="Rights")))
        body = CreateViewRequest(name="Clearance 2", view_fields=[ViewField(name="Sales_market"), ViewField(name="__separator__"),
                                                                   ViewField(name="Sales_region")])
        self.done(self.a.metadata.replace_view(made.id, body))
        held = self.read(f"metadata/v1/views/{made.id}/")
        self.assertEqual((held["name"], [f["name"] for f in held["view_fields"]]), ("Clearance 2", ["Sales_market", "__separator__", "Sales_region"]))
        self.done(self.a.metadata.delete_view(made.id), 204)
        self.read(f"metadata/v1/views/{made.id}/", 404)

    @shows("B post_views_metadata", "B get_views_metadata", "B get_view_metadata")
    def test_a_view_by_the_other_surface(self):
        # It cannot read a view with a separator, a field without a kind; the first surface can.
        self.field("Sales_region")
        body = MetadataViewCreateSchema.from_dict({"name": "Clearance", "view_fields": [{"name": "Sales_region"}]})
        made = self.done(self.b.post_views_metadata(body=body), 201)
        self.assertIn("Clearance", [view.name for view in self.done(self.b.get_views_metadata()).objects])
        read = self.done(self.b.get_view_metadata(str(made.id), merge_fields=True))
        self.assertEqual([(field.name, field.field_type) for field in read.view_fields], [("Sales_region", "string")])


class Values(Story):
    def setUp(self):
        super().setUp()
        self.field("Sales_region"), self.field("Sales_market"), self.field("Sales_tags", "tag_cloud", multi=True)
        self.clearance = self.view("Sales_region", "Sales_market", "Sales_tags")
        self.trailer = self.asset()

    def held(self, path=None, status=200):
        answer = self.read(f"metadata/v1/{path or f'assets/{self.trailer}'}/views/{self.clearance}/", status)
        return plain(answer) if status == 200 else None

    @shows("A metadata.update_asset_metadata", "A metadata.get_asset_metadata")
    def test_what_one_writes_is_there(self):
        body = UpdateMetadata.model_validate(values(Sales_region="EMEA", Sales_tags=["night", "rain"]))
        written = self.done(self.a.metadata.update_asset_metadata(self.trailer, self.clearance, body))
        self.assertEqual((written.object_id, written.object_type), (self.trailer, "assets"))
        read = self.done(self.a.metadata.get_asset_metadata(self.trailer, self.clearance))
        self.assertEqual({k: v for k, v in plain(read).items() if v}, {"Sales_region": ["EMEA"], "Sales_tags": ["night", "rain"]})
        self.assertEqual(self.held()["Sales_tags"], ["night", "rain"])

    @shows("B put_object_metadata", "B get_object_metadata")
    def test_fields_that_are_not_named_stay(self):
        self.done(self.b.put_object_metadata("assets", self.trailer, self.clearance,
                                             body=MetadataValuesSchema.from_dict(values(Sales_region="EMEA", Sales_market="DE"))))
        body = MetadataValuesSchema.from_dict(values(Sales_market="FR"))
        self.done(self.b.put_object_metadata("assets", self.trailer, self.clearance, body=body, ignore_unchanged=True))
        read = self.done(self.b.get_object_metadata("assets", self.trailer, self.clearance))
        self.assertEqual((plain(read)["Sales_region"], plain(read)["Sales_market"]), (["EMEA"], ["FR"]))
        # An empty list clears.
        self.done(self.b.put_object_metadata("assets", self.trailer, self.clearance,
                                             body=MetadataValuesSchema.from_dict(values(Sales_region=[]))))
        self.assertEqual((self.held().get("Sales_region", []), self.held()["Sales_market"]), ([], ["FR"]))

    @shows("B put_object_metadata")
    def test_values_are_added_and_taken_away(self):
        def write(mode, *tags):
            body = values(Sales_tags=list(tags))
            body["metadata_values"]["Sales_tags"]["mode"] = mode
            body = MetadataValuesSchema.from_dict(body)
            self.done(self.b.put_object_metadata("assets", self.trailer, self.clearance, body=body))

        write("overwrite", "night")
        write("append", "rain")
        self.assertEqual(self.held()["Sales_tags"], ["night", "rain"])
        write("delete", "night")
        self.assertEqual(self.held()["Sales_tags"], ["rain"])

    @shows("A metadata.get_asset_metadata", "B get_object_metadata")
    def test_no_values_yet_is_404_and_not_a_missing_asset(self):
        answer = self.a.metadata.get_asset_metadata(self.trailer, self.clearance)
        self.assertEqual((answer.response.status_code, answer.data), (404, None))
        empty = ViewMetadata(metadata_values=None)
        answer = self.a.metadata.get_asset_metadata(self.trailer, self.clearance, intercept_404=empty)
        self.assertIs(answer.data, empty)
        self.assertEqual(self.b.get_object_metadata("assets", self.trailer, self.clearance).status_code, 404)

    @shows("A metadata.get_collection_metadata", "A metadata.get_object_metadata", "B put_object_metadata")
    def test_collections_have_values_too(self):
        campaign = self.collection()
        body = MetadataValuesSchema.from_dict(values(Sales_region="APAC"))
        self.done(self.b.put_object_metadata("collections", campaign, self.clearance, body=body))
        read = self.done(self.a.metadata.get_collection_metadata(campaign, self.clearance))
        self.assertEqual(plain(read)["Sales_region"], ["APAC"])
        read = self.done(self.a.metadata.get_object_metadata("collections", campaign, self.clearance))
        self.assertEqual(read.object_id, campaign)
        self.assertEqual(self.held(f"collections/{campaign}")["Sales_region"], ["APAC"])

    @shows("A metadata.put_segment_metadata", "A metadata.get_segment_metadata")
    def test_and_comments(self):
        comment = self.comment(self.trailer)
        body = UpdateMetadata.model_validate(values(Sales_market="DE"))
        self.done(self.a.metadata.put_segment_metadata(self.trailer, comment, self.clearance, body))
        read = self.done(self.a.metadata.get_segment_metadata(comment, self.clearance))
        self.assertEqual(plain(read)["Sales_market"], ["DE"])
        self.assertEqual(self.held(f"assets/{self.trailer}/segments/{comment}")["Sales_market"], ["DE"])

    @shows("A metadata.put_metadata_direct", "A metadata.get_asset_metadata_direct",
           "A metadata.get_object_metadata_direct", "A metadata.get_collection_metadata_direct",
           "A metadata.get_segment_metadata_direct")
    def test_without_a_view(self):
        campaign, comment = self.collection(), self.comment(self.trailer)
        read = {
            "assets": (self.trailer, self.a.metadata.get_asset_metadata_direct),
            "collections": (campaign, self.a.metadata.get_collection_metadata_direct),
            "segments": (comment, self.a.metadata.get_segment_metadata_direct),
        }
        for kind, (held, get) in read.items():
            with self.subTest(kind):
                body = UpdateMetadata.model_validate(values(Sales_region=kind))
                self.done(self.a.metadata.put_metadata_direct(kind, held, body))
                self.assertEqual(plain(self.done(get(held)))["Sales_region"], [kind])
                self.assertEqual(plain(self.done(self.a.metadata.get_object_metadata_direct(kind, held)))["Sales_region"], [kind])
                self.assertEqual(self.read(f"metadata/v1/{kind}/{held}/")["Sales_region"]["values"], [{"value": kind}])

    @shows("B put_object_metadata_direct", "B get_object_metadata_direct")
    def test_without_a_view_by_the_other_surface(self):
        body = MetadataValuesSchema.from_dict(values(Sales_region="EMEA"))
        self.done(self.b.put_object_metadata_direct("assets", self.trailer, body=body))
        # Another form than with a view: fields at the top, values under "values".
        read = self.done(self.b.get_object_metadata_direct("assets", self.trailer)).to_dict()
        self.assertEqual(read["Sales_region"]["values"], [{"value": "EMEA"}])
        self.assertEqual(self.held()["Sales_region"], ["EMEA"])

    @shows("B get_object_metadata_direct")
    def test_only_administrators_pass_by_the_views(self):
        service = self.log_in(SERVICE[0])
        self.assertEqual(service.get_object_metadata_direct("assets", self.trailer).status_code, 403)

    @shows("B put_object_metadata_bulk", "B post_object_view_metadata")
    def test_many_objects_at_once(self):
        poster = self.asset("Poster")
        body = MetadataValuesBatchSchema.from_dict({"object_ids": [self.trailer, poster], **values(Sales_region="EMEA")})
        self.done(self.b.put_object_metadata_bulk("assets", self.clearance, body=body), 202)
        self.assertEqual([self.held()["Sales_region"], self.held(f"assets/{poster}")["Sales_region"]], [["EMEA"], ["EMEA"]])
        each = [{"id": self.trailer, **values(Sales_market="DE")}, {"id": poster, **values(Sales_market="FR")}]
        body = CreateMetadataValuesBatchSchema.from_dict(
            {"object_ids": [self.trailer, poster], "metadata_values_object_id_mapping": each})
        self.done(self.b.post_object_view_metadata("assets", self.clearance, body=body), 202)
        self.assertEqual([self.held()["Sales_market"], self.held(f"assets/{poster}")["Sales_market"]], [["DE"], ["FR"]])

    @shows("B get_asset_version_view_metadata")
    def test_of_one_version(self):
        self.tell("PUT", f"metadata/v1/assets/{self.trailer}/views/{self.clearance}/", values(Sales_region="EMEA"))
        version = self.version(self.trailer)
        read = self.done(self.b.get_asset_version_view_metadata(self.trailer, version, self.clearance))
        self.assertEqual((plain(read)["Sales_region"], str(read.version_id)), (["EMEA"], version))

    def test_values_against_the_rules_are_refused(self):
        self.field("Grade", "integer", min_value=1, max_value=5)
        self.field("Usage", "drop_down", options=[{"label": "Web", "value": "web"}])
        strict = self.view("Grade", "Usage", name="Strict")
        for wrong in ({"Grade": 9}, {"Grade": "nine"}, {"Usage": "cinema"}):
            with self.subTest(wrong):
                body = UpdateMetadata.model_validate(values(**wrong))
                answer = self.a.metadata.update_asset_metadata(self.trailer, strict, body)
                self.assertEqual(answer.response.status_code, 400, answer.response.text)
                body = MetadataValuesSchema.from_dict(values(**wrong))
                self.assertEqual(self.b.put_object_metadata("assets", self.trailer, strict, body=body).status_code, 400)
        self.read(f"metadata/v1/assets/{self.trailer}/views/{strict}/", 404)
        body = MetadataValuesSchema.from_dict(values(Sales_region="EMEA"))
        self.assertEqual(self.b.put_object_metadata("assets", self.trailer, NOWHERE, body=body).status_code, 404)
