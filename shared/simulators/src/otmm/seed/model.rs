//! What the seeded site is made of: users, rights, lookups, models.

use super::super::state::{
    CHANGE, DELETE_ASSET, DELETE_FOLDER, DOWNLOAD, Domain, DomainValue, EXPIRATION, EXPORT, Element,
    FOLDER_MODEL, Field, Group, Kind, Model, Policy, State, SystemField, Template, User,
};
use super::*;

/// What everybody may do who may look at previews.
const PREVIEW: &str = "ASSET.DOWNLOAD_PREVIEW";

pub(super) fn people(state: &mut State) {
    let all = [CHANGE, DOWNLOAD, PREVIEW, EXPORT, DELETE_ASSET, DELETE_FOLDER];
    for (id, login, full_name, role, rights) in [
        (INTEGRATION_ID, INTEGRATION, "Integration", (5, "Integration"), &all[..]),
        (EDITOR_ID, EDITOR, "Media editor", (3, "Editor"), &[CHANGE, DOWNLOAD, PREVIEW, EXPORT][..]),
        (READER_ID, READER, "Media reader", (2, "Reader"), &[PREVIEW][..]),
    ] {
        state.users.push(User {
            id: id.to_owned(),
            login: login.to_owned(),
            password: PASSWORD.to_owned(),
            full_name: full_name.to_owned(),
            role: (role.0, role.1.to_owned()),
            rights: rights.iter().map(|right| (*right).to_owned()).collect(),
        });
    }
    state.client = (CLIENT_ID.to_owned(), CLIENT_SECRET.to_owned());
}

fn domain(id: &str, values: &[(&str, &str, bool)]) -> Domain {
    let value = |(value, display, expired): &(&str, &str, bool)| DomainValue {
        value: (*value).to_owned(),
        display: (*display).to_owned(),
        expired: *expired,
    };
    Domain { id: id.to_owned(), values: values.iter().map(value).collect() }
}

pub(super) fn lookups(state: &mut State) {
    state.domains = vec![
        domain(
            "CUSTOM.DOMAIN.STATUS",
            &[
                ("draft", "Draft", false),
                ("approved", "Approved ", false),
                ("rejected", "Rejected", false),
                ("on hold", "On hold", true),
            ],
        ),
        domain("CUSTOM.DOMAIN.LANGUAGE", &[("en", "English", false), ("de", " German", false)]),
        domain(
            "OTMM.DOMAIN.OTM_BUSINESS_UNIT.LU",
            &[("1", "Retail ", false), ("2", "Business Network", false), ("3", "Cybersecurity", false)],
        ),
        domain(
            "OTMM.DOMAIN.OTM_PRODUCT",
            &[("7", " Trading Grid", false), ("8", "Archive Center", false), ("9", "DO NOT USE", true)],
        ),
        domain("OTMM.DOMAIN.OTM_PRODUCT_NEW.LU", &[("n7", "Trading Grid Cloud", false)]),
    ];
    for (id, name) in [(POLICY, "Everybody"), (RESTRICTED_POLICY, "Archive only")] {
        state.policies.push(Policy { id, name: name.to_owned() });
    }
    let template = Template { id: TEMPLATE.to_owned(), model: MODEL.to_owned(), policies: vec![POLICY] };
    state.templates.push(template);
    state.system_fields = [
        ("ARTESIA.FIELD.ASSET ID", SystemField::AssetId),
        ("ARTESIA.FIELD.ORIGINAL ASSET ID", SystemField::OriginalId),
        ("ARTESIA.FIELD.IS LATEST VERSION", SystemField::IsLatest),
        (NAME, SystemField::Name),
        ("ARTESIA.FIELD.MIME TYPE", SystemField::MimeType),
        ("ARTESIA.FIELD.DATE IMPORTED", SystemField::Imported),
        (UPDATED, SystemField::Updated),
        ("ARTESIA.FIELD.IMPORT JOB ID", SystemField::ImportJob),
        ("ARTESIA.FIELD.CONTENT SIZE", SystemField::Size),
    ]
    .map(|(id, field)| (id.to_owned(), field))
    .into();
}

fn text(id: &str, name: &str) -> Element {
    Element::Field(Field::new(id, name, Kind::Char))
}

fn table(id: &str, name: &str, columns: Vec<Field>) -> Element {
    Element::Table { id: id.to_owned(), name: name.to_owned(), columns }
}

fn group(id: &str, name: &str, elements: Vec<Element>) -> Group {
    Group { id: id.to_owned(), name: name.to_owned(), elements }
}

fn lookup(id: &str, name: &str, domain: &str) -> Field {
    Field::new(id, name, Kind::Char).of(domain)
}

fn description() -> Vec<Element> {
    vec![
        text(NAME, "Asset name"),
        text(DESCRIPTION, "Description"),
        text("OTMM.CUSTOM.FIELD_TITLE", "Title"),
        text("ARTESIA.FIELD.TAG", "Tags"),
        Element::Field(lookup(LANGUAGE, "Language", "CUSTOM.DOMAIN.LANGUAGE")),
        Element::Field(Field::new(EXPIRATION, "Expiration date", Kind::Date)),
        table(
            "OTMM.FIELD.BUSINESS_UNIT.TAB",
            "Business units",
            vec![lookup(BUSINESS_UNIT, "Business unit", "OTMM.DOMAIN.OTM_BUSINESS_UNIT.LU")],
        ),
        table(
            "OTM.TABLE.PRODUCT_TABLE_FIELD",
            "Products",
            vec![lookup(PRODUCT, "Product", "OTMM.DOMAIN.OTM_PRODUCT")],
        ),
        table(
            "OTMM.FIELD.PRODUCT_NEW.TAB",
            "Products, new names",
            vec![lookup(PRODUCT_NEW, "Product", "OTMM.DOMAIN.OTM_PRODUCT_NEW.LU")],
        ),
    ]
}

fn archive() -> Vec<Element> {
    vec![
        Element::Field(lookup(STATUS, "Status", "CUSTOM.DOMAIN.STATUS")),
        Element::Field(Field::new(RETAIN_UNTIL, "Retain until", Kind::Date)),
        Element::Field(Field::new(USES, "Uses", Kind::Number)),
        text(ARCHIVE_ID, "Archive id"),
        text(ARCHIVE_STATUS, "Archive status"),
        text(RESTRICTION, "Restriction"),
        text(CORRELATION, "Correlation"),
        table(
            EVENTS,
            "Events",
            vec![
                Field::new(EVENT_DATE, "When", Kind::Date),
                Field::new(EVENT_TYPE, "What", Kind::Char),
                Field::new(EVENT_DETAIL, "Detail", Kind::Char),
            ],
        ),
    ]
}

pub(super) fn models(state: &mut State) {
    let model = |id: &str, legacy_id, name: &str, groups| Model {
        id: id.to_owned(),
        legacy_id,
        name: name.to_owned(),
        groups,
    };
    state.models = vec![
        model(
            MODEL,
            104,
            "Campaign asset",
            vec![
                group("CUSTOM.GROUP.DESCRIPTION", "Description", description()),
                group("CUSTOM.GROUP.ARCHIVE", "Archive", archive()),
            ],
        ),
        model(
            "ARTESIA.MODEL.DEFAULT",
            9,
            "Default",
            vec![group(
                "ARTESIA.CATEGORY.DEFAULT",
                "Default",
                vec![text(NAME, "Asset name"), text(DESCRIPTION, "Description")],
            )],
        ),
        model(
            FOLDER_MODEL,
            11,
            "Basic folder",
            vec![group(
                "ARTESIA.CATEGORY.FOLDER",
                "Folder",
                vec![
                    text(DESCRIPTION, "Description"),
                    Element::Field(lookup(STATUS, "Status", "CUSTOM.DOMAIN.STATUS")),
                ],
            )],
        ),
    ];
}
