"""How bytes get into iconik: by parts into S3, resumably into GCS; proxies and keyframes."""

import re

from pythonik.files.models import MultipartUploadCleanupSchema
from pythonik.models.files.keyframe import Keyframe
from pythonik.models.files.proxy import Proxy

from harness import Story, send, shows

PART = 5 * 1024 * 1024


def complete(parts):
    listed = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>" for number, tag in parts)
    return f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()


def put(url, content, **headers):
    import urllib.request

    with urllib.request.urlopen(urllib.request.Request(url, content, headers, method="PUT"), timeout=30) as answer:
        return answer.headers.get("ETag")


class Proxies(Story):
    def proxy(self, asset, method):
        body = Proxy(name="proxy.mp4", filename="proxy.mp4", codec="h264", storage_id=self.storage_for(method),
                     storage_method=method)
        return self.done(self.a.files.create_asset_proxy(asset, body), 201)

    def storage_for(self, method):
        storages = self.read("files/v1/storages/?per_page=100")["objects"]
        return next(s["id"] for s in sorted(storages, key=lambda s: s["purpose"] != "PROXIES") if s["method"] == method)

    @shows("A files.create_asset_proxy", "A files.get_asset_proxies", "A files.get_asset_proxy",
           "A files.update_asset_proxy")
    def test_a_proxy(self):
        asset = self.asset()
        made = self.proxy(asset, "S3")
        told = Proxy(status="CLOSED", resolution={"width": 1920, "height": 1080}, frame_rate="25")
        self.done(self.a.files.update_asset_proxy(asset, made.id, told))
        read = self.done(self.a.files.get_asset_proxy(asset, made.id))
        self.assertEqual((read.status, read.resolution.width, read.codec), ("CLOSED", 1920, "h264"))
        self.assertEqual([p.id for p in self.done(self.a.files.get_asset_proxies(asset)).objects], [made.id])
        held = self.read(f"files/v1/assets/{asset}/proxies/{made.id}/")
        self.assertEqual((held["resolution"]["height"], held["version_id"]), (1080, self.version(asset)))

    @shows("A files.get_upload_id_for_proxy", "A files.get_s3_presigned_url", "A files.get_s3_complete_url")
    def test_by_parts_into_s3(self):
        asset = self.asset()
        made = self.proxy(asset, "S3")
        upload = self.done(self.a.files.get_upload_id_for_proxy(asset, made.id))
        self.assertTrue(upload)
        content, tags = b"a" * PART + b"the last part", []
        for number, part in ((1, content[:PART]), (2, content[PART:])):
            places = self.done(self.a.files.get_s3_presigned_url(asset, made.id, upload, number)).objects
            place = next(p for p in places if p.number == number)
            tags.append((number, put(place.url, part)))
        self.assertTrue(all(tag for _, tag in tags), tags)
        last = self.done(self.a.files.get_s3_complete_url(asset, made.id, upload))
        status, answer = send("POST", last, complete(tags))
        self.assertEqual(status, 200, answer)
        self.done(self.a.files.update_asset_proxy(asset, made.id, Proxy(status="CLOSED")))
        place = self.read(f"files/v1/assets/{asset}/proxies/{made.id}/download_url/")["url"]
        self.assertEqual(send("GET", place), (200, content))

    @shows("A files.get_upload_id_for_proxy")
    def test_resumably_into_gcs(self):
        asset = self.asset()
        made = self.proxy(asset, "GCS")
        answer = self.a.files.get_upload_id_for_proxy(asset, made.id)
        self.assertLess(answer.response.status_code, 300)
        self.assertEqual(answer.data, answer.response.headers["X-GUploader-UploadID"])
        put(answer.response.headers["Location"], b"picture")
        self.done(self.a.files.update_asset_proxy(asset, made.id, Proxy(status="CLOSED")))
        place = self.read(f"files/v1/assets/{asset}/proxies/{made.id}/download_url/")["url"]
        self.assertEqual(send("GET", place), (200, b"picture"))


class Keyframes(Story):
    def keyframe(self, asset):
        storages = self.read("files/v1/storages/?per_page=100")["objects"]
        storage = next(s["id"] for s in sorted(storages, key=lambda s: s["purpose"] != "KEYFRAMES") if s["method"] == "GCS")
        body = Keyframe(name="poster.jpg", filename="poster.jpg", type="POSTER", storage_id=storage, storage_method="GCS")
        return self.done(self.a.files.create_asset_keyframe(asset, body), 201)

    @shows("A files.create_asset_keyframe", "A files.get_asset_keyframe", "A files.get_asset_keyframes",
           "A files.partial_update_keyframe", "A files.update_keyframe", "A files.delete_asset_keyframe")
    def test_a_poster(self):
        asset = self.asset()
        made = self.keyframe(asset)
        self.done(self.a.files.partial_update_keyframe(asset, made.id, Keyframe(status="CLOSED", rotation=90)))
        read = self.done(self.a.files.get_asset_keyframe(asset, made.id))
        self.assertEqual((read.type, read.rotation, read.status), ("POSTER", 90, "CLOSED"))
        self.assertEqual([k.id for k in self.done(self.a.files.get_asset_keyframes(asset)).objects], [made.id])
        # This surface replaces a keyframe with POST.
        self.done(self.a.files.update_keyframe(asset, made.id, Keyframe(rotation=180, is_custom_keyframe=True)))
        held = self.read(f"files/v1/assets/{asset}/keyframes/{made.id}/")
        self.assertEqual((held["rotation"], held["is_custom_keyframe"], held["type"]), (180, True, "POSTER"))
        self.done(self.a.files.delete_asset_keyframe(asset, made.id), 204)
        self.read(f"files/v1/assets/{asset}/keyframes/{made.id}/", 404)

    @shows("A files.get_upload_id_for_keyframe")
    def test_its_picture(self):
        asset = self.asset()
        made = self.keyframe(asset)
        answer = self.a.files.get_upload_id_for_keyframe(made)
        self.assertIn(answer.response.status_code, (200, 201))
        upload = answer.data
        self.assertTrue(upload.upload_id)
        put(upload.location, b"picture")
        self.done(self.a.files.partial_update_keyframe(asset, made.id, Keyframe(status="CLOSED")))
        held = self.read(f"files/v1/assets/{asset}/keyframes/{made.id}/")
        self.assertEqual(send("GET", held["url"]), (200, b"picture"))


class Masters(Story):
    def open_file(self, asset):
        storage, format_id = self.storage(), self.format(asset)
        body = {"original_name": "master.mxf", "directory_path": "", "size": PART + 4, "type": "FILE", "status": "OPEN",
                "file_set_id": self.file_set(asset, format_id, storage), "format_id": format_id, "storage_id": storage}
        made = self.tell("POST", f"files/v1/assets/{asset}/files/", body, 201)
        status, answer = send("POST", made["multipart_upload_url"], b"")
        self.assertEqual(status, 200, answer)
        return made["id"], re.search(r"<UploadId>(.+?)</UploadId>", answer.decode())[1]

    @shows("B get_asset_file_multipart_url_part", "B get_asset_file_multipart_url")
    def test_by_parts(self):
        asset = self.asset()
        made, upload = self.open_file(asset)
        places = self.done(self.b.get_asset_file_multipart_url_part(asset, made, upload_id=upload, parts_num=2)).objects
        parts = {1: b"m" * PART, 2: b"last"}
        tags = [(number, put(next(p.url for p in places if p.number == number), part)) for number, part in parts.items()]
        last = self.done(self.b.get_asset_file_multipart_url(asset, made, upload_id=upload, type_="complete_url"))
        self.assertEqual(send("POST", last.complete_url, complete(tags))[0], 200)
        closed = self.tell("PATCH", f"files/v1/assets/{asset}/files/{made}/", {"status": "CLOSED"})
        self.assertEqual(closed["size"], PART + 4)
        place = self.read(f"files/v1/assets/{asset}/files/{made}/download_url/")["url"]
        self.assertEqual(send("GET", place), (200, parts[1] + parts[2]))

    @shows("B post_asset_file_multipart_cleanup")
    def test_given_up(self):
        asset = self.asset()
        made, upload = self.open_file(asset)
        body = MultipartUploadCleanupSchema.from_dict({"upload_id": upload, "abort_upload": True})
        self.done(self.b.post_asset_file_multipart_cleanup(asset, made, body=body))
        parts = self.done(self.b.get_asset_file_multipart_url_part(asset, made, upload_id=upload, parts_num=1))
        status, answer = send("PUT", parts.objects[0].url, b"too late")
        self.assertEqual(status, 404, answer)
