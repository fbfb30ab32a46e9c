//! `bag-info.txt`: labels and values about the bag.

use super::encoding::lines;

/// What `bag-info.txt` says, in order; labels may come more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BagInfo(pub Vec<(String, String)>);

impl BagInfo {
    /// The first value of a label, whatever its case.
    pub fn get(&self, label: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(label)).map(|(_, value)| value.as_str())
    }

    /// Adds a value. A line break inside it becomes a space.
    #[must_use]
    pub fn with(mut self, label: &str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref().split(['\r', '\n']).map(str::trim).collect::<Vec<_>>().join(" ");
        self.0.push((label.to_owned(), value));
        self
    }

    /// The file.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|(label, value)| format!("{label}: {value}\n")).collect()
    }

    /// Bytes and number of payload files, when it says so in the way it should.
    pub fn payload_oxum(&self) -> Option<Result<(u64, u64), ()>> {
        let text = self.get("Payload-Oxum")?;
        let number = |text: &str| text.parse::<u64>().map_err(|_| ());
        Some(text.split_once('.').ok_or(()).and_then(|(bytes, files)| Ok((number(bytes)?, number(files)?))))
    }

    /// Reads the file. The line that is no label and no continuation of one is given back.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut info = Self::default();
        for line in lines(text).filter(|line| !line.trim().is_empty()) {
            if line.starts_with([' ', '\t']) {
                let Some((_, value)) = info.0.last_mut() else { return Err(line.to_owned()) };
                value.push(' ');
                value.push_str(line.trim());
                continue;
            }
            let (label, value) = line.split_once(':').ok_or_else(|| line.to_owned())?;
            info.0.push((label.trim().to_owned(), value.trim().to_owned()));
        }
        Ok(info)
    }
}
