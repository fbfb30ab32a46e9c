//! Texts for readers, such as a description, as words: publishing systems send them as HTML, and nothing of that may reach a
//! field of another system or a page.
//!
//! What is kept: the words, a line for each block. What goes: every tag and comment, what stands in scripts, styles and the
//! like, control characters, and the signs that turn the direction of writing. A sanitiser that leaves harmless tags in
//! would be the wrong tool, as no target takes HTML. What is a tag follows the tokenizer of the HTML standard
//! (<https://html.spec.whatwg.org/multipage/parsing.html#tokenization>), without its tree: a text is no page. Character
//! references are decoded once, by the table of that standard.

use std::fmt;

use encoding_rs::WINDOWS_1252;
use mail_parser::decoders::html::add_html_token;
use serde::Serialize;

/// Bytes of a text that are looked at. Descriptions have a few thousand.
const LONGEST: usize = 256 * 1024;
/// Bytes of the longest name of a character, `CounterClockwiseContourIntegral`, and of any number that is one.
const LONGEST_REFERENCE: usize = 32;

/// Elements that stand on lines of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "tr",
    "ul",
];

/// Elements whose content is not for readers, or is not read as HTML.
const HIDDEN: &[&str] =
    &["iframe", "noembed", "noframes", "script", "style", "template", "textarea", "title", "xmp"];

/// A text for readers without markup. It is never shown in logs.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PlainText(String);

impl PlainText {
    /// The words of HTML; nothing when there are none. Of a text beyond 256 KiB the rest is left out.
    pub fn from_html(html: &str) -> Option<Self> {
        let mut words = Words::default();
        let mut rest = bounded(html);
        while let Some(at) = rest.find(['<', '&']) {
            let (before, from) = rest.split_at(at);
            words.push_all(before);
            rest = if from.starts_with('<') { markup(from, &mut words) } else { reference(from, &mut words) };
        }
        words.push_all(rest);
        words.done()
    }

    /// A text that is said to be plain: what looks like HTML in it is no HTML. Line breaks stay.
    pub fn from_plain(text: &str) -> Option<Self> {
        let mut words = Words::default();
        for line in bounded(text).lines() {
            words.push_all(line);
            words.end_line();
        }
        words.done()
    }

    /// Its words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PlainText({} bytes)", self.0.len())
    }
}

fn bounded(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or_default()
}

/// What was read so far, with blanks as HTML shows them: one for many, none at the ends of lines.
#[derive(Default)]
struct Words {
    written: String,
    blank: bool,
    line_ended: bool,
}

impl Words {
    fn push_all(&mut self, text: &str) {
        text.chars().for_each(|character| self.push(character));
    }

    fn push(&mut self, character: char) {
        if turns(character) {
            return;
        }
        if character.is_whitespace() || character.is_control() {
            self.blank = true;
            return;
        }
        // A sign that was written as a reference must not open a tag for whoever shows this without escaping it.
        let would_open = character.is_ascii_alphabetic() || matches!(character, '/' | '!' | '?');
        let parts = self.blank || (would_open && self.written.ends_with('<'));
        if !self.written.is_empty() {
            if self.line_ended {
                self.written.push('\n');
            } else if parts {
                self.written.push(' ');
            }
        }
        (self.blank, self.line_ended) = (false, false);
        self.written.push(character);
    }

    fn end_line(&mut self) {
        self.line_ended = true;
    }

    fn done(self) -> Option<PlainText> {
        (!self.written.is_empty()).then_some(PlainText(self.written))
    }
}

/// Signs that turn the text beside them round.
fn turns(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Reads what begins with `<`, and gives what comes after it.
fn markup<'html>(html: &'html str, words: &mut Words) -> &'html str {
    let after = html.get(1..).unwrap_or_default();
    if let Some(comment) = after.strip_prefix("!--") {
        // An end without a beginning of its own ends it too: `<!-->`, `<!--->`.
        if let Some(rest) = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->")) {
            return rest;
        }
        let ends = |at: &usize| {
            comment.get(..*at).is_some_and(|inside| inside.ends_with("--") || inside.ends_with("--!"))
        };
        let end = comment.match_indices('>').map(|(at, _)| at).find(ends);
        return end.and_then(|at| comment.get(at + 1..)).unwrap_or_default();
    }
    let name_at = after.strip_prefix('/').unwrap_or(after);
    if !name_at.starts_with(|first: char| first.is_ascii_alphabetic()) {
        // `<!doctype …>`, `<?xml …>`, `</3>` and the like are comments too; a lone `<` is text.
        let is_comment = after.starts_with(['!', '?', '/']);
        if !is_comment {
            words.push('<');
            return after;
        }
        return after.split_once('>').map_or("", |(_, rest)| rest);
    }
    let length = name_at.find(|next: char| next.is_ascii_whitespace() || matches!(next, '/' | '>'));
    let (name, inside) = name_at.split_at(length.unwrap_or(name_at.len()));
    let name = name.to_ascii_lowercase();
    let Some(rest) = after_tag(inside) else { return "" };
    if BLOCKS.contains(&name.as_str()) {
        words.end_line();
    } else if matches!(name.as_str(), "td" | "th") {
        words.push(' ');
    }
    let is_end = after.starts_with('/');
    if !is_end && HIDDEN.contains(&name.as_str()) { after_hidden(rest, &name) } else { rest }
}

/// What comes after the `>` that ends a tag: not one within a quoted value. Nothing when the tag does not end.
fn after_tag(inside: &str) -> Option<&str> {
    let (mut quote, mut value_begins) = (None, false);
    for (at, character) in inside.char_indices() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '>') => return inside.get(at + 1..),
            (None, '"' | '\'') if value_begins => (quote, value_begins) = (Some(character), false),
            (None, '=') => value_begins = true,
            (None, blank) if blank.is_ascii_whitespace() => {}
            (None, _) => value_begins = false,
        }
    }
    None
}

/// What comes after the end tag of an element whose content is left out.
fn after_hidden<'html>(html: &'html str, name: &str) -> &'html str {
    let mut rest = html;
    while let Some((_, from)) = rest.split_once("</") {
        rest = from;
        let Some((found, inside)) = from.split_at_checked(name.len()) else { continue };
        let ends = inside.starts_with(|next: char| next.is_ascii_whitespace() || matches!(next, '/' | '>'));
        if found.eq_ignore_ascii_case(name) && ends {
            return after_tag(inside).unwrap_or("");
        }
    }
    ""
}

/// Reads what begins with `&`, and gives what comes after it. What is no reference is text.
fn reference<'html>(html: &'html str, words: &mut Words) -> &'html str {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
    let length = html.bytes().skip(1).take(LONGEST_REFERENCE).take_while(is_part).count();
    let (token, rest) = html.split_at(1 + length);
    let (Some(name), Some(rest)) = (token.get(1..).filter(|name| !name.is_empty()), rest.strip_prefix(';'))
    else {
        words.push('&');
        return html.get(1..).unwrap_or_default();
    };
    match name.strip_prefix('#') {
        Some(number) => match numbered(number) {
            Some(character) => words.push(character),
            None => words.push_all(&format!("{token};")),
        },
        None => {
            let mut decoded = String::new();
            add_html_token(&mut decoded, format!("{token};").as_bytes(), false);
            words.push_all(&decoded);
        }
    }
    rest
}

/// A character by its number. The numbers 128 to 159 are those of Windows-1252, which much text was written in.
fn numbered(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    match u8::try_from(code) {
        Ok(byte @ 0x80..=0x9f) => WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next(),
        Ok(0) => Some(char::REPLACEMENT_CHARACTER),
        _ => Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(html: &str) -> String {
        PlainText::from_html(html).map(|text| text.as_str().to_owned()).unwrap_or_default()
    }

    #[test]
    fn a_description_is_its_words_a_line_for_each_block() {
        for (html, words) in [
            ("<p>Salt &amp; sea, <em>caf&eacute;s</em> and ships.</p>", "Salt & sea, cafés and ships."),
            ("<p>One.</p>\n\n<p>Two,<br/>three.</p>", "One.\nTwo,\nthree."),
            ("<ul><li>Tides</li><li> Piers </li></ul>", "Tides\nPiers"),
            ("No markup  at\tall\r\n", "No markup at all"),
            ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
            ("half<b>bold</b>", "halfbold"),
            ("<p>&nbsp;</p>", ""),
            ("", ""),
        ] {
            assert_eq!(read(html), words, "{html}");
        }
        assert_eq!(PlainText::from_html("<p> </p>"), None);
    }

    #[test]
    fn references_are_decoded_once_and_what_is_none_stays() {
        for (html, words) in [
            ("&amp;amp; &amp;eacute;", "&amp; &eacute;"),
            ("&#8217;&#x2019;&#146;", "’’’"),
            ("&#0;&#xD800;&#x110000;&#99999999999999999999;", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            (
                "R&D; AT&T & &; &nosuch; &#; &#x; &#-1; &eacute",
                "R&D; AT&T & &; &nosuch; &#; &#x; &#-1; &eacute",
            ),
            ("&CounterClockwiseContourIntegral;&Afr;", "∳𝔄"),
        ] {
            assert_eq!(read(html), words, "{html}");
        }
    }

    #[test]
    fn nothing_of_a_tag_is_left_however_it_is_written() {
        for html in [
            "<a title=\"a > b\" href='x>y'>",
            "<!-- <b>not</b> -->",
            "<!-->",
            "<!--->",
            "<!-- open",
            "<!doctype html>",
            "<?xml version=\"1.0\"?>",
            "</3>",
            "<img src=x onerror=alert(1)",
            "<SCRIPT>alert('</p>')</SCRIPT >",
            "<style>p { } </styles></style>",
            "<script>never closed",
            "<a b = \"never closed>",
            "<textarea><b></textarea>",
            "<b/<b>",
            "<!-- a --!>",
        ] {
            assert_eq!(read(html), "", "{html}");
        }
        assert_eq!(read("1 < 2 and 3 > 2 <3"), "1 < 2 and 3 > 2 <3");
        // Written as references they are words, which nobody can take for a tag.
        assert_eq!(read("&lt;script&gt;x&lt;/script&gt; <<b>b>"), "< script>x< /script> < b>");
        assert_eq!(read("&#60;&#x62;> <\u{202e}b>"), "< b> < b>");
    }

    #[test]
    fn nothing_turns_round_what_stands_beside_it() {
        assert_eq!(read("Brief &#8238;fdp.exe\u{202c}\u{7}!"), "Brief fdp.exe !");
        assert_eq!(read("שלום – ヨコハマ"), "שלום – ヨコハマ");
    }

    #[test]
    fn plain_words_are_no_html_and_keep_their_lines() {
        let read = |text: &str| PlainText::from_plain(text).map(|text| text.0).unwrap_or_default();
        assert_eq!(read("a &amp; 1 <2\r\n\r\n b\u{202e}"), "a &amp; 1 <2\nb");
        assert_eq!(read("<b>bold</b>"), "< b>bold< /b>");
    }

    #[test]
    fn a_text_without_end_is_cut_and_read_in_passing() {
        let long = "é".repeat(LONGEST);
        assert_eq!(read(&long).len(), LONGEST);
        for part in [
            "<", "</", "<!--", "&", "&#", "<a \"", "<script>", "</scrip", "<a b='>", "<p>", "&lt;", "<!---->",
        ] {
            assert!(read(&part.repeat(LONGEST)).len() <= LONGEST, "{part}");
        }
        assert!(!format!("{:?}", PlainText::from_html("ships")).contains("ships"), "not for logs");
    }

    /// Whether HTML would see a tag or a comment.
    fn has_markup(text: &str) -> bool {
        let mut pairs = text.chars().zip(text.chars().skip(1));
        pairs.any(|(one, next)| one == '<' && (next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')))
    }

    proptest! {
        #[test]
        fn whatever_comes_is_no_markup_no_longer_and_has_no_controls(
            html in "(<|>|&|;|/|!|-|=|'|\"|#|x|&lt;|&gt;|&amp;|&#60;|<p>|</b|<!--|-->|<script|</script>|[a-z ]|\u{202e}|\u{0}|\n|é){0,40}"
        ) {
            for text in [PlainText::from_html(&html), PlainText::from_plain(&html)].into_iter().flatten() {
                let text = text.as_str();
                prop_assert!(!has_markup(text), "{text:?}");
                prop_assert!(text.chars().all(|one| one == '\n' || !(one.is_control() || turns(one))), "{text:?}");
                prop_assert_eq!(text.trim(), text);
            }
            let read = read(&html);
            prop_assert!(read.len() <= html.len(), "{read:?}");
        }

        #[test]
        fn words_that_are_escaped_come_back_as_they_were(words in "[a-zé&;#<>\"' ]{0,30}") {
            let escaped = quick_xml::escape::escape(words.as_str());
            let plain = PlainText::from_plain(&words);
            prop_assert_eq!(PlainText::from_html(&format!("<p>{escaped}</p>")), plain);
        }

        #[test]
        fn tags_between_words_leave_the_words(words in proptest::collection::vec("[a-zé]{1,5}", 0..6)) {
            let tagged: String = words.iter().map(|word| format!("<p class=\"a > b\">{word}</p><!-- {word} -->")).collect();
            prop_assert_eq!(read(&tagged), words.join("\n"));
        }
    }
}
