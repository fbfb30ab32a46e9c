//! Segments as text: tables, subtitles, plain text; and subtitles read back.

use serde_json::Value;

use super::super::Object;

/// A piece of a subtitle file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::iconik) struct Cue {
    pub(in crate::iconik) start: u64,
    pub(in crate::iconik) end: u64,
    pub(in crate::iconik) text: String,
}

const COLUMNS: &[&str] = &[
    "id",
    "segment_type",
    "time_start_milliseconds",
    "time_end_milliseconds",
    "segment_text",
    "segment_checked",
    "parent_id",
    "external_id",
    "user_id",
    "user_first_name",
    "user_last_name",
    "version_id",
    "date_created",
];

/// Segments as `csv`, `srt`, `vtt` or `text`, and the content type of that.
pub(in crate::iconik) fn text_of(
    kind: &str,
    segments: &[Object],
    words: Option<usize>,
) -> Option<(&'static str, String)> {
    Some(match kind {
        "csv" => ("text/csv; charset=utf-8", table(segments)),
        "srt" => ("application/x-subrip; charset=utf-8", srt(&cues(segments), words)),
        "vtt" => ("text/vtt; charset=utf-8", vtt(&cues(segments), words)),
        "text" => {
            let said: Vec<String> = segments.iter().map(said).filter(|text| !text.is_empty()).collect();
            ("text/plain; charset=utf-8", said.join("\n"))
        }
        _ => return None,
    })
}

/// What a segment says: its text, or the words of a transcript.
fn said(segment: &Object) -> String {
    if let Some(text) = segment.get("segment_text").and_then(Value::as_str).filter(|text| !text.is_empty()) {
        return text.to_owned();
    }
    let words = segment.get("transcription").and_then(|transcription| transcription["words"].as_array());
    let words: Vec<&str> = words.into_iter().flatten().filter_map(|word| word["value"].as_str()).collect();
    words.join(" ")
}

/// Those with a time. A subtitle has to stand somewhere.
fn cues(segments: &[Object]) -> Vec<Cue> {
    let cue = |segment: &Object| {
        let start = segment.get("time_start_milliseconds")?.as_u64()?;
        let end = segment.get("time_end_milliseconds").and_then(Value::as_u64).unwrap_or(start);
        Some(Cue { start, end, text: said(segment) }).filter(|cue| !cue.text.is_empty())
    };
    segments.iter().filter_map(cue).collect()
}

fn table(segments: &[Object]) -> String {
    let mut lines = vec![COLUMNS.join(",")];
    for segment in segments {
        let cells = COLUMNS.iter().map(|column| match segment.get(*column) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => quoted(text),
            Some(value) => value.to_string(),
        });
        lines.push(cells.collect::<Vec<_>>().join(","));
    }
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

/// A cell, in quotes where the table needs them.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

fn srt(cues: &[Cue], words: Option<usize>) -> String {
    let cue = |(number, cue): (usize, &Cue)| {
        format!(
            "{}\n{} --> {}\n{}\n",
            number + 1,
            time(cue.start, ','),
            time(cue.end, ','),
            wrapped(&cue.text, words)
        )
    };
    cues.iter().enumerate().map(cue).collect::<Vec<_>>().join("\n")
}

fn vtt(cues: &[Cue], words: Option<usize>) -> String {
    let cue = |cue: &Cue| {
        format!("\n{} --> {}\n{}\n", time(cue.start, '.'), time(cue.end, '.'), wrapped(&cue.text, words))
    };
    format!("WEBVTT\n{}", cues.iter().map(cue).collect::<String>())
}

/// A blank line would end the cue, so none is kept.
fn wrapped(text: &str, words: Option<usize>) -> String {
    match words.filter(|words| *words > 0) {
        None => text.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n"),
        Some(most) => {
            let words: Vec<&str> = text.split_whitespace().collect();
            words.chunks(most).map(|line| line.join(" ")).collect::<Vec<_>>().join("\n")
        }
    }
}

fn time(milliseconds: u64, point: char) -> String {
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000);
    format!("{:02}:{:02}:{:02}{point}{rest:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

impl Cue {
    /// The cues of a subtitle file, `WebVTT` or SRT: both name the times in a line with an arrow.
    pub(in crate::iconik) fn read(content: &str) -> Result<Vec<Self>, String> {
        let content = content.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let mut cues = Vec::new();
        for block in content.split("\n\n") {
            let mut lines = block.lines().skip_while(|line| !line.contains("-->"));
            let Some(times) = lines.next() else { continue };
            let (start, end) = times.split_once("-->").unwrap_or_default();
            let end = end.split_whitespace().next().unwrap_or_default();
            let (Some(start), Some(end)) = (milliseconds(start.trim()), milliseconds(end)) else {
                return Err(format!("'{times}' is not a pair of times"));
            };
            let text = lines.collect::<Vec<_>>().join("\n");
            cues.push(Self { start, end, text });
        }
        match cues.is_empty() {
            true => Err("there is no cue".to_owned()),
            false => Ok(cues),
        }
    }
}

/// `00:01:02.345`, `01:02,345`.
fn milliseconds(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_once(['.', ','])?;
    let seconds = whole.split(':').try_fold(0_u64, |sum, part| Some(sum * 60 + part.parse::<u64>().ok()?))?;
    (rest.len() == 3).then_some(())?;
    Some(seconds * 1000 + rest.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::object;
    use super::*;

    fn segments() -> Vec<Object> {
        [
            json!({"id": "1", "segment_type": "COMMENT", "segment_text": "Logo, \"too\" small\n\nsee 2:10",
                   "time_start_milliseconds": 3_723_004, "time_end_milliseconds": 3_724_500}),
            json!({"id": "2", "segment_type": "TRANSCRIPTION", "time_start_milliseconds": 0,
                   "time_end_milliseconds": 900, "transcription": {"words": [{"value": "Guten"}, {"value": "Tag"}]}}),
            json!({"id": "3", "segment_type": "COMMENT", "segment_text": "Anywhere"}),
        ]
        .map(object)
        .to_vec()
    }

    #[test]
    fn subtitles_are_written_and_read_back() {
        for kind in ["srt", "vtt"] {
            let (_, text) = text_of(kind, &segments(), None).unwrap();
            let read = Cue::read(&text).unwrap();
            let expected = [(3_723_004, 3_724_500, "Logo, \"too\" small\nsee 2:10"), (0, 900, "Guten Tag")]
                .map(|(start, end, text)| Cue { start, end, text: text.to_owned() });
            assert_eq!(read, expected, "{kind}");
        }
        let (_, text) = text_of("srt", &segments(), Some(1)).unwrap();
        assert!(text.contains("01:02:03,004 --> 01:02:04,500\nLogo,\n"), "{text}");
        assert!(Cue::read("WEBVTT\n").is_err());
        assert!(Cue::read("1\n00:00:00 --> soon\nx").is_err());
    }

    #[test]
    fn a_cell_with_a_comma_or_a_line_end_is_quoted() {
        let (_, text) = text_of("csv", &segments(), None).unwrap();
        let (_, first) = text.split_once("\r\n").unwrap();
        assert!(
            first.starts_with("1,COMMENT,3723004,3724500,\"Logo, \"\"too\"\" small\n\nsee 2:10\","),
            "{text}"
        );
    }
}
