//! Storages and the files of the production: several files in one format, an image sequence, files that grow, a storage
//! that gives no addresses, a version for each cut.

use serde_json::{Value, json};

use super::EDITOR;
use crate::content::Blob;
use crate::iconik::state::media::{Kind, map, text};
use crate::iconik::state::{Outcome, State};

/// The bucket of originals, at S3: the default for files.
pub const ORIGINALS: &str = "5f0c8f30-7a51-11f0-b001-0242ac120002";
/// A bucket at Google.
pub const GOOGLE: &str = "5f0c8f30-7a51-11f0-b002-0242ac120002";
/// A bucket at Backblaze.
pub const BACKBLAZE: &str = "5f0c8f30-7a51-11f0-b003-0242ac120002";
/// A container at Azure.
pub const AZURE: &str = "5f0c8f30-7a51-11f0-b004-0242ac120002";
/// A file server behind a gateway: it gives no addresses.
pub const STUDIO: &str = "5f0c8f30-7a51-11f0-b005-0242ac120002";
/// The bucket of proxies.
pub const PROXIES: &str = "5f0c8f30-7a51-11f0-b006-0242ac120002";
/// The bucket of keyframes.
pub const KEYFRAMES: &str = "5f0c8f30-7a51-11f0-b007-0242ac120002";
/// The archive.
pub const ARCHIVE: &str = "5f0c8f30-7a51-11f0-b008-0242ac120002";
/// The bucket of exports.
pub const EXPORTS: &str = "5f0c8f30-7a51-11f0-b009-0242ac120002";

/// A master of picture and sound in separate files, in three versions.
pub const MASTER: &str = "Harbour Lights 60s master";
/// A cut-down in two versions.
pub const SHORT: &str = "Harbour Lights 30s";
/// A sequence of images.
pub const SEQUENCE: &str = "Opening shot (image sequence)";
/// Raw footage at Backblaze.
pub const DAWN: &str = "Harbour at dawn";
/// Footage that is still being recorded.
pub const INTERVIEW: &str = "Harbour master: interview & b-roll";
/// A project of an editing program.
pub const EDIT: &str = "Harbour Lights edit";
/// A key visual.
pub const VISUAL: &str = "Key visual (Søndre pier) – ヨコハマ version";
/// A news report whose original lies on the file server.
pub const NEWS: &str = "Ferry terminal opens";
/// A film for patients.
pub const HEALTHCARE: &str = "Using the inhaler";

/// Frames of the sequence.
pub const FRAMES: usize = 48;

/// The id of the asset with this title.
pub(super) fn titled(state: &State, title: &str) -> Option<String> {
    let found = state.assets.objects().find(|asset| text(asset, "title") == title)?;
    Some(text(found, "id").to_owned())
}

pub(super) fn storages(state: &mut State) -> Outcome<()> {
    let bucket = |name: &str| {
        json!({
            "bucket": name, "endpoint": null, "path": "", "region": "eu-central-1", "read": true, "write": true,
            "delete": true, "scan": false,
        })
    };
    let studio = json!({
        "mount_point": "/Volumes/Studio", "gateway_url": "https://gateway.studio.example:8443/isg", "read": true,
        "write": true, "delete": false, "scan": true, "path": "studio",
    });
    for (id, name, method, purpose, default, settings) in [
        (ORIGINALS, "Originals", "S3", "FILES", true, bucket("production-originals")),
        (GOOGLE, "Originals at Google", "GCS", "FILES", false, bucket("production-google")),
        (BACKBLAZE, "Rushes", "B2", "FILES", false, bucket("production-rushes")),
        (AZURE, "Partner container", "AZURE", "FILES", false, bucket("partner")),
        (STUDIO, "Studio file server", "FILE", "FILES", false, studio),
        (PROXIES, "Proxies", "S3", "PROXIES", true, bucket("production-proxies")),
        (KEYFRAMES, "Keyframes", "GCS", "KEYFRAMES", true, bucket("production-keyframes")),
        (ARCHIVE, "Deep archive", "S3", "ARCHIVE", true, bucket("production-archive")),
        (EXPORTS, "Exports", "S3", "EXPORTS", true, bucket("production-exports")),
    ] {
        state.create_storage(map(json!({
            "id": id, "name": name, "method": method, "purpose": purpose, "default": default, "settings": settings,
        })))?;
    }
    Ok(())
}

/// Bytes that begin like a file of this name's type and are nobody else's.
fn content(name: &str, size: usize) -> Blob {
    let begin: &[u8] = match name.rsplit('.').next().unwrap_or_default() {
        "mov" => b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
        "mp4" => b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        "mxf" => b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02\x04\0",
        "wav" => b"RIFF\0\0\0\0WAVEfmt ",
        "dpx" => b"SDPX\0\0\x08\0V2.0\0\0\0\0",
        "tif" => b"MM\0\x2a\0\0\0\x08",
        "pdf" => b"%PDF-1.7\n",
        "aaf" => b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "prproj" => b"\x1f\x8b\x08\0\0\0\0\0",
        "edl" => b"TITLE: HARBOUR LIGHTS\nFCM: NON-DROP FRAME\n",
        _ => b"",
    };
    let seed = name.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let tail = Blob::generated(seed, size as u64).bytes().unwrap_or_default();
    Blob::of([begin, &tail].concat())
}

/// A format with its files on a storage. Gives the format.
struct Rendition<'a> {
    asset: &'a str,
    version: Option<&'a str>,
    name: &'a str,
    storage: &'a str,
    folder: &'a str,
    /// Name, size and state of each file.
    files: &'a [(&'a str, usize, &'a str)],
}

fn add(state: &mut State, rendition: &Rendition<'_>) -> Outcome<String> {
    let Rendition { asset, version, name, storage, folder, files } = rendition;
    let given = json!({"name": name, "version_id": version, "metadata": [{"internet_media_type": "application/octet-stream"}]});
    let format = state.create_format(EDITOR, asset, map(given))?;
    let components: Vec<Value> = files
        .iter()
        .filter(|_| files.len() < 10)
        .map(|(name, ..)| {
            let kind = match name.rsplit('.').next().unwrap_or_default() {
                "wav" => "AUDIO",
                "tif" | "dpx" => "IMAGE",
                "edl" | "aaf" | "prproj" | "pdf" => "NON_MEDIA",
                _ => "VIDEO",
            };
            state.add_component(asset, &format, map(json!({"name": name, "type": kind})))
        })
        .collect::<Outcome<_>>()?;
    let ids: Vec<&Value> = components.iter().filter_map(|component| component.get("id")).collect();
    let kind = if files.len() < 10 { "REGULAR" } else { "MANY_FILES" };
    let given = json!({
        "name": name, "format_id": format, "storage_id": storage, "base_dir": folder, "component_ids": ids, "type": kind,
    });
    let file_set = state.create_file_set(EDITOR, asset, map(given))?;
    for (name, size, status) in *files {
        let given =
            json!({"original_name": name, "directory_path": folder, "file_set_id": file_set, "name": name});
        let file = state.create_file(EDITOR, asset, map(given))?;
        if matches!(*status, "CLOSED" | "GROWING") {
            state.put_content(Kind::File, &file, content(name, *size));
        }
        state.edit_file(EDITOR, asset, &file, map(json!({"status": status})))?;
        if *status == "CLOSED" && files.len() < 10 {
            let checksum = state.stored(Kind::File, &file).and_then(|stored| stored.content.bytes().ok());
            let checksum = checksum.map(|bytes| {
                use md5::Digest as _;
                hex::encode(md5::Md5::digest(&bytes))
            });
            state.edit_file(EDITOR, asset, &file, map(json!({"checksum": checksum})))?;
        }
    }
    Ok(format)
}

/// Ids of the versions of an asset, oldest first.
fn versions(state: &State, asset: &str) -> Vec<String> {
    let versions =
        state.assets.get(asset).and_then(|asset| asset.get("versions")?.as_array()).into_iter().flatten();
    let mut numbered: Vec<(i64, String)> = versions
        .filter_map(|version| {
            Some((version.get("version_number")?.as_i64()?, version.get("id")?.as_str()?.to_owned()))
        })
        .collect();
    numbered.sort();
    numbered.into_iter().map(|(_, id)| id).collect()
}

/// Proxy, keyframe and poster of the first file of a format.
fn preview(state: &mut State, format: &str) -> Outcome<()> {
    let first = state.media.files.objects().find(|file| text(file, "format_id") == format);
    match first.map(|file| text(file, "id").to_owned()) {
        Some(file) => state.transcode(EDITOR, &file),
        None => Ok(()),
    }
}

pub(super) fn files(state: &mut State) -> Outcome<()> {
    campaign(state)?;
    footage(state)?;
    others(state)
}

fn campaign(state: &mut State) -> Outcome<()> {
    if let Some(asset) = titled(state, MASTER) {
        for (number, version) in versions(state, &asset).iter().enumerate() {
            let number = number + 1;
            let (picture, left, right) = (
                format!("HL_60_v{number}.mov"),
                format!("HL_60_v{number}_stereo.wav"),
                format!("HL_60_v{number}_surround.wav"),
            );
            let files =
                [(picture.as_str(), 90_000, "CLOSED"), (&left, 30_000, "CLOSED"), (&right, 60_000, "CLOSED")];
            let folder = format!("harbour-lights/finals/v{number}");
            let of = Rendition {
                asset: &asset,
                version: Some(version),
                name: "ORIGINAL",
                storage: ORIGINALS,
                folder: &folder,
                files: &files,
            };
            let original = add(state, &of)?;
            let proxy = format!("HL_60_v{number}_offline.mp4");
            let files = [(proxy.as_str(), 12_000, "CLOSED")];
            add(state, &Rendition { name: "EDIT_PROXY", storage: GOOGLE, files: &files, ..of })?;
            preview(state, &original)?;
            let lines = "1\n00:00:01,000 --> 00:00:03,500\nThe harbour wakes.\n\n2\n00:00:04,000 --> 00:00:06,000\nSo do we.\n";
            let subtitle = json!({
                "language": "en", "closed_captions": false, "format_id": original, "name": "English", "content": lines,
            });
            state.create_subtitle(EDITOR, &asset, map(subtitle))?;
        }
    }
    if let Some(asset) = titled(state, SHORT) {
        for (number, version) in versions(state, &asset).iter().enumerate() {
            let name = format!("HL_30_v{}.mov", number + 1);
            let files = [(name.as_str(), 45_000, "CLOSED")];
            let folder = "harbour-lights/finals";
            let of = Rendition {
                asset: &asset,
                version: Some(version),
                name: "ORIGINAL",
                storage: GOOGLE,
                folder,
                files: &files,
            };
            let original = add(state, &of)?;
            preview(state, &original)?;
        }
    }
    Ok(())
}

fn footage(state: &mut State) -> Outcome<()> {
    let rendition = |state: &mut State,
                     title: &str,
                     name: &str,
                     storage: &str,
                     folder: &str,
                     files: &[(&str, usize, &str)]| {
        match titled(state, title) {
            Some(asset) => {
                add(state, &Rendition { asset: &asset, version: None, name, storage, folder, files })
                    .map(Some)
            }
            None => Ok(None),
        }
    };
    let frames: Vec<String> = (0..FRAMES).map(|frame| format!("opening.{:06}.dpx", 86_400 + frame)).collect();
    let frames: Vec<(&str, usize, &str)> =
        frames.iter().map(|frame| (frame.as_str(), 2_000, "CLOSED")).collect();
    rendition(state, SEQUENCE, "ORIGINAL", ORIGINALS, "harbour-lights/footage/opening", &frames)?;
    rendition(
        state,
        SEQUENCE,
        "PPRO_PROXY",
        GOOGLE,
        "harbour-lights/footage",
        &[("opening_proxy.mov", 8_000, "CLOSED")],
    )?;
    let dawn =
        rendition(state, DAWN, "ORIGINAL", BACKBLAZE, "rushes/a003", &[("A003_C001.mxf", 70_000, "CLOSED")])?;
    if let Some(dawn) = dawn {
        preview(state, &dawn)?;
    }
    let recording = [
        ("interview_cam_a.mxf", 40_000, "CLOSED"),
        ("interview_cam_b.mxf", 25_000, "GROWING"),
        ("interview_sound.wav", 0, "AWAITED"),
    ];
    rendition(state, INTERVIEW, "ORIGINAL", ORIGINALS, "harbour-lights/footage", &recording)?;
    let edit = [("Harbour Lights.prproj", 5_000, "CLOSED")];
    rendition(state, EDIT, "ORIGINAL", ORIGINALS, "harbour-lights/edit", &edit)?;
    rendition(
        state,
        EDIT,
        "EDL",
        ORIGINALS,
        "harbour-lights/edit",
        &[("harbour_lights_60.edl", 900, "CLOSED")],
    )?;
    rendition(
        state,
        EDIT,
        "AAF",
        ORIGINALS,
        "harbour-lights/edit",
        &[("harbour_lights_60.aaf", 4_000, "CLOSED")],
    )?;
    let visual = [("key visual søndre pier.tif", 50_000, "CLOSED"), ("print ヨコハマ.pdf", 20_000, "CLOSED")];
    rendition(state, VISUAL, "ORIGINAL", AZURE, "key visuals", &visual)?;
    Ok(())
}

fn others(state: &mut State) -> Outcome<()> {
    if let Some(asset) = titled(state, NEWS) {
        let files = [("FERRY_1830.mxf", 35_000, "CLOSED")];
        let of = Rendition {
            asset: &asset,
            version: None,
            name: "ORIGINAL",
            storage: STUDIO,
            folder: "news/2031/05",
            files: &files,
        };
        add(state, &of)?;
        let files = [("FERRY_1830_proxy.mp4", 6_000, "CLOSED")];
        add(state, &Rendition { name: "PPRO_PROXY", storage: ORIGINALS, files: &files, ..of })?;
    }
    if let Some(asset) = titled(state, HEALTHCARE) {
        for (number, version) in versions(state, &asset).iter().enumerate() {
            let (film, leaflet) =
                (format!("inhaler_v{}.mp4", number + 1), format!("leaflet_v{}.pdf", number + 1));
            let files = [(film.as_str(), 28_000, "CLOSED"), (leaflet.as_str(), 9_000, "CLOSED")];
            let of = Rendition {
                asset: &asset,
                version: Some(version),
                name: "ORIGINAL",
                storage: ORIGINALS,
                folder: "healthcare/inhaler",
                files: &files,
            };
            let original = add(state, &of)?;
            preview(state, &original)?;
        }
    }
    let location = json!({
        "name": "Broadcast delivery", "storage_id": EXPORTS, "path": "delivery", "export_to_asset_folder": true,
        "export_metadata": true, "metadata_view": super::metadata::CAMPAIGN_VIEW, "metadata_format": "JSON",
    });
    state.create_export_location(map(location)).map(drop)
}
