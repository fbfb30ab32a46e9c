//! What Lambda hands to a function that no queue feeds, and what it takes back.

use std::net::IpAddr;

use aws_lambda_events::event::lambda_function_urls::LambdaFunctionUrlRequest;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Map, Value, json};

use crate::{
    error::{Error, Result},
    function::{Authorized, Origin},
};

/// What an invocation is about.
pub(super) enum Door {
    /// A schedule's hour has come.
    Schedule,
    /// Somebody asks: through a function URL, or an HTTP API with payload format 2.0, which look the same.
    Http(Box<Request<Bytes>>),
}

impl Door {
    /// Reads an event.
    pub(super) fn of(event: Value) -> Result<Self> {
        if event.pointer("/requestContext/http/method").is_some() {
            return request(event).map(Box::new).map(Self::Http);
        }
        if event.get("detail-type").and_then(Value::as_str) == Some("Scheduled Event") {
            return Ok(Self::Schedule);
        }
        Err(Error::invalid("event.unknown", "the event is neither a schedule's nor an HTTP request")
            .remedy("invoke with {\"detail-type\": \"Scheduled Event\"}, or through the function URL"))
    }
}

fn request(event: Value) -> Result<Request<Bytes>> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Error::invalid("event.not-http", format!("the HTTP event cannot be read: {error}"))
    };
    // Put there by an HTTP API whose route has an authorizer: one for JSON web tokens, or a function.
    let authorized = ["/requestContext/authorizer/jwt/claims", "/requestContext/authorizer/lambda"]
        .iter()
        .find_map(|place| event.pointer(place)?.as_object().cloned());
    let event: LambdaFunctionUrlRequest =
        serde_json::from_value(event).map_err(|error| unreadable(&error))?;
    let text = event.body.unwrap_or_default();
    let body = if event.is_base64_encoded {
        Bytes::from(BASE64_STANDARD.decode(text).map_err(|error| unreadable(&error))?)
    } else {
        Bytes::from(text)
    };
    let path = event.raw_path.filter(|path| path.starts_with('/')).unwrap_or_else(|| "/".to_owned());
    let target = match event.raw_query_string.as_deref() {
        None | Some("") => path,
        Some(query) => format!("{path}?{query}"),
    };
    let method = event.request_context.http.method.unwrap_or_default();
    let built = Request::builder().method(method.as_str()).uri(target).body(body);
    let mut request = built.map_err(|error| unreadable(&error))?;
    *request.headers_mut() = event.headers;
    let source = event.request_context.http.source_ip.and_then(|text| text.parse::<IpAddr>().ok());
    if let Some(address) = source {
        request.extensions_mut().insert(Origin(address));
    }
    if let Some(claims) = authorized {
        request.extensions_mut().insert(Authorized(claims));
    }
    Ok(request)
}

/// An answer as Lambda takes it.
pub(super) fn response(response: &Response<Bytes>) -> Value {
    let mut headers = Map::new();
    let mut cookies = Vec::new();
    for (name, value) in response.headers() {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if name == http::header::SET_COOKIE {
            cookies.push(text);
            continue;
        }
        match headers.get_mut(name.as_str()).and_then(|entry: &mut Value| entry.as_str().map(str::to_owned)) {
            Some(first) => headers.insert(name.to_string(), format!("{first}, {text}").into()),
            None => headers.insert(name.to_string(), text.into()),
        };
    }
    let (body, encoded) = match std::str::from_utf8(response.body()) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (BASE64_STANDARD.encode(response.body()), true),
    };
    json!({
        "statusCode": response.status().as_u16(), "headers": headers, "cookies": cookies,
        "body": body, "isBase64Encoded": encoded,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http_event(more: Value) -> Value {
        let mut event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/changes", "rawQueryString": "a=1&b=%20",
            "headers": {"webhook-id": "m1", "content-type": "application/json"},
            "requestContext": {
                "accountId": "anonymous", "apiId": "x", "timeEpoch": 1_583_348_638_390_i64,
                "http": {"method": "POST", "path": "/changes", "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7", "userAgent": "test"}
            },
            "body": "{\"node\":1}", "isBase64Encoded": false
        });
        for (key, value) in more.as_object().unwrap() {
            event[key] = value.clone();
        }
        event
    }

    fn asked(event: Value) -> Request<Bytes> {
        match Door::of(event).unwrap() {
            Door::Http(request) => *request,
            Door::Schedule => panic!("a schedule"),
        }
    }

    #[test]
    fn a_function_url_request_becomes_a_request() {
        let request = asked(http_event(json!({})));
        assert_eq!(
            (request.method().as_str(), request.uri().to_string().as_str()),
            ("POST", "/changes?a=1&b=%20")
        );
        assert_eq!(request.headers()["webhook-id"], "m1");
        assert_eq!(request.body().as_ref(), b"{\"node\":1}");
        assert_eq!(request.extensions().get::<Origin>(), Some(&Origin("203.0.113.7".parse().unwrap())));
    }

    #[test]
    fn what_an_authorizer_says_is_told_apart_from_what_the_request_says() {
        let claims = json!({"email": "a@example.com", "email_verified": "true"});
        let context = |authorizer: Value| {
            let mut context = http_event(json!({}))["requestContext"].clone();
            context["authorizer"] = authorizer;
            json!({"requestContext": context})
        };
        for authorizer in [json!({"jwt": {"claims": claims, "scopes": null}}), json!({"lambda": claims})] {
            let request = asked(http_event(context(authorizer)));
            assert_eq!(request.extensions().get::<Authorized>().unwrap().0, *claims.as_object().unwrap());
        }
        let forged = json!({"headers": {"authorizer": claims.to_string()}, "authorizer": {"jwt": {"claims": claims}},
            "queryStringParameters": {"email": "a@example.com"}});
        assert_eq!(asked(http_event(forged)).extensions().get::<Authorized>(), None);
        assert_eq!(asked(http_event(context(Value::Null))).extensions().get::<Authorized>(), None);
    }

    #[test]
    fn an_encoded_body_is_decoded_and_a_missing_one_is_empty() {
        let encoded = asked(http_event(json!({"body": "AP8=", "isBase64Encoded": true})));
        assert_eq!(encoded.body().as_ref(), [0, 255]);
        assert!(asked(http_event(json!({"body": null}))).body().is_empty());
    }

    #[test]
    fn a_schedule_is_known_by_its_kind_and_anything_else_is_refused() {
        let event =
            json!({"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}});
        assert!(matches!(Door::of(event), Ok(Door::Schedule)));
        for event in [json!({}), json!(null), json!({"Records": []})] {
            assert_eq!(Door::of(event).err().unwrap().code(), "event.unknown");
        }
        let broken = http_event(json!({"body": "%", "isBase64Encoded": true}));
        assert_eq!(Door::of(broken).err().unwrap().code(), "event.not-http");
    }

    #[test]
    fn an_answer_keeps_its_status_headers_and_bytes() {
        let answer = Response::builder()
            .status(302)
            .header("location", "https://example.com/x")
            .header("vary", "accept")
            .header("vary", "range")
            .header("set-cookie", "a=1")
            .body(Bytes::from_static(&[0xff, 0x00]))
            .unwrap();
        assert_eq!(
            response(&answer),
            json!({
                "statusCode": 302,
                "headers": {"location": "https://example.com/x", "vary": "accept, range"},
                "cookies": ["a=1"], "body": "/wA=", "isBase64Encoded": true,
            })
        );
    }
}
