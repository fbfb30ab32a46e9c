//! The subset of the query language that integrations use: region comparisons joined by AND, OR, AND-NOT and NOT.
//!
//! Forms: `OTName:"x"`, `"OTModifyDate":<20310101`, `[QLREGION "OTName"] = "x"`. Texts compare without regard to
//! case; `*` and `?` in a text are wildcards. Ranges are written `"20310101~20310131"`.

use std::cmp::Ordering;

/// A query that cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LqlError(String);

/// How a region compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A parsed query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// All hold.
    And(Box<Expression>, Box<Expression>),
    /// One holds.
    Or(Box<Expression>, Box<Expression>),
    /// It does not hold.
    Not(Box<Expression>),
    /// A region compares with a value.
    #[doc(hidden)]
    Compare(Comparison),
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    region: String,
    operator: Operator,
    value: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Operator(Operator),
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Colon,
}

impl Expression {
    /// Whether an item matches; `region` gives its values.
    pub fn matches(&self, region: &dyn Fn(&str) -> Vec<String>) -> bool {
        match self {
            Self::And(left, right) => left.matches(region) && right.matches(region),
            Self::Or(left, right) => left.matches(region) || right.matches(region),
            Self::Not(inner) => !inner.matches(region),
            Self::Compare(comparison) => {
                let values = region(&comparison.region);
                if comparison.operator == Operator::NotEqual {
                    return values.iter().all(|value| !equal(value, &comparison.value));
                }
                values.iter().any(|value| comparison.holds(value))
            }
        }
    }
}

impl Comparison {
    fn holds(&self, value: &str) -> bool {
        match self.operator {
            Operator::Equal => equal(value, &self.value),
            Operator::NotEqual => !equal(value, &self.value),
            Operator::Less => order(value, &self.value) == Ordering::Less,
            Operator::LessOrEqual => order(value, &self.value) != Ordering::Greater,
            Operator::Greater => order(value, &self.value) == Ordering::Greater,
            Operator::GreaterOrEqual => order(value, &self.value) != Ordering::Less,
        }
    }
}

fn equal(value: &str, wanted: &str) -> bool {
    if let Some((from, to)) = wanted.split_once('~') {
        return order(value, from) != Ordering::Less && order(value, to) != Ordering::Greater;
    }
    let (value, wanted) = (value.to_lowercase(), wanted.to_lowercase());
    if !wanted.contains(['*', '?']) {
        return value == wanted;
    }
    // The usual case, and a pattern is not compiled for every item.
    if let Some(beginning) = wanted.strip_suffix('*').filter(|rest| !rest.contains(['*', '?'])) {
        return value.starts_with(beginning);
    }
    let pattern = regex::escape(&wanted).replace(r"\*", ".*").replace(r"\?", ".");
    regex::Regex::new(&format!("(?s)^{pattern}$")).is_ok_and(|pattern| pattern.is_match(&value))
}

fn order(left: &str, right: &str) -> Ordering {
    match (left.parse::<i128>(), right.parse::<i128>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => left.to_lowercase().cmp(&right.to_lowercase()),
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, LqlError> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        found.push(match c {
            c if c.is_whitespace() => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            '[' => Token::OpenBracket,
            ']' => Token::CloseBracket,
            ':' => Token::Colon,
            '=' => Token::Operator(Operator::Equal),
            '<' if rest.next_if_eq(&'>').is_some() => Token::Operator(Operator::NotEqual),
            '<' if rest.next_if_eq(&'=').is_some() => Token::Operator(Operator::LessOrEqual),
            '<' => Token::Operator(Operator::Less),
            '>' if rest.next_if_eq(&'=').is_some() => Token::Operator(Operator::GreaterOrEqual),
            '>' => Token::Operator(Operator::Greater),
            '!' if rest.next_if_eq(&'=').is_some() => Token::Operator(Operator::NotEqual),
            quote @ ('"' | '\'') => {
                let mut inside = String::new();
                loop {
                    match rest.next() {
                        Some('\\') => inside.extend(rest.next()),
                        Some(c) if c == quote => break Token::Quoted(inside),
                        Some(c) => inside.push(c),
                        None => return Err(LqlError("a quote is not closed".to_owned())),
                    }
                }
            }
            c => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| !c.is_whitespace() && !"()[]:=<>!\"".contains(*c)) {
                    word.push(c);
                }
                Token::Word(word)
            }
        });
    }
    Ok(found)
}

/// Parses a query.
pub(super) fn parse(text: &str) -> Result<Expression, LqlError> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: tokens.into_iter().peekable(), depth: 0 };
    let expression = parser.or()?;
    match parser.tokens.next() {
        None => Ok(expression),
        Some(token) => Err(LqlError(format!("unexpected {token:?}"))),
    }
}

/// Deepest nesting of parentheses.
const DEEPEST: usize = 64;

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Parser {
    fn keyword(&mut self, keyword: &str) -> bool {
        let same = |token: &Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.tokens.next_if(same).is_some()
    }

    fn or(&mut self) -> Result<Expression, LqlError> {
        let mut left = self.and()?;
        while self.keyword("OR") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, LqlError> {
        let mut left = self.one()?;
        loop {
            if self.keyword("AND-NOT") {
                let right = Expression::Not(Box::new(self.one()?));
                left = Expression::And(Box::new(left), Box::new(right));
            } else if self.keyword("AND") {
                left = Expression::And(Box::new(left), Box::new(self.one()?));
            } else {
                return Ok(left);
            }
        }
    }

    fn one(&mut self) -> Result<Expression, LqlError> {
        if self.keyword("NOT") {
            return Ok(Expression::Not(Box::new(self.one()?)));
        }
        match self.tokens.next() {
            Some(Token::Open) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(LqlError("the query is nested too deeply".to_owned()));
                }
                let inner = self.or()?;
                self.expect(&Token::Close)?;
                self.depth -= 1;
                Ok(inner)
            }
            Some(Token::OpenBracket) => {
                if !self.keyword("QLREGION") {
                    return Err(LqlError("expected QLREGION".to_owned()));
                }
                let region = self.text()?;
                self.expect(&Token::CloseBracket)?;
                self.comparison(region, false)
            }
            Some(Token::Word(region) | Token::Quoted(region)) => self.comparison(region, true),
            other => Err(LqlError(format!("unexpected {other:?}"))),
        }
    }

    /// After the region: `: value`, `:< value`, `= value`. A bare word is looked for in the name.
    fn comparison(&mut self, region: String, bare: bool) -> Result<Expression, LqlError> {
        let colon = self.tokens.next_if_eq(&Token::Colon).is_some();
        let operator = match self.tokens.peek() {
            Some(Token::Operator(operator)) => {
                let operator = *operator;
                self.tokens.next();
                operator
            }
            _ if colon => Operator::Equal,
            _ if bare => {
                let value = format!("*{region}*");
                let region = "OTName".to_owned();
                return Ok(Expression::Compare(Comparison { region, operator: Operator::Equal, value }));
            }
            _ => return Err(LqlError(format!("expected an operator after {region}"))),
        };
        let value = self.text()?;
        Ok(Expression::Compare(Comparison { region, operator, value }))
    }

    fn text(&mut self) -> Result<String, LqlError> {
        match self.tokens.next() {
            Some(Token::Word(text) | Token::Quoted(text)) => Ok(text),
            other => Err(LqlError(format!("expected a value, found {other:?}"))),
        }
    }

    fn expect(&mut self, token: &Token) -> Result<(), LqlError> {
        match self.tokens.next_if_eq(token) {
            Some(_) => Ok(()),
            None => Err(LqlError(format!("expected {token:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(query: &str) -> bool {
        parse(query).unwrap().matches(&|region| match region {
            "OTName" => vec!["Photo 1.jpg".to_owned()],
            "OTSubType" => vec!["144".to_owned()],
            "OTModifyDate" => vec!["20310506".to_owned()],
            "OTModifyTime" => vec!["070809".to_owned()],
            "OTLocation" => vec!["2000".to_owned(), "3001".to_owned()],
            _ => Vec::new(),
        })
    }

    #[test]
    fn the_three_notations_mean_the_same() {
        assert!(matches(r#"OTSubType:144 AND OTName:"photo 1.jpg""#));
        assert!(matches(r#""OTSubType":144 and "OTModifyDate":<20310507"#));
        assert!(matches(r#"[QLREGION "OTName"] = "photo*""#));
    }

    #[test]
    fn a_connector_asks_for_everything_since_a_moment() {
        let since = |day: &str, time: &str| {
            matches(&format!(
                "[QLREGION \"OTModifyDate\"] = \"{day}\" AND [QLREGION \"OTModifyTime\"] > \"{time}\" \
                 OR [QLREGION \"OTModifyDate\"] > \"{day}\""
            ))
        };
        assert!(since("20310505", "235959"));
        assert!(since("20310506", "070808"));
        assert!(!since("20310506", "070809"));
    }

    #[test]
    fn places_ranges_and_negation() {
        assert!(matches("OTLocation:3001 AND-NOT OTSubType:0"));
        assert!(matches(r#"OTModifyDate:"20310501~20310531""#));
        assert!(!matches("NOT (OTSubType:144 OR OTSubType:0)"));
        assert!(matches("OTSubType != 0"));
    }

    #[test]
    fn nonsense_is_an_error() {
        for query in ["", "OTName:", "(OTName:x", "OTName:\"x", "[OTName] = 1", "OTName:x OTName:y )"] {
            assert!(parse(query).is_err(), "{query}");
        }
    }
}
