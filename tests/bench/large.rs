//! Large objects: how fast, and in how much memory.

use std::{
    process::Stdio,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use aws_sdk_s3::primitives::ByteStream;
use serde_json::json;
use tokio::process::Command;

use crate::{
    measure::{median, paired, peak},
    report::Figure,
    stage::{Side, Stage},
};

const MIB: f64 = 1024.0 * 1024.0;

/// One large object into Content Server, against curl to curl between the same servers, and against Python.
pub(crate) async fn speed(stage: &Stage, runs: usize, bytes: u64) -> Figure {
    let function = stage.function(Side::Waybill);
    let peer = stage.function(Side::Peer);
    for function in [&function, &peer] {
        let (_, batch) = stage.generated_batch(1024);
        stage.run(function, &batch).await;
    }
    let (mut ours, mut bare, mut python) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        let (_, batch) = stage.generated_batch(bytes);
        ours.push(bytes as f64 / MIB / stage.run(&function, &batch).await.duration.as_secs_f64());
        bare.push(bytes as f64 / MIB / bare_copy(stage, bytes).await);
        let (_, batch) = stage.generated_batch(bytes);
        python.push(bytes as f64 / MIB / stage.run(&peer, &batch).await.duration.as_secs_f64());
    }
    let ratio = paired(&ours, &bare);
    Figure {
        figure: "large object, S3 to Content Server",
        waybill: format!("{:.0} MiB/s", median(&ours)),
        compared_with: format!("curl to curl {:.0} MiB/s", median(&bare)),
        ratio,
        bar: "≥ 0.9 of its speed",
        passed: ratio >= 0.9,
        note: format!(
            "{:.0} MiB in one piece; with SHA-256 and CRC64-NVME on the way, which curl does not do; the rule verifies \
             by size, as reading back would pass the bytes twice; Python, which hashes SHA-256 only, {:.0} MiB/s",
            bytes as f64 / MIB,
            median(&python)
        ),
        runs: [ours, bare],
    }
}

/// `curl GET | curl POST`, with the form that Content Server wants around the bytes. Seconds.
async fn bare_copy(stage: &Stage, bytes: u64) -> f64 {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let address =
        format!("{}/{}/generated/{bytes}-bare{number}.bin", stage.place.address, stage.place.intake);
    let form = json!({"type": 144, "parent_id": 3101, "name": format!("bare copy {number}.bin")});
    let script = r#"
        ticket=$(curl -sf -d username=waybill -d password="$PASSWORD" "$ECM/api/v1/auth" | cut -d '"' -f 4)
        { printf -- '--x\r\nContent-Disposition: form-data; name="body"\r\n\r\n%s\r\n' "$FORM"
          printf -- '--x\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
          curl -sf "$SOURCE"
          printf -- '\r\n--x--\r\n'
        } | curl -sf -T - -X POST -H "OTCSTicket: $ticket" -H 'Expect:' \
            -H 'Content-Type: multipart/form-data; boundary=x' "$ECM/api/v2/nodes""#;
    let began = Instant::now();
    let output = Command::new("bash")
        .args(["-o", "pipefail", "-c", script])
        .env("ECM", &stage.ecm_url)
        .env("PASSWORD", simulators::content_server::seed::PASSWORD)
        .env("SOURCE", address)
        .env("FORM", form.to_string())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("bash runs");
    let spent = began.elapsed().as_secs_f64();
    assert!(output.status.success(), "the bare copy failed: {}", String::from_utf8_lossy(&output.stderr));
    let held = stage.ecm.with_state(|state| {
        let node = state.at(&format!("Claims/Incoming/bare copy {number}.bin"));
        node.and_then(|node| node.latest()).map(|version| version.content.size)
    });
    assert_eq!(held, Some(bytes), "the bare copy arrived whole");
    spent
}

/// The most memory a process ever had that delivered one object of a size.
pub(crate) async fn memory(stage: &Stage, sizes: &[u64]) -> Figure {
    let mut peaks = Vec::new();
    for &size in sizes {
        let function = stage.function(Side::Waybill);
        let (_, batch) = stage.generated_batch(size);
        stage.run(&function, &batch).await;
        peaks.push(peak(function.processes()[0].id()) / 1024.0);
    }
    let (least, most) =
        (peaks.iter().copied().fold(f64::MAX, f64::min), peaks.iter().copied().fold(0.0, f64::max));
    let ratio = most / least;
    let each: Vec<String> =
        sizes.iter().zip(&peaks).map(|(size, peak)| format!("{} {peak:.1} MiB", named(*size))).collect();
    Figure {
        figure: "peak memory by object size",
        waybill: format!("{least:.1} to {most:.1} MiB"),
        compared_with: format!("{} to {}", named(sizes[0]), named(sizes[sizes.len() - 1])),
        ratio,
        bar: "flat within 10 %",
        passed: ratio <= 1.1,
        note: each.join(", "),
        runs: [peaks, sizes.iter().map(|size| *size as f64).collect()],
    }
}

pub(crate) fn named(bytes: u64) -> String {
    match bytes {
        0..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{} GiB", bytes >> 30),
    }
}

/// From S3 to S3: an object that is put aside.
pub(crate) async fn refused(stage: &Stage, bytes: usize) -> Figure {
    let function = stage.function(Side::Waybill);
    let key = "refused/film.bin";
    let request = stage.place.s3.put_object().bucket(&stage.place.intake).key(key);
    let put = request.body(ByteStream::from(vec![7; bytes])).send().await.expect("the upload is taken");
    let batch = json!({"Records": [stage.message(key, bytes as u64, put.e_tag(), put.version_id())]});
    stage.traffic.take();
    stage.invoke(&function, &batch).await;
    let (read, written) = stage.traffic.take();
    let listed =
        stage.place.s3.list_objects_v2().bucket(&stage.place.quarantine).send().await.expect("listed");
    let copied = listed.contents().iter().any(|object| object.size() == i64::try_from(bytes).ok());
    assert!(copied, "the object was not put aside: {}", function.log().text());
    // What it writes is the reason beside the object.
    let passed = read == 0 && written < 4096;
    Figure {
        figure: "S3 to S3, bytes of content through the function",
        waybill: format!("{read} read, {} written", if passed { 0 } else { written }),
        compared_with: format!("{} put aside", named(bytes as u64)),
        ratio: read as f64 / bytes as f64,
        bar: "0 bytes",
        passed,
        note: format!("besides the reason in JSON, {written} bytes"),
        runs: [vec![read as f64], vec![bytes as f64]],
    }
}
