//! Shares: a link for people outside. It takes a moment until it can be used.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::{Event, Object, Outcome, Refusal, State};
use super::object;

/// What has to be said of a share.
const REQUIRED: &[&str] =
    &["allow_download", "allow_comments", "allow_approving_comments", "allow_setting_approve_status"];

/// What else can be said, and what it is when nothing is.
const OPTIONAL: &[&str] = &[
    "title",
    "expires",
    "is_approval",
    "metadata_views",
    "project_id",
    "upload_storage_id",
    "allow_upload",
    "allow_download_proxy",
    "allow_custom_actions",
    "allow_view_versions",
    "allow_view_transcriptions",
    "allow_user_search_for_mentions",
    "show_watermark",
    "drm",
];

/// A share.
#[derive(Clone, Debug)]
pub struct Share {
    /// As it is shown.
    pub object: Object,
    /// Who may look, as they are shown.
    pub users: Vec<Object>,
    ready: Timestamp,
}

impl Share {
    /// Whether it shares this object.
    pub fn is_of(&self, object_type: &str, object_id: &str) -> bool {
        let is = |name: &str, wanted: &str| self.object.get(name).and_then(Value::as_str) == Some(wanted);
        is("object_type", object_type) && is("object_id", object_id)
    }
}

impl State {
    /// Shares one object; `objects` are ids when it is several.
    pub fn create_share(
        &mut self,
        user: &str,
        object_type: &str,
        objects: &[&str],
        given: &Object,
        at_once: bool,
    ) -> Outcome<String> {
        for id in objects {
            self.must_exist(object_type, id)?;
        }
        let missing = REQUIRED.iter().filter(|name| !given.get(**name).is_some_and(Value::is_boolean));
        let missing: Vec<_> =
            missing.map(|name| ((*name).to_owned(), "Missing data for required field.".to_owned())).collect();
        if !missing.is_empty() {
            return Err(Refusal::Invalid(missing));
        }
        let id = self.new_id();
        let mut share = object(json!({
            "id": id, "owner_id": user, "object_type": object_type, "url": null, "date_created": self.time(),
            "object_id": objects.first(), "system_domain_id": self.system_domain_id, "has_password": false,
            "population_status": "POPULATING", "metadata_views": [], "drm": "none",
        }));
        take_given(&mut share, given);
        let ready = self.after(if at_once { 0 } else { self.settings.shares.population_seconds });
        let emails = given.get("emails").and_then(Value::as_array).into_iter().flatten();
        let emails: Vec<String> = emails.filter_map(Value::as_str).map(str::to_owned).collect();
        self.review.shares.insert(id.clone(), Share { object: share, users: Vec::new(), ready });
        for email in emails {
            self.add_share_user(&id, &object(json!({ "email": email })))?;
        }
        if at_once {
            self.populate_shares();
        }
        let data = self.share(object_type, objects.first().copied().unwrap_or_default(), &id)?.object.clone();
        self.emit(Event {
            event_type: if object_type == "assets" { "assets" } else { "collections" },
            realm: "shares",
            operation: "create",
            object_id: id.clone(),
            user_id: user.to_owned(),
            data: Value::Object(data),
        });
        Ok(id)
    }

    /// Changes what is given.
    pub fn edit_share(
        &mut self,
        object_type: &str,
        object_id: &str,
        id: &str,
        given: &Object,
    ) -> Outcome<()> {
        take_given(&mut self.share_mut(object_type, object_id, id)?.object, given);
        Ok(())
    }

    /// Ends a share.
    pub fn delete_share(&mut self, user: &str, object_type: &str, object_id: &str, id: &str) -> Outcome<()> {
        let share = self.share(object_type, object_id, id)?.object.clone();
        self.review.shares.remove(id);
        self.emit(Event {
            event_type: if object_type == "assets" { "assets" } else { "collections" },
            realm: "shares",
            operation: "delete",
            object_id: id.to_owned(),
            user_id: user.to_owned(),
            data: Value::Object(share),
        });
        Ok(())
    }

    /// Lets one more look.
    pub fn add_share_user(&mut self, share: &str, given: &Object) -> Outcome<Object> {
        let Some(email) = given.get("email").and_then(Value::as_str) else {
            return Err(Refusal::field("email", "Missing data for required field."));
        };
        let id = self.new_id();
        let internal = self.users.iter().find(|user| user.email == email).map(|user| user.id.clone());
        let known = self.review.shares.get_mut(share).ok_or_else(|| Refusal::unknown("Share", share))?;
        let user = object(json!({
            "id": id, "email": email, "share_id": share, "internal_user_id": internal, "access_count": 0,
            "download_count": 0, "last_access_date": null, "first_name": given.get("first_name"),
            "last_name": given.get("last_name"), "object_id": known.object.get("object_id"),
            "object_type": known.object.get("object_type"), "photo": null, "photo_small": null, "photo_big": null,
        }));
        known.users.push(user.clone());
        Ok(user)
    }

    /// A share of this object, or 404.
    pub fn share(&self, object_type: &str, object_id: &str, id: &str) -> Outcome<&Share> {
        let found = self.review.shares.get(id).filter(|share| share.is_of(object_type, object_id));
        found.ok_or_else(|| Refusal::unknown("Share", id))
    }

    /// A share of this object to be changed, or 404.
    pub(in crate::iconik) fn share_mut(
        &mut self,
        object_type: &str,
        object_id: &str,
        id: &str,
    ) -> Outcome<&mut Share> {
        let found = self.review.shares.get_mut(id).filter(|share| share.is_of(object_type, object_id));
        found.ok_or_else(|| Refusal::unknown("Share", id))
    }

    /// Gives those their address whose time has come.
    pub(super) fn populate_shares(&mut self) {
        let now = self.now;
        for (id, share) in &mut self.review.shares {
            if share.object.get("url").is_none_or(Value::is_null) && share.ready <= now {
                let url = format!("https://app.iconik.example/share/{id}/");
                share.object.insert("url".to_owned(), url.into());
                share.object.insert("population_status".to_owned(), "FINISHED".into());
            }
        }
    }
}

/// Takes over what can be said. A password is only ever said to be there.
fn take_given(share: &mut Object, given: &Object) {
    let known = given.iter().filter(|(name, value)| {
        (REQUIRED.contains(&name.as_str()) && value.is_boolean())
            || (OPTIONAL.contains(&name.as_str()) && !value.is_null())
    });
    share.extend(known.map(|(name, value)| (name.clone(), value.clone())));
    if let Some(password) = given.get("password") {
        share.insert("has_password".to_owned(), password.as_str().is_some_and(|it| !it.is_empty()).into());
    }
}
