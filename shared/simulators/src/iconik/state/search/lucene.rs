//! The language of queries (Lucene's classic one): words, phrases, fields, wildcards, ranges, AND, OR, NOT, escapes.

use regex::Regex;

use crate::iconik::reply::{Outcome, Refusal};
use crate::iconik::settings::Operator;

/// Whether a clause has to be found, may be, or must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occur {
    Must,
    Should,
    MustNot,
}

/// One end of a range; open when absent.
pub(super) type End = Option<(String, bool)>;

/// What is looked for. A field is absent where the query names none.
#[derive(Clone, Debug)]
pub(super) enum Query {
    /// A word, perhaps with wildcards.
    Word { field: Option<String>, text: String, has_wildcards: bool },
    /// A word with up to so many letters changed.
    Fuzzy { field: Option<String>, text: String, edits: usize },
    /// Words that follow each other.
    Phrase { field: Option<String>, text: String },
    /// A pattern for whole words.
    Pattern { field: Option<String>, pattern: Regex },
    /// Everything between two ends.
    Range { field: Option<String>, low: End, high: End },
    /// Clauses.
    Clauses(Vec<(Occur, Query)>),
}

/// Reads a query.
pub(super) fn parse(text: &str, operator: Operator) -> Outcome<Query> {
    let mut parser = Parser { characters: text.chars().collect(), at: 0, operator, text };
    let query = parser.clauses(None, 0)?;
    match parser.peek() {
        None => Ok(query),
        Some(character) => parser.fail(&format!("unexpected '{character}'")),
    }
}

/// How deep groups may be.
const DEPTH: usize = 50;

struct Parser<'a> {
    characters: Vec<char>,
    at: usize,
    operator: Operator,
    text: &'a str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    Not,
    And,
    Or,
}

impl Parser<'_> {
    fn fail<T>(&self, why: &str) -> Outcome<T> {
        Err(Refusal::Other(400, format!("Failed to parse query [{}]: {why}", self.text)))
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn eat(&mut self, wanted: &str) -> bool {
        let is_next = wanted
            .chars()
            .enumerate()
            .all(|(at, character)| self.characters.get(self.at + at) == Some(&character));
        if is_next {
            self.at += wanted.chars().count();
        }
        is_next
    }

    /// A word of the language, which has to end where it ends.
    fn eat_word(&mut self, wanted: &str) -> bool {
        let start = self.at;
        if self.eat(wanted) && self.peek().is_none_or(|next| next.is_whitespace() || next == '(') {
            return true;
        }
        self.at = start;
        false
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn clauses(&mut self, field: Option<&str>, depth: usize) -> Outcome<Query> {
        if depth > DEPTH {
            return self.fail("too many groups");
        }
        let mut clauses: Vec<(Occur, Query)> = Vec::new();
        loop {
            self.skip_blanks();
            if self.peek().is_none_or(|next| next == ')') {
                return Ok(Query::Clauses(clauses));
            }
            let joined = match () {
                () if self.eat_word("AND") || self.eat("&&") => Joined::And,
                () if self.eat_word("OR") || self.eat("||") => Joined::Or,
                () => Joined::Not,
            };
            if joined != Joined::Not && clauses.is_empty() {
                return self.fail("an operator has nothing before it");
            }
            self.skip_blanks();
            let is_needed = self.eat("+");
            let is_barred = !is_needed && (self.eat("-") || self.eat("!") || self.eat_word("NOT"));
            self.skip_blanks();
            let clause = self.clause(field, depth)?;
            if let Some((before, _)) = clauses.last_mut().filter(|(before, _)| *before != Occur::MustNot) {
                match (joined, self.operator) {
                    (Joined::And, _) => *before = Occur::Must,
                    (Joined::Or, Operator::And) => *before = Occur::Should,
                    _ => {}
                }
            }
            let must = match self.operator {
                Operator::Or => is_needed || joined == Joined::And,
                Operator::And => joined != Joined::Or,
            };
            let occur = match (is_barred, must) {
                (true, _) => Occur::MustNot,
                (false, true) => Occur::Must,
                (false, false) => Occur::Should,
            };
            clauses.push((occur, clause));
        }
    }

    fn clause(&mut self, field: Option<&str>, depth: usize) -> Outcome<Query> {
        let owned = field.map(str::to_owned);
        let query = match self.peek() {
            None | Some(')') => return self.fail("something is missing at the end"),
            Some('(') => {
                self.at += 1;
                let group = self.clauses(field, depth + 1)?;
                if !self.eat(")") {
                    return self.fail("a parenthesis is not closed");
                }
                group
            }
            Some('"') => Query::Phrase { field: owned, text: self.until('"')? },
            Some('/') => {
                let text = self.until('/')?;
                match Regex::new(&format!("^(?i:{text})$")) {
                    Ok(pattern) => Query::Pattern { field: owned, pattern },
                    Err(_) => return self.fail("the pattern is not one"),
                }
            }
            Some('[' | '{') => self.range(owned)?,
            Some('>' | '<') if field.is_some() => self.comparison(owned),
            Some(_) => {
                let (text, has_wildcards) = self.word()?;
                if self.eat(":") {
                    self.skip_blanks();
                    return self.clause(Some(&text), depth + 1);
                }
                if self.eat("~") {
                    let digits = self.number();
                    let edits = digits.parse::<f64>().map_or(2, |number| if number >= 2.0 { 2 } else { 1 });
                    Query::Fuzzy { field: owned, text, edits }
                } else {
                    Query::Word { field: owned, text, has_wildcards }
                }
            }
        };
        // How much a clause counts, and how far apart a phrase may be, decide nothing here.
        if self.eat("~") || self.eat("^") {
            self.number();
        }
        Ok(query)
    }

    fn number(&mut self) -> String {
        let mut digits = String::new();
        while let Some(next) = self.peek().filter(|next| next.is_ascii_digit() || *next == '.') {
            digits.push(next);
            self.at += 1;
        }
        digits
    }

    /// What is between two marks; an escaped mark is part of it.
    fn until(&mut self, mark: char) -> Outcome<String> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(next) = self.peek() else { return self.fail(&format!("there is no second {mark}")) };
            self.at += 1;
            match next {
                '\\' => {
                    let Some(escaped) = self.peek() else { return self.fail("it ends with an escape") };
                    if mark == '/' && escaped != '/' {
                        text.push('\\');
                    }
                    text.push(escaped);
                    self.at += 1;
                }
                next if next == mark => return Ok(text),
                next => text.push(next),
            }
        }
    }

    /// A word up to a blank or a character that means something.
    fn word(&mut self) -> Outcome<(String, bool)> {
        let (mut text, mut has_wildcards) = (String::new(), false);
        while let Some(next) = self.peek() {
            match next {
                '\\' => {
                    self.at += 1;
                    let Some(escaped) = self.peek() else { return self.fail("it ends with an escape") };
                    // An escaped wildcard is a character like others: marked, so that it is not taken for one.
                    if matches!(escaped, '*' | '?') {
                        text.push('\\');
                    }
                    text.push(escaped);
                }
                '!' | '(' | ')' | ':' | '^' | '[' | ']' | '"' | '{' | '}' | '~' | '/' => break,
                next if next.is_whitespace() => break,
                next => {
                    has_wildcards |= matches!(next, '*' | '?');
                    text.push(next);
                }
            }
            self.at += 1;
        }
        if text.is_empty() {
            return self.fail(&format!("unexpected '{}'", self.peek().unwrap_or_default()));
        }
        Ok((if has_wildcards { text } else { text.replace('\\', "") }, has_wildcards))
    }

    /// `[low TO high]`; braces leave the end out.
    fn range(&mut self, field: Option<String>) -> Outcome<Query> {
        let with_low = self.peek() == Some('[');
        self.at += 1;
        let low = self.end()?;
        self.skip_blanks();
        if !self.eat_word("TO") {
            return self.fail("a range needs TO");
        }
        let high = self.end()?;
        self.skip_blanks();
        let with_high = match self.peek() {
            Some(']') => true,
            Some('}') => false,
            _ => return self.fail("a range is not closed"),
        };
        self.at += 1;
        let end = |text: String, with: bool| (text != "*").then_some((text, with));
        Ok(Query::Range { field, low: end(low, with_low), high: end(high, with_high) })
    }

    /// One end of a range. Times have colons, which mean nothing here.
    fn end(&mut self) -> Outcome<String> {
        self.skip_blanks();
        if self.peek() == Some('"') {
            return self.until('"');
        }
        let mut text = String::new();
        while let Some(next) = self.peek().filter(|next| !next.is_whitespace() && !"]}".contains(*next)) {
            text.push(next);
            self.at += 1;
        }
        if text.is_empty() { self.fail("a range has no end") } else { Ok(text.replace('\\', "")) }
    }

    /// `>=5` after a field.
    fn comparison(&mut self, field: Option<String>) -> Query {
        let is_less = self.peek() == Some('<');
        self.at += 1;
        let with = self.eat("=");
        let mut text = String::new();
        while let Some(next) = self.peek().filter(|next| !next.is_whitespace() && *next != ')') {
            text.push(next);
            self.at += 1;
        }
        let end = Some((text.replace('\\', ""), with));
        match is_less {
            true => Query::Range { field, low: None, high: end },
            false => Query::Range { field, low: end, high: None },
        }
    }
}
