//! Transcripts: a language, speakers, and segments with the text.

use serde_json::{Value, json};

use super::super::{Object, Outcome, Refusal, State};
use super::{Cue, object};

impl State {
    /// Notes the language and the speakers of a transcript.
    pub fn add_transcription(&mut self, asset: &str, version: &str, given: &Object) -> Outcome<String> {
        self.must_have_version(asset, version)?;
        let id = self.new_id();
        let transcription = json!({
            "id": id, "asset_id": asset, "version_id": version, "system_domain_id": self.system_domain_id,
            "language": given.get("language"), "speaker_labels": given.get("speaker_labels").unwrap_or(&json!({})),
            "engine_info": given.get("engine_info"),
        });
        self.review.transcriptions.insert(&id, object(transcription));
        Ok(id)
    }

    /// Makes a transcript of subtitles: given ones, or some the asset has.
    pub fn transcribe_subtitles(
        &mut self,
        user: &str,
        asset: &str,
        version: &str,
        given: &Object,
    ) -> Outcome<String> {
        self.must_have_version(asset, version)?;
        let text = |name: &str| given.get(name).and_then(Value::as_str);
        let (content, language) = match (text("content"), text("source_subtitle_id")) {
            (Some(content), _) => (content.to_owned(), given.get("language").cloned()),
            (None, Some(id)) => {
                let subtitle = self.media.subtitles.found(id)?;
                let content = subtitle.get("content").and_then(Value::as_str).unwrap_or_default();
                (content.to_owned(), subtitle.get("language").cloned())
            }
            (None, None) => return Err(Refusal::field("content", "Missing data for required field.")),
        };
        let cues = Cue::read(&content).map_err(|why| Refusal::field("content", why))?;
        if given.get("delete_old_transcriptions") == Some(&Value::Bool(true)) {
            let is_old = |segment: &&Object| {
                segment["segment_type"] == "TRANSCRIPTION" && segment["version_id"] == version
            };
            let old = self.review.segments.objects().filter(is_old);
            let old: Vec<String> =
                old.filter_map(|segment| segment["id"].as_str().map(str::to_owned)).collect();
            for id in old {
                self.delete_segment(user, asset, &id, false)?;
            }
        }
        let transcription = object(json!({ "language": language }));
        let id = self.add_transcription(asset, version, &transcription)?;
        for cue in cues {
            let segment = object(json!({
                "segment_type": "TRANSCRIPTION", "segment_text": cue.text, "time_start_milliseconds": cue.start,
                "time_end_milliseconds": cue.end, "transcription_id": id, "version_id": version,
                "transcription": { "speaker": 0, "words": words(&cue) },
            }));
            self.add_segment(user, asset, None, &segment)?;
        }
        Ok(id)
    }

    fn must_have_version(&self, asset: &str, version: &str) -> Outcome<()> {
        self.assets.found(asset)?;
        match self.version(asset, version).is_ok() {
            true => Ok(()),
            false => Err(Refusal::unknown("Version", version)),
        }
    }
}

/// The words of a cue, its time spread evenly over them.
fn words(cue: &Cue) -> Vec<Value> {
    let words: Vec<&str> = cue.text.split_whitespace().collect();
    let step = cue.end.saturating_sub(cue.start) / (words.len().max(1) as u64);
    let word = |(at, word): (usize, &&str)| {
        let start = cue.start + step * at as u64;
        json!({ "value": word, "start_ms": start, "end_ms": start + step, "score": 1.0 })
    };
    words.iter().enumerate().map(word).collect()
}
