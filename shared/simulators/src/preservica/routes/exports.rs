//! Exports: asked for at an entity, fetched under their token.

use http::{HeaderValue, Response, header};

use super::super::call::Call;
use super::super::reply::{Outcome, Refusal, Reply};
use super::super::state::{Generations, Kind, Said, Wanted};
use super::super::xml::Element;

/// Asks for an export of a folder or an asset.
pub(super) fn begin(call: &mut Call<'_>, of: (Kind, &str)) -> Outcome<Reply> {
    if call.method != http::Method::POST || of.0 == Kind::ContentObject {
        return Err(Refusal::NoUrl);
    }
    let wanted = wanted(&call.xml("ExportAction")?)?;
    let user = call.user.clone();
    Ok(Reply::Text(202, call.state.ask_export(&user, of, wanted)?))
}

fn wanted(action: &Element) -> Outcome<Wanted> {
    let word = |name: &str| action.text_of(name).unwrap_or_default().to_lowercase();
    let wrong = |name: &str| Refusal::Invalid(format!("{name} has no value that is known"));
    Ok(Wanted {
        content: match word("IncludeContent").as_str() {
            "content" => true,
            "nocontent" => false,
            _ => return Err(wrong("IncludeContent")),
        },
        said: match word("IncludeMetadata").as_str() {
            "metadata" => Said::Metadata,
            "nometadata" => Said::Nothing,
            "metadatawithevents" => Said::WithEvents,
            _ => return Err(wrong("IncludeMetadata")),
        },
        generations: match word("IncludedGenerations").as_str() {
            "latestactive" => Generations::LatestActive,
            "allactive" => Generations::AllActive,
            "all" => Generations::All,
            _ => return Err(wrong("IncludedGenerations")),
        },
        parents: match word("IncludeParentHierarchy").as_str() {
            "true" => true,
            "false" => false,
            _ => return Err(wrong("IncludeParentHierarchy")),
        },
    })
}

/// The zip of an export that is done.
pub(super) fn content(call: &Call<'_>, token: &str) -> Outcome<Reply> {
    let content = call.state.exported(token)?;
    let mut response = Response::new(content.body(0, content.size));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(content.size));
    Ok(Reply::Whole(response))
}
