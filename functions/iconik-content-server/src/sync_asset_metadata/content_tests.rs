use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{
    content::{Content, FieldOption, Kind, Many, Misfit, Scalar, Shape},
    state::Side,
};

fn of(shape: &Shape, value: &Json) -> Content {
    let values = match value {
        Json::Array(values) => values.clone(),
        one => vec![one.clone()],
    };
    shape.content(&values, &TimeZone::UTC)
}

fn rights() -> Shape {
    let option = |iconik: &str, label: &str, content_server: &str| FieldOption {
        iconik: iconik.to_owned(),
        label: Some(label.to_owned()),
        content_server: content_server.to_owned(),
    };
    let options = vec![
        option("cleared", "Cleared", "Cleared for use"),
        option("expired", "Rights have expired", "Expired"),
    ];
    Shape { options, ..Shape::one(Kind::Text) }
}

fn set() -> Shape {
    Shape { many: Many::Set, ..Shape::one(Kind::Text) }
}

#[test]
fn what_is_only_spelled_differently_is_the_same() {
    let date_time = Shape::one(Kind::DateTime);
    let list = Shape { many: Many::List, ..Shape::one(Kind::Integer) };
    for (shape, spellings) in [
        (Shape::one(Kind::Text), vec![json!(null), json!(""), json!("  \t"), json!([]), json!(["", null])]),
        (Shape::one(Kind::Text), vec![json!("Spring"), json!(" Spring \n"), json!(["Spring", ""])]),
        (Shape::one(Kind::Text), vec![json!("Café\nNord"), json!("Cafe\u{301}\r\nNord")]),
        (Shape::one(Kind::Text), vec![json!("7"), json!(7)]),
        (Shape::one(Kind::Integer), vec![json!(7), json!("7"), json!(7.0), json!("+7.00"), json!(" 7 ")]),
        (Shape::one(Kind::Decimal), vec![json!(1500), json!("1500.00"), json!("1.5e3")]),
        (Shape::one(Kind::Boolean), vec![json!(true), json!("True"), json!(1), json!("yes")]),
        (Shape::one(Kind::Boolean), vec![json!(false), json!("FALSE"), json!("0"), json!("no")]),
        (
            Shape::one(Kind::Date),
            vec![json!("2031-05-06"), json!("2031-05-06T00:00:00"), json!("2031-05-06 00:00:00")],
        ),
        (
            date_time,
            vec![
                json!("2031-05-06T07:08:09Z"),
                json!("2031-05-06T07:08:09.123456+00:00"),
                json!("2031-05-06T09:08:09+02:00"),
                json!("2031-05-06T07:08:09.25"),
                json!("2031-05-06 07:08:09"),
            ],
        ),
        (set(), vec![json!(["b", "a"]), json!(["a", "b", "a "]), json!(["a", "", "b"])]),
        (list, vec![json!([3, 1, 3]), json!(["3", "1.0", 3])]),
        (rights(), vec![json!("cleared"), json!("Cleared"), json!("Cleared for use ")]),
    ] {
        let contents: Vec<Content> = spellings.iter().map(|spelling| of(&shape, spelling)).collect();
        for (content, spelling) in contents.iter().zip(&spellings) {
            assert_eq!(*content, contents[0], "{spelling} against {}", spellings[0]);
            assert_eq!(content.misfit(), None, "{spelling}");
        }
    }
}

#[test]
fn what_is_different_stays_different() {
    let list = Shape { many: Many::List, ..Shape::one(Kind::Text) };
    for (shape, one, other) in [
        (Shape::one(Kind::Text), json!("spring"), json!("Spring")),
        (Shape::one(Kind::Text), json!("a b"), json!("a  b")),
        (Shape::one(Kind::Text), json!("7"), json!("7.0")),
        (Shape::one(Kind::Integer), json!(7), json!(-7)),
        (Shape::one(Kind::Decimal), json!("0.1"), json!("0.10000000000000001")),
        (Shape::one(Kind::Boolean), json!(false), json!(null)),
        (Shape::one(Kind::Date), json!("2031-05-06"), json!("2031-06-05")),
        (Shape::one(Kind::DateTime), json!("2031-05-06T07:08:09Z"), json!("2031-05-06T07:08:10Z")),
        (set(), json!(["a"]), json!(["a", "b"])),
        (list, json!(["a", "b"]), json!(["b", "a"])),
        (rights(), json!("cleared"), json!("expired")),
    ] {
        assert_ne!(of(&shape, &one), of(&shape, &other), "{one} against {other}");
    }
}

#[test]
fn what_does_not_fit_says_why_and_is_kept() {
    let short = Shape { longest: Some(4), ..Shape::one(Kind::Text) };
    let joined = Shape { separator: Some("; ".to_owned()), ..set() };
    for (shape, value, why) in [
        (Shape::one(Kind::Date), json!("next spring"), Misfit::Type),
        (Shape::one(Kind::Date), json!("2031-02-30"), Misfit::Type),
        (Shape::one(Kind::Integer), json!("7.5"), Misfit::Type),
        (Shape::one(Kind::Decimal), json!("1,5"), Misfit::Type),
        (Shape::one(Kind::Boolean), json!("perhaps"), Misfit::Type),
        (Shape::one(Kind::Text), json!({"value": "x"}), Misfit::Type),
        (Shape::one(Kind::Text), json!(["a", "b"]), Misfit::Several),
        (rights(), json!("lapsed"), Misfit::Option),
        (short, json!("longer"), Misfit::Long),
        (joined, json!(["a;b"]), Misfit::Separator),
    ] {
        let content = of(&shape, &value);
        assert_eq!(content.misfit(), Some(why), "{value}");
        let Content::Unfit(_, texts) = &content else { panic!("{content:?}") };
        assert!(!texts.is_empty(), "{value} is not kept");
        assert_eq!(shape.spell(&content, Side::Iconik), None, "{value} would be written");
    }
}

#[test]
fn each_side_is_written_to_in_its_own_words() {
    let rights = rights();
    let expired = of(&rights, &json!("Rights have expired"));
    assert_eq!(rights.spell(&expired, Side::Iconik), Some(vec![json!("expired")]));
    assert_eq!(rights.spell(&expired, Side::ContentServer), Some(vec![json!("Expired")]));

    let joined = Shape { separator: Some("; ".to_owned()), ..set() };
    let tags = of(&joined, &json!(["winter", "snow"]));
    assert_eq!(joined.spell(&tags, Side::Iconik), Some(vec![json!("snow"), json!("winter")]));
    assert_eq!(joined.spell(&tags, Side::ContentServer), Some(vec![json!("snow; winter")]));
    assert_eq!(joined.content_of_joined("winter;snow;", &TimeZone::UTC), tags);

    let budget = Shape::one(Kind::Decimal);
    let large = of(&budget, &json!("12345678901234567890.5"));
    assert_eq!(budget.spell(&large, Side::Iconik), Some(vec![json!("12345678901234567890.5")]));
    assert_eq!(budget.spell(&Content::Nothing, Side::Iconik), Some(vec![]));
}

#[test]
fn a_moment_without_an_offset_is_that_of_the_side() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let shape = Shape::one(Kind::DateTime);
    let there = shape.content(&[json!("2031-05-06T09:08:09")], &berlin);
    assert_eq!(there, of(&shape, &json!("2031-05-06T07:08:09Z")));
    let day = Shape::one(Kind::Date).content(&[json!("2031-05-05T23:30:00Z")], &berlin);
    assert_eq!(day.values(), [Scalar::Date("2031-05-06".parse().unwrap())]);
}

#[test]
fn another_language_is_kept_as_it_is_and_a_text_that_turns_its_surroundings_round_does_not_fit() {
    let text = Shape::one(Kind::Text);
    for kept in [
        "המסוף \u{2067}Terminal 2\u{2069} נפתח",
        "\u{200f}שלום\u{200f} (\u{200e}1\u{200e})",
        "\u{202b}abc\u{202c} \u{202e}x\u{202c}",
        "مرحبا\u{61c}",
        "two\nlines\tand a tab",
        "👩\u{200d}🎤 日本語 ＡＢＣ",
    ] {
        assert_eq!(of(&text, &json!(kept)).values(), [Scalar::Text(kept.to_owned())], "{kept:?}");
    }
    for reaching in [
        "gnp.\u{202e}sthgiL",
        "a\u{2069}b",
        "\u{2066}open",
        "\u{202b}two\nlines\u{202c}",
        "bell\u{7}",
        "escape \u{1b}[31m",
        "next\u{85}line",
    ] {
        let content = of(&text, &json!(reaching));
        assert_eq!(content.misfit(), Some(Misfit::Controls), "{reaching:?}");
    }
}

fn any_shape() -> impl Strategy<Value = Shape> {
    let kinds = [Kind::Text, Kind::Integer, Kind::Decimal, Kind::Boolean, Kind::Date, Kind::DateTime];
    let many = [Many::One, Many::List, Many::Set];
    (prop::sample::select(kinds.to_vec()), prop::sample::select(many.to_vec()), any::<bool>()).prop_map(
        |(kind, many, joined)| {
            let separator = (joined && kind == Kind::Text && many != Many::One).then(|| "; ".to_owned());
            Shape { many, separator, ..Shape::one(kind) }
        },
    )
}

fn any_value() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e9..1e9).prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
        "[ \ta-c;é\u{301}\r\n]{0,8}".prop_map(Json::from),
        "-?[0-9]{1,20}(\\.[0-9]{1,8})?".prop_map(Json::from),
        "20[0-9]{2}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|\\+0[0-9]:00)?)?"
            .prop_map(Json::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Else every write would be answered with another one.
    #[test]
    fn what_is_written_to_a_side_is_read_there_as_it_was_meant(
        shape in any_shape(),
        values in prop::collection::vec(any_value(), 0..4),
    ) {
        let content = shape.content(&values, &TimeZone::UTC);
        for side in Side::BOTH {
            let Some(spelled) = shape.spell(&content, side) else {
                prop_assert!(content.misfit().is_some());
                continue;
            };
            let came = match (spelled.as_slice(), side, &shape.separator) {
                ([Json::String(text)], Side::ContentServer, Some(_)) => shape.content_of_joined(text, &TimeZone::UTC),
                _ => shape.content(&spelled, &TimeZone::UTC),
            };
            prop_assert_eq!(&came, &content, "{:?} was spelled {:?} for {}", values, spelled, side.name());
        }
    }
}
