//! Text from outside, made harmless for a page.
//!
//! Markup is escaped. Characters that turn the direction of writing round make a name look like another one, or words seem
//! somebody else's: each is shown as what it is. Marks that only say how the text around them runs stay, as
//! Arabic and Hebrew need them; every text from outside stands in an element of its own direction.

use jiff::Timestamp;

/// Text as HTML shows it.
pub(in crate::archive_production) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            character if turns(character) => {
                escaped.push_str(&format!("<span class=\"turn\">U+{:04X}</span>", u32::from(character)));
            }
            character if is_unseen(character) => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}

/// Text for places that take no markup: titles of pages, jobs, reasons. What turns it round is taken out.
pub(in crate::archive_production) fn plain(text: &str) -> String {
    let seen = text.chars().map(|character| match character {
        '\n' | '\t' | '\r' => ' ',
        other => other,
    });
    seen.filter(|character| !turns(*character) && !is_unseen(*character)).collect()
}

fn turns(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_unseen(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// An address that a page may lead to.
pub(super) fn is_address(link: &str) -> bool {
    let lower = link.trim().to_ascii_lowercase();
    lower.starts_with("https://") || lower.starts_with("http://")
}

/// A size as people say it.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let (mut whole, mut tenths, mut unit) = (bytes, 0, "");
    for next in UNITS {
        if whole < 1000 {
            break;
        }
        tenths = whole % 1000 / 100;
        whole /= 1000;
        unit = next;
    }
    if whole < 100 { format!("{whole}.{tenths} {unit}") } else { format!("{whole} {unit}") }
}

/// A place in a film.
pub(super) fn place(milliseconds: i64) -> String {
    let (seconds, rest) = (milliseconds.max(0) / 1000, milliseconds.max(0) % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{rest:03}")
}

/// A moment, to the minute.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_markup_or_turns_the_page_round() {
        assert_eq!(
            escaped("<img src=x onerror='alert(1)'> & \"q\""),
            "&lt;img src=x onerror=&#39;alert(1)&#39;&gt; &amp; &quot;q&quot;"
        );
        assert_eq!(escaped("gpj.\u{202e}exe"), "gpj.<span class=\"turn\">U+202E</span>exe");
        assert_eq!(escaped("a\u{0}b\u{7}c\u{feff}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
        // What a language needs stays.
        let arabic = "\u{645}\u{646} \u{200f}(v1)\u{200d}";
        assert_eq!(escaped(arabic), arabic);
        assert_eq!(plain("two\nlines \u{2066}and\u{2069} more"), "two lines and more");
    }

    #[test]
    fn only_the_web_may_be_led_to() {
        for (link, is) in [
            ("https://ecm.example.com/a", true),
            (" HTTP://a", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("//evil.example", false),
        ] {
            assert_eq!(is_address(link), is, "{link}");
        }
    }

    #[test]
    fn sizes_and_places_are_what_people_say() {
        let sizes = [0, 999, 1000, 45_000, 90_000_000, 20_000_000_000].map(size);
        assert_eq!(sizes, ["0 bytes", "999 bytes", "1.0 KB", "45.0 KB", "90.0 MB", "20.0 GB"]);
        assert_eq!(place(27_000), "00:00:27.000");
        assert_eq!(place(3_725_040), "01:02:05.040");
    }
}
