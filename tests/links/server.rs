//! The function over a place, and clients that follow its redirects.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use operations::serve_links::ServeLinks;
use serde_json::{Value, json};
use shared::{
    aws,
    batch::Invocation,
    context::Context,
    environment::Environment,
    function::{Authorized, Function, Origin},
    http::{Body, Transport, empty},
};
use tests::in_process;

use crate::place::{Place, TABLE};

/// One instance of the function.
pub(crate) struct Server(ServeLinks);

impl Server {
    pub(crate) async fn of(place: &Place) -> Self {
        Self::over(in_process::transport(place.aws.router()), &place.context).await
    }

    /// An instance with a way of its own to AWS.
    pub(crate) async fn over(transport: Transport, context: &Context) -> Self {
        let settings = json!({
            "environment": "test", "table": TABLE, "link_window_minutes": 15,
        });
        let sdk = aws::connect_to(&transport, context, "http://aws.test", "test");
        let settings = serde_json::from_value(settings).unwrap();
        let environment = Environment::new(settings, context.clone(), transport, &sdk);
        Self(ServeLinks::connect(&environment).await.unwrap())
    }

    pub(crate) async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.0.answer(request, Invocation { deadline: i64::MAX }).await
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        token: &str,
        address: &str,
        accept: &str,
    ) -> Response<Bytes> {
        self.answer(asking(method, &format!("/{token}"), address, accept, None)).await
    }

    pub(crate) async fn get(&self, token: &str, address: &str) -> Response<Bytes> {
        self.ask(Method::GET, token, address, "*/*").await
    }
}

/// A request as the door hands it over.
pub(crate) fn asking(
    method: Method,
    target: &str,
    address: &str,
    accept: &str,
    claims: Option<Value>,
) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri(target).body(Bytes::new()).unwrap();
    request.headers_mut().insert("accept", HeaderValue::from_str(accept).unwrap());
    request.extensions_mut().insert(Origin(address.parse().unwrap()));
    if let Some(Value::Object(claims)) = claims {
        request.extensions_mut().insert(Authorized(claims));
    }
    request
}

/// What a client gets that follows a redirect.
pub(crate) async fn fetch(
    place: &Place,
    method: Method,
    address: &str,
    headers: &[(&str, &str)],
) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    in_process::call(place.aws.router(), request.body(empty()).unwrap()).await
}

pub(crate) async fn body_of(response: Response<Body>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}
