//! Moves content from any source to any sink in bounded memory, and knows that what arrived is what left.
//!
//! SHA-256 is the hash of record, CRC64-NVME the second witness. Sources are opened anew for every attempt and are
//! pinned to one version of one object. No content is held whole, but a small one whose reader sets how small.
//!
//! | what S3 offers | is used as |
//! |---|---|
//! | `x-amz-checksum-sha256`, `-crc64nvme` of a full object | proof, compared while the object is read |
//! | a composite checksum of parts | nothing: it is not the hash of the file |
//! | an `ETag` | a version mark for `If-Match`, never a hash |

mod digest;
mod multipart;
mod resumable_hash;
mod s3_copy;
mod s3_object;
mod s3_upload;
mod sequential;
mod target;
mod witness;

pub use digest::{Digests, Hasher, HasherState, crc64_in_a_row};
pub use multipart::until_stop_if;
pub use resumable_hash::{Ranges, hash_resumable};
pub use s3_copy::{Copied, CopySizes, CopyTarget, ObjectLock, copy, copy_resumable};
pub use s3_object::{ContentHeaders, S3Object};
pub use s3_upload::{RangedSource, UploadSizes, UploadTarget, Uploaded, abandon, upload};
pub use sequential::from_start;
pub use target::Progress;
pub use witness::{Witness, hash_body, hash_body_on};
