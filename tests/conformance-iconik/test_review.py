"""Review: comments and their replies, approvals of a version, shares."""

from pythonik.assets.models import (
    ApprovalBySchema,
    ApprovalSchema,
    BulkCreateSegmentsSchema,
    BulkSetApprovalSchema,
    DeleteSegmentsSchema,
    EditSegmentSchema,
    SegmentSchema,
    ShareCreateSchema,
    ShareURLCreateSchema,
)
from pythonik.models.assets.segments import BulkDeleteSegmentsBody, SegmentBody

from harness import ADMINISTRATOR, SERVICE, Story, shows


class Comments(Story):
    def held(self, asset, segment):
        return self.read(f"assets/v1/assets/{asset}/segments/{segment}/")

    def texts(self, asset):
        listed = self.read(f"assets/v1/assets/{asset}/segments/?per_page=100")["objects"]
        return sorted(s["segment_text"] for s in listed)

    @shows("A assets.create_segment", "A assets.get_segments")
    def test_a_comment_and_its_reply(self):
        asset = self.asset()
        body = SegmentBody(segment_type="COMMENT", segment_text="Too dark", time_start_milliseconds=1200,
                           time_end_milliseconds=1300, external_id="cs-note-1")
        comment = self.done(self.a.assets.create_segment(asset, body), 201)
        # A comment need not lie anywhere in time.
        reply = SegmentBody(segment_type="COMMENT", segment_text="Brighter now", parent_id=comment.id)
        reply = self.done(self.a.assets.create_segment(asset, reply), 201)
        listed = self.done(self.a.assets.get_segments(asset, segment_type="COMMENT", include_users=True, per_page=10))
        found = {s.segment_text: s for s in listed.objects}
        self.assertEqual(set(found), {"Too dark", "Brighter now"})
        self.assertEqual((found["Brighter now"].parent_id, found["Too dark"].time_start_milliseconds), (comment.id, 1200))
        self.assertEqual((found["Too dark"].user_id, found["Too dark"].user_info.id), (ADMINISTRATOR[1], ADMINISTRATOR[1]))
        self.assertEqual(self.held(asset, comment.id)["external_id"], "cs-note-1")
        self.assertIsNone(self.held(asset, reply.id).get("time_start_milliseconds"))

    @shows("B post_asset_segments", "B get_asset_segments", "B get_asset_segment")
    def test_the_other_surface(self):
        asset = self.asset()
        body = SegmentSchema.from_dict({"segment_type": "COMMENT", "segment_text": "Logo is the old one", "is_internal": True})
        made = self.done(self.b.post_asset_segments(asset, body=body), 201)
        self.tell("POST", f"assets/v1/assets/{asset}/segments/", {"segment_type": "MARKER"}, 201)
        listed = self.done(self.b.get_asset_segments(asset, segment_type="COMMENT", per_page=10))
        self.assertEqual([s.segment_text for s in listed.objects], ["Logo is the old one"])
        read = self.done(self.b.get_asset_segment(asset, str(made.id)))
        self.assertEqual((read.segment_type.value, str(read.asset_id), read.is_internal), ("COMMENT", asset, True))
        self.assertEqual(str(read.version_id), self.version(asset))

    @shows("A assets.update_segment", "A assets.partial_update_segment", "B patch_asset_segment", "B put_asset_segment")
    def test_a_comment_is_answered_and_ticked_off(self):
        asset = self.asset()
        comment = self.comment(asset)
        body = SegmentBody(segment_type="COMMENT", segment_text="Still too dark")
        self.assertEqual(self.done(self.a.assets.update_segment(asset, comment, body)).segment_text, "Still too dark")
        ticked = self.done(self.a.assets.partial_update_segment(asset, comment, SegmentBody(segment_checked=True)))
        self.assertTrue(ticked.segment_checked)
        held = self.held(asset, comment)
        self.assertEqual((held["segment_text"], held["segment_checked"]), ("Still too dark", True))
        # This surface always sends the kind, also with a PATCH.
        body = EditSegmentSchema.from_dict({"segment_type": "COMMENT", "segment_checked": False})
        self.assertFalse(self.done(self.b.patch_asset_segment(asset, comment, body=body)).segment_checked)
        body = EditSegmentSchema.from_dict({"segment_type": "COMMENT", "segment_text": "Fine", "segment_checked": True})
        self.done(self.b.put_asset_segment(asset, comment, body=body))
        held = self.held(asset, comment)
        self.assertEqual((held["segment_text"], held["segment_checked"]), ("Fine", True))

    @shows("A assets.delete_segment", "B delete_asset_segment")
    def test_a_comment_goes(self):
        asset = self.asset()
        soft, hard, kept = (self.comment(asset, text) for text in ("soft", "hard", "kept"))
        self.done(self.a.assets.delete_segment(asset, soft), 204)
        self.done(self.b.delete_asset_segment(asset, hard, soft_delete=False), 204)
        self.assertEqual(self.texts(asset), ["kept"])
        self.read(f"assets/v1/assets/{asset}/segments/{hard}/", 404)
        self.assertEqual(self.held(asset, kept)["status"], "ACTIVE")

    @shows("A assets.bulk_delete_segments", "B post_asset_segments_bulk", "B delete_asset_segments_bulk")
    def test_many_at_once(self):
        asset = self.asset()
        markers = [{"segment_type": "MARKER", "segment_text": f"scene {n}"} for n in range(3)]
        comments = [{"segment_type": "COMMENT", "segment_text": f"note {n}"} for n in range(3)]
        body = BulkCreateSegmentsSchema.from_dict({"objects": markers + comments})
        self.done(self.b.post_asset_segments_bulk(asset, body=body), 201)
        self.assertEqual(len(self.texts(asset)), 6)
        self.done(self.a.assets.bulk_delete_segments(asset, BulkDeleteSegmentsBody(segment_type="MARKER")), 204)
        self.assertEqual(self.texts(asset), ["note 0", "note 1", "note 2"])
        listed = self.read(f"assets/v1/assets/{asset}/segments/")["objects"]
        first = next(s["id"] for s in listed if s["segment_text"] == "note 0")
        body = DeleteSegmentsSchema.from_dict({"segment_ids": [first]})
        self.done(self.b.delete_asset_segments_bulk(asset, body=body, immediately=True), 204)
        self.assertEqual(self.texts(asset), ["note 1", "note 2"])

    @shows("B get_asset_segments_srt", "B get_asset_segments_vtt")
    def test_a_transcript_as_subtitles(self):
        asset = self.asset()
        for start, text in ((0, "Autumn is here."), (2500, "And so are we.")):
            self.comment(asset, text, segment_type="TRANSCRIPTION", time_start_milliseconds=start,
                         time_end_milliseconds=start + 2000)
        srt = self.done(self.b.get_asset_segments_srt(asset, segment_type="TRANSCRIPTION"))
        self.assertIn("00:00:02,500 --> 00:00:04,500", srt)
        self.assertIn("Autumn is here.", srt)
        vtt = self.done(self.b.get_asset_segments_vtt(asset, segment_type="TRANSCRIPTION"))
        self.assertTrue(vtt.startswith("WEBVTT"), vtt[:20])
        self.assertIn("00:00:02.500 --> 00:00:04.500", vtt)


class Approvals(Story):
    def request(self, asset, *users, **more):
        body = ApprovalSchema.from_dict({"users": list(users or (ADMINISTRATOR[1],)), **more})
        return self.done(self.b.post_object_approvals_request("assets", asset, body=body), 201)

    def held(self, asset):
        return self.read(f"assets/v1/assets/{asset}/approvals/request/")

    @shows("B post_object_approvals_request", "B get_object_approvals_request", "B put_object_approvals",
           "B get_object_approvals", "B get_object_version_approvals")
    def test_one_reviewer_approves(self):
        asset = self.asset()
        version = self.version(asset)
        self.assertEqual(self.b.get_object_approvals_request("assets", asset).status_code, 404)
        asked = self.request(asset)
        self.assertEqual((asked.status.value, str(asked.version_id)), ("REQUESTED", version))
        self.assertEqual(str(asked.requested_by), ADMINISTRATOR[1])
        body = ApprovalBySchema.from_dict({"status": "APPROVED"})
        verdict = self.done(self.b.put_object_approvals("assets", asset, body=body))
        self.assertEqual((verdict.status.value, str(verdict.user)), ("APPROVED", ADMINISTRATOR[1]))
        read = self.done(self.b.get_object_approvals_request("assets", asset))
        self.assertEqual(read.status.value, "APPROVED")
        for listed in (self.b.get_object_approvals("assets", asset),
                       self.b.get_object_version_approvals("assets", asset, version)):
            self.assertEqual([(str(a.user), a.status.value) for a in self.done(listed).objects],
                             [(ADMINISTRATOR[1], "APPROVED")])
        self.assertEqual(self.held(asset)["status"], "APPROVED")

    @shows("B put_object_approvals")
    def test_two_reviewers_disagree(self):
        asset = self.asset()
        self.request(asset, ADMINISTRATOR[1], SERVICE[1], min_number=2)
        colleague = self.log_in(SERVICE[0])
        self.done(self.b.put_object_approvals("assets", asset, body=ApprovalBySchema.from_dict({"status": "APPROVED"})))
        self.assertEqual(self.held(asset)["status"], "REQUESTED")
        body = ApprovalBySchema.from_dict({"status": "NOT_APPROVED"})
        self.done(colleague.put_object_approvals("assets", asset, body=body))
        self.assertEqual(self.held(asset)["status"], "MIXED")

    @shows("B patch_object_approvals_request", "B put_object_approvals_request", "B delete_object_approvals_request")
    def test_a_request_is_changed_and_withdrawn(self):
        asset = self.asset()
        self.request(asset)
        body = ApprovalSchema.from_dict({"users": [ADMINISTRATOR[1], SERVICE[1]], "min_number": 2})
        changed = self.done(self.b.patch_object_approvals_request("assets", asset, body=body))
        self.assertEqual((changed.min_number, len(changed.users)), (2, 2))
        body = ApprovalSchema.from_dict({"users": [SERVICE[1]], "min_number": 1})
        self.done(self.b.put_object_approvals_request("assets", asset, body=body))
        self.assertEqual((self.held(asset)["users"], self.held(asset)["min_number"]), ([SERVICE[1]], 1))
        self.assertIn(self.b.delete_object_approvals_request("assets", asset).status_code, (200, 204))
        self.read(f"assets/v1/assets/{asset}/approvals/request/", 404)

    @shows("B post_approvals_bulk", "B get_object_approvals_request")
    def test_a_new_version_is_not_approved_yet(self):
        first, second = self.asset(), self.asset("Poster")
        body = BulkSetApprovalSchema.from_dict(
            {"object_ids": [first, second], "object_type": "assets", "status": "APPROVED"})
        self.request(first), self.request(second)
        self.done(self.b.post_approvals_bulk(body=body))
        self.assertEqual([self.held(asset)["status"] for asset in (first, second)], ["APPROVED", "APPROVED"])
        self.tell("POST", f"assets/v1/assets/{first}/versions/", {"copy_metadata": True})
        self.assertEqual(self.b.get_object_approvals_request("assets", first).status_code, 404)


class Shares(Story):
    RIGHTS = {"allow_download": False, "allow_comments": True, "allow_approving_comments": False,
              "allow_setting_approve_status": True}

    @shows("B post_object_shares", "B get_object_share", "B post_object_shares_url")
    def test_a_share_for_people_outside(self):
        asset = self.asset()
        body = ShareCreateSchema.from_dict({"emails": ["agency@example.com"], "title": "For the agency", **self.RIGHTS})
        made = self.done(self.b.post_object_shares("assets", asset, body=body), 202)
        # The address is made in the background.
        self.assertFalse(made.url)
        read = self.done(self.b.get_object_share("assets", asset, made.id))
        self.assertEqual((read.title, read.allow_setting_approve_status, read.allow_download), ("For the agency", True, False))
        link = self.done(self.b.post_object_shares_url("assets", asset, body=ShareURLCreateSchema.from_dict(self.RIGHTS)))
        self.assertTrue(link.url.startswith("http"), link.url)
        held = self.read(f"assets/v1/assets/{asset}/shares/{made.id}/")
        self.assertEqual((held["object_id"], held["allow_comments"]), (asset, True))
