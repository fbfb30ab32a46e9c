//! Whatever anybody sends who knows the secret: it is answered, it breaks nothing, and only names get through.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{ASSET, MOMENT, SECRET, contents, door, metadata, post, press, run, share};

/// Any JSON there is, with the texts that people's data has.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        Just("\u{202e}\u{2066}gpj.exe".to_owned()),
        Just(ASSET.to_owned()),
        Just("metadata".to_owned()),
        "[a-zA-Z0-9_.-]{0,200}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 8, |inner| {
        let key = prop_oneof!["[a-z_]{1,12}", Just("object_id".to_owned()), Just("date_x".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// One of iconik's bodies, with some of its members replaced, removed or added.
fn damaged() -> impl Strategy<Value = Bytes> {
    let whole = prop_oneof![
        Just(contents()),
        Just(share()),
        Just(metadata("2123456789abcdef")),
        Just(press(&[ASSET], MOMENT)),
    ];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any_json(), any::<u8>()), 0..4);
    (whole, changes).prop_map(|(mut body, changes)| {
        for (place, value, how) in changes {
            let inside = how & 1 == 1 && body["data"].is_object();
            let target = if inside { &mut body["data"] } else { &mut body };
            let Some(members) = target.as_object_mut() else { continue };
            let Some(name) =
                (!members.is_empty()).then(|| place.get(&members.keys().collect::<Vec<_>>()).to_string())
            else {
                continue;
            };
            match how >> 1 & 3 {
                0 => drop(members.remove(&name)),
                1 => drop(members.insert(format!("{name}_id"), value)),
                _ => drop(members.insert(name, value)),
            }
        }
        Bytes::from(body.to_string())
    })
}

fn anything() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        3 => damaged(),
        1 => prop::collection::vec(any::<u8>(), 0..2000).prop_map(Bytes::from),
        1 => any_json().prop_map(|json| Bytes::from(json.to_string())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_body_breaks_the_door_and_only_names_get_through(body in anything(), is_action in any::<bool>()) {
        let path = if is_action { "/actions" } else { "/webhooks" };
        run(async move {
            let world = door().await;
            let answer = world.ask(post(path, SECRET, body)).await;
            let status = answer.status().as_u16();
            assert!([200, 202, 400, 403, 413, 422].contains(&status), "{status}: {:?}", answer.body());
            let said: Value = serde_json::from_slice(answer.body()).expect("JSON");
            assert_eq!(status < 300, said["accepted"].is_u64(), "{said}");
            assert_eq!(said["accepted"].as_u64().unwrap_or_default(), world.told().len() as u64);
            let kept = world.kept();
            assert!(kept.is_ascii() && !kept.contains("eyJ"), "{kept}");
            for one in world.told() {
                assert!(["assets", "collections"].contains(&one.change.object_type.as_str()));
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
                assert!(one.change.object_id.bytes().all(fits), "{:?}", one.change);
            }
        });
    }
}
