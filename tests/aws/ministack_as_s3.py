"""Runs ministack with the two things its release lacks that Waybill needs of S3. Remove each when a release has it.

A range of an object's version: asked for bytes of a version, ministack 1.5.33 answers with the whole object; S3 answers with
the bytes (206).

The checksum of a multipart upload: with CRC-64/NVME, S3 knows only that of the full object, and refuses the completion when
the caller names another. ministack takes a checksum of the parts' checksums.
"""

import base64
import contextvars
import sys

from ministack.app import main
from ministack.services import s3

whole = s3._get_object


def get_object(bucket, key, headers, query=None):
    status, answer, body = whole(bucket, key, headers, query)
    asked = headers.get("range")
    if not asked or status != 200:
        return status, answer, body
    span = s3._parse_range(asked, len(body))
    if span is None:
        content = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
        return 416, content, s3._xml_body(s3._range_error_xml(bucket, key))
    first, last = span
    # Checksums are those of the whole object: S3 leaves them out here.
    answer = {name: value for name, value in answer.items() if not name.lower().startswith("x-amz-checksum-")}
    answer["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    body = body[first : last + 1]
    answer["Content-Length"] = str(len(body))
    return 206, answer, body


POLYNOMIAL = 0x9A6C9329AC4BC9B5
of_parts = s3._composite_checksum
complete = s3._complete_multipart_upload
lengths = contextvars.ContextVar("lengths", default=())


def times(matrix, vector):
    """A matrix of bits, as a list of columns, times a vector."""
    total = 0
    for column in matrix:
        if vector & 1:
            total ^= column
        vector >>= 1
    return total


def combined(first, second, length):
    """The CRC of two pieces one after the other, from the CRC of each and the length of the second in bytes."""
    step = [POLYNOMIAL] + [1 << bit for bit in range(63)]  # one bit of zeros
    for _ in range(3):
        step = [times(step, column) for column in step]
    while length:
        if length & 1:
            first = times(step, first)
        step = [times(step, column) for column in step]
        length >>= 1
    return first ^ second


def checksum(algorithm, parts):
    if algorithm != "CRC64NVME" or not parts or not all(parts):
        return of_parts(algorithm, parts)
    total = 0
    for part, length in zip(parts, lengths.get()):
        total = combined(total, int.from_bytes(base64.b64decode(part), "big"), length)
    return base64.b64encode(total.to_bytes(8, "big")).decode()


def complete_multipart_upload(bucket, key, body, query, headers=None):
    upload = s3._multipart_uploads.get(s3._qp(query, "uploadId")) or {}
    parts = upload.get("parts", {})
    lengths.set([len(part["body"]) for _, part in sorted(parts.items())])
    status, answer, text = complete(bucket, key, body, query, headers)
    if status == 200 and upload.get("checksum_algorithm") == "CRC64NVME":
        text = text.replace(b">COMPOSITE<", b">FULL_OBJECT<")
        s3._buckets[bucket]["objects"][key]["checksum_type"] = "FULL_OBJECT"
    return status, answer, text


s3._get_object = get_object
s3._composite_checksum = checksum
s3._complete_multipart_upload = complete_multipart_upload

if __name__ == "__main__":
    sys.exit(main())
