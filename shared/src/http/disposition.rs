//! The name a download is saved under.

use std::fmt::Write as _;

/// What a browser does with a download.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// It saves it.
    #[default]
    Attachment,
    /// It shows it, where it can.
    Inline,
}

impl Disposition {
    /// A `Content-Disposition` with a name in any script (RFC 6266), and a plain one for old clients.
    pub fn header(self, file_name: &str) -> String {
        let plain: String = file_name
            .chars()
            .map(|c| if c.is_ascii_graphic() && !"\"\\%/;".contains(c) || c == ' ' { c } else { '_' })
            .collect();
        let mut encoded = String::new();
        for byte in file_name.bytes() {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        let kind = match self {
            Self::Attachment => "attachment",
            Self::Inline => "inline",
        };
        format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_in_any_script_is_kept_and_none_breaks_out() {
        assert_eq!(
            Disposition::Attachment.header("Vertrag für \"Söhne\".pdf"),
            "attachment; filename=\"Vertrag f_r _S_hne_.pdf\"; \
             filename*=UTF-8''Vertrag%20f%C3%BCr%20%22S%C3%B6hne%22.pdf"
        );
        for name in ["a\"; filename=\"b", "a\\", "../../etc/passwd", "契約.pdf", "a;b%20c.pdf"] {
            let text = Disposition::Inline.header(name);
            assert!(http::HeaderValue::from_str(&text).is_ok() && text.is_ascii(), "{text}");
            assert!(text.starts_with("inline; "), "{text}");
            assert_eq!(text.matches('"').count(), 2, "{text}");
        }
    }
}
