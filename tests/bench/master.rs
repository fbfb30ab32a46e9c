//! A master of iconik on its way into Content Server: how long it takes, and in how much memory.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use iconik_content_server::finals_rules::SAMPLE;
use serde_json::json;
use simulators::{
    Clock,
    content::Blob,
    content_server::Settings as EcmSettings,
    iconik::{
        Settings as IconikSettings, Simulator,
        seed::{self, media::SHORT, metadata::CAMPAIGN_VIEW},
        state::media::Kind,
    },
    serve,
};
use tests::{
    media_archive, messages,
    runtime::{Function, Queue, Settings},
};

use crate::{
    large::named,
    measure::{milliseconds, peak, processor_time},
    report::Figure,
    stage::Stage,
};

/// What one master cost.
struct Filed {
    seconds: f64,
    peak: f64,
    processor: f64,
    invocations: usize,
}

/// The most memory a process ever had that filed a master, by its size; and how long it took.
pub(crate) async fn memory(root: &Path, artefacts: &Path, sizes: [u64; 2]) -> Figure {
    let [small, large] = [file(root, artefacts, sizes[0]).await, file(root, artefacts, sizes[1]).await];
    let ratio = large.peak / small.peak;
    Figure {
        figure: "peak memory by the size of a master from iconik",
        waybill: format!("{:.1} MiB at {}", large.peak, named(sizes[1])),
        compared_with: format!("{:.1} MiB at {}", small.peak, named(sizes[0])),
        ratio,
        bar: "flat within 10 %",
        passed: ratio <= 1.1,
        note: format!(
            "with preview and poster; read once, sent in parts, compared by size; {:.0} s, {:.0} MiB/s, {:.1} s of \
             processor time, {} invocations; iconik and Content Server, which make and hash the bytes, on this machine",
            large.seconds,
            sizes[1] as f64 / f64::from(1 << 20) / large.seconds,
            large.processor,
            large.invocations,
        ),
        runs: [vec![small.peak, large.peak], vec![small.seconds, large.seconds]],
    }
}

async fn file(root: &Path, artefacts: &Path, bytes: u64) -> Filed {
    let settings = EcmSettings { discard_content: true, ..EcmSettings::default() };
    let stage = Stage::with(root, artefacts, settings).await;
    media_archive::plant(&stage.ecm);
    let iconik = Simulator::new(IconikSettings::default(), Clock::machine());
    let film = prepare(&iconik, bytes);
    let (address, _) = serve(iconik.router(), 0).await.expect("a free port");
    let secret = "waybill/bench/iconik";
    stage.place.set_secret(secret, &messages::iconik_credential(seed::TOKEN)).await;

    let mut settings = Settings::new("publish-finals", artefacts.join("publish-finals/bootstrap"))
        .variable("WAYBILL_ICONIK_URL", format!("http://{address}"))
        .variable("WAYBILL_ICONIK_SECRET", secret)
        .timeout(Duration::from_secs(900));
    // Content Server keeps nothing here, so nothing can be read back.
    let named = "name = \"campaign\"";
    let rules = SAMPLE.replacen(named, &format!("{named}\nverify = \"size\"\nreading = \"once\""), 1);
    let rules = stage.place.put_rules(&rules).await;
    settings.variables.extend(stage.place.variables(&stage.ecm_url, &rules));
    let function = Function::new(settings);
    let queue = Queue::new(stage.place.sqs.clone(), &stage.place.queue_url, function.clone());
    let message = messages::iconik_change("publish-finals", "assets", &film, Some("publish"), "bench");
    let request = stage.place.sqs.send_message().queue_url(&stage.place.queue_url).message_body(message);
    request.send().await.expect("the message is taken");

    let began = Instant::now();
    let mut invocations = 0;
    let patience = Duration::from_secs(3600);
    while !is_filed(&stage, bytes) {
        assert!(
            began.elapsed() < patience,
            "not filed; the log ends with\n{}",
            crate::stage::tail(&function)
        );
        let delivery = queue.deliver().await.expect("the queue can be read");
        invocations += usize::from(delivery.is_some());
    }
    let process = function.processes()[0].id();
    Filed {
        seconds: began.elapsed().as_secs_f64(),
        peak: peak(process) / 1024.0,
        processor: milliseconds(processor_time(process)) / 1000.0,
        invocations,
    }
}

/// Makes the original of a film this large and clears its rights. Gives the asset.
fn prepare(iconik: &Simulator, bytes: u64) -> String {
    let content = Blob::generated(20, bytes);
    iconik.with_state(|state| {
        let film = state.titled(SHORT).expect("the film");
        let version = state.current_version_of(&film).expect("a version");
        let original = state
            .media
            .formats
            .objects()
            .find(|format| format["version_id"] == *version && format["name"] == "ORIGINAL");
        let format = original.expect("the original")["id"].clone();
        let file = state.media.files.objects().find(|file| file["format_id"] == format).expect("its file");
        let id = file["id"].as_str().expect("an id").to_owned();
        state.put_content(Kind::File, &id, content);
        let rights = json!({"RightsStatus": {"field_values": [{"value": "cleared"}]}});
        let rights = rights.as_object().cloned().unwrap_or_default();
        state.write_values(seed::EDITOR, ("assets", &film), CAMPAIGN_VIEW, &rights, false).expect("values");
        film
    })
}

/// Whether Content Server holds it.
fn is_filed(stage: &Stage, bytes: u64) -> bool {
    stage.ecm.with_state(|state| {
        let folder = state.at("Marketing/Finals/Harbour Lights/Harbour Lights 30s").map(|node| node.id);
        let documents = folder.map(|id| state.children(id)).unwrap_or_default();
        documents.iter().any(|node| node.latest().is_some_and(|version| version.content.size == bytes))
    })
}
