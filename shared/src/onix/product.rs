//! What a record says, as far as publishing metadata needs it. Codes are kept as they came; what they mean is in
//! [`super::codes`].

use rust_decimal::Decimal;

use super::element::Element;
use crate::title::PlainText;

/// What a message says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The release of ONIX.
    pub release: Option<String>,
    /// Who sent it.
    pub sender: Option<String>,
    /// When, as it was written: a date alone, or with time and zone.
    pub sent: Option<String>,
    /// A note.
    pub note: Option<String>,
    /// The currency of prices that name none.
    pub default_currency: Option<String>,
}

impl Header {
    pub(super) fn read(element: &Element) -> Self {
        Self {
            release: None,
            sender: element.child("Sender").and_then(|sender| sender.text_of("SenderName")),
            sent: element.text_of("SentDateTime"),
            note: element.text_of("MessageNote"),
            default_currency: element.text_of("DefaultCurrencyCode"),
        }
    }
}

/// Why a record was sent (list 1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// 01 to 03: the whole record.
    Whole,
    /// 04: what it leaves out has not changed.
    Partial,
    /// 05: the record is to be deleted.
    Delete,
    /// Another code, or none.
    Other(String),
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The sender's key of the record.
    pub record_reference: String,
    /// Why it was sent.
    pub notification: Notification,
    /// Identifiers of the product.
    pub identifiers: Vec<Identifier>,
    /// Product form, list 150.
    pub form: Option<String>,
    /// Details of it, list 175.
    pub form_details: Vec<String>,
    /// The title of the product itself.
    pub title: Option<ProductTitle>,
    /// Contributors in the order of the record.
    pub contributors: Vec<Contributor>,
    /// Subjects.
    pub subjects: Vec<Subject>,
    /// Marketing texts and the like.
    pub texts: Vec<TextContent>,
    /// Covers and other resources.
    pub resources: Vec<Resource>,
    /// The imprint.
    pub imprint: Option<String>,
    /// The publisher (role 01).
    pub publisher: Option<String>,
    /// Publishing status, list 64.
    pub status: Option<String>,
    /// Dates of the product.
    pub dates: Vec<PublishingDate>,
    /// Sales rights.
    pub sales_rights: Vec<SalesRight>,
    /// The sales rights type of the rest of the world.
    pub rest_of_world: Option<String>,
    /// Works it is related to.
    pub related_works: Vec<RelatedWork>,
    /// Prices.
    pub prices: Vec<Price>,
}

/// An identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// Its type, list 5 for products.
    pub kind: String,
    /// What a proprietary one is called.
    pub type_name: Option<String>,
    /// The identifier.
    pub value: String,
}

/// A title, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductTitle {
    /// `The`, where it is kept apart.
    pub prefix: Option<String>,
    /// The title, or the rest of it.
    pub rest: Option<String>,
    /// The subtitle.
    pub subtitle: Option<String>,
}

/// A contributor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contributor {
    /// Its place in the order, where the record gives one.
    pub sequence: Option<u32>,
    /// Roles, list 17.
    pub roles: Vec<String>,
    /// The name as it is written on the book.
    pub name: Option<String>,
    /// The name with its key first.
    pub name_inverted: Option<String>,
}

/// A subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The scheme, list 27: `93` Thema, `12` BIC, `10` BISAC, `23` the publisher's own.
    pub scheme: String,
    /// Its code.
    pub code: Option<String>,
    /// Its words.
    pub heading: Option<String>,
    /// The main one of its scheme.
    pub is_main: bool,
}

/// A text for people.
#[derive(Clone, PartialEq, Eq)]
pub struct TextContent {
    /// Its type, list 153.
    pub kind: String,
    /// Whom it is for, list 154.
    pub audiences: Vec<String>,
    /// How it is written, list 34: `02` HTML, `05` XHTML, `06` and `07` plain.
    pub format: Option<String>,
    /// The text, which may have markup in it.
    pub text: String,
}

impl TextContent {
    /// Its words. A text that says nothing of its format is read as HTML, which is what is sent so.
    pub fn plain(&self) -> Option<PlainText> {
        match self.format.as_deref() {
            Some("06" | "07") => PlainText::from_plain(&self.text),
            _ => PlainText::from_html(&self.text),
        }
    }
}

impl std::fmt::Debug for TextContent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TextContent")
            .field("kind", &self.kind)
            .field("bytes", &self.text.len())
            .finish()
    }
}

/// A cover, or another resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// What it shows, list 158.
    pub content_type: String,
    /// Its mode, list 159.
    pub mode: Option<String>,
    /// The files it comes in.
    pub files: Vec<ResourceFile>,
}

/// A file of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceFile {
    /// Its form, list 161.
    pub form: Option<String>,
    /// Where it is. Never normalise its path: two slashes in a row can be part of a key.
    pub link: String,
    /// Its size in bytes (feature 07).
    pub bytes: Option<u64>,
    /// Its MD5 (feature 06).
    pub md5: Option<String>,
    /// Its SHA-256 in lower case (feature 08).
    pub sha256: Option<String>,
    /// Height in pixels (feature 02).
    pub height: Option<u32>,
    /// Width in pixels (feature 03).
    pub width: Option<u32>,
}

/// A date of the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishingDate {
    /// Its role, list 163.
    pub role: String,
    /// How it is written, list 55; `00` is `YYYYMMDD`.
    pub format: String,
    /// The date.
    pub value: String,
}

/// Where a kind of sales right holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesRight {
    /// Its type, list 46.
    pub kind: String,
    /// Where.
    pub territory: Territory,
}

/// Countries, or regions without some of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Territory {
    /// Countries.
    pub countries: Vec<String>,
    /// Regions: `WORLD`, `ROW`, parts of countries.
    pub regions: Vec<String>,
    /// Countries of these regions that are left out.
    pub without_countries: Vec<String>,
    /// Regions that are left out.
    pub without_regions: Vec<String>,
}

/// A work the product is related to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelatedWork {
    /// How, list 164: `01` is the work it manifests.
    pub relation: String,
    /// Its identifiers.
    pub identifiers: Vec<Identifier>,
}

/// A price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Its type, list 58.
    pub kind: Option<String>,
    /// Whom it is for, list 59.
    pub qualifier: Option<String>,
    /// The amount.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Option<String>,
}

impl Product {
    pub(super) fn read(element: &Element, default_currency: Option<&str>) -> Self {
        let descriptive = element.child("DescriptiveDetail");
        let collateral = element.child("CollateralDetail");
        let publishing = element.child("PublishingDetail");
        let supplies = element.all("ProductSupply").flat_map(|supply| supply.all("SupplyDetail"));
        let prices = supplies.flat_map(|supply| supply.all("Price"));
        Self {
            record_reference: element.text_of("RecordReference").unwrap_or_default(),
            notification: match element.text_of("NotificationType").unwrap_or_default().as_str() {
                "01" | "02" | "03" => Notification::Whole,
                "04" => Notification::Partial,
                "05" => Notification::Delete,
                other => Notification::Other(other.to_owned()),
            },
            identifiers: identifiers(element, "ProductIdentifier", "ProductIDType"),
            form: descriptive.and_then(|detail| detail.text_of("ProductForm")),
            form_details: descriptive.map(|detail| detail.texts_of("ProductFormDetail")).unwrap_or_default(),
            title: descriptive.and_then(title),
            contributors: each(descriptive, "Contributor", contributor),
            subjects: each(descriptive, "Subject", subject),
            texts: each(collateral, "TextContent", text_content),
            resources: each(collateral, "SupportingResource", resource),
            imprint: publishing.and_then(|detail| detail.child("Imprint")?.text_of("ImprintName")),
            publisher: publishing.and_then(publisher),
            status: publishing.and_then(|detail| detail.text_of("PublishingStatus")),
            dates: each(publishing, "PublishingDate", publishing_date),
            sales_rights: each(publishing, "SalesRights", sales_right),
            rest_of_world: publishing.and_then(|detail| detail.text_of("ROWSalesRightsType")),
            related_works: each(element.child("RelatedMaterial"), "RelatedWork", related_work),
            prices: prices.filter_map(|element| price(element, default_currency)).collect(),
        }
    }
}

fn each<T>(parent: Option<&Element>, name: &str, read: fn(&Element) -> Option<T>) -> Vec<T> {
    parent.into_iter().flat_map(|parent| parent.all(name)).filter_map(read).collect()
}

fn identifiers(element: &Element, name: &str, kind: &str) -> Vec<Identifier> {
    let read = |element: &Element| {
        Some(Identifier {
            kind: element.text_of(kind)?,
            type_name: element.text_of("IDTypeName"),
            value: element.text_of("IDValue")?,
        })
    };
    element.all(name).filter_map(read).collect()
}

/// The distinctive title of the product itself: those of series stand within `Collection`.
fn title(descriptive: &Element) -> Option<ProductTitle> {
    let details = || descriptive.all("TitleDetail");
    let detail = details().find(|detail| detail.text_of("TitleType").as_deref() == Some("01"));
    let detail = detail.or_else(|| details().next())?;
    let elements = || detail.all("TitleElement");
    let element = elements().find(|element| element.text_of("TitleElementLevel").as_deref() == Some("01"));
    let element = element.or_else(|| elements().next())?;
    Some(ProductTitle {
        prefix: element.text_of("TitlePrefix"),
        rest: element.text_of("TitleWithoutPrefix").or_else(|| element.text_of("TitleText")),
        subtitle: element.text_of("Subtitle"),
    })
}

fn contributor(element: &Element) -> Option<Contributor> {
    Some(Contributor {
        sequence: element.text_of("SequenceNumber").and_then(|number| number.parse().ok()),
        roles: element.texts_of("ContributorRole"),
        name: element.text_of("PersonName").or_else(|| element.text_of("CorporateName")).or_else(|| {
            let parts = ["NamesBeforeKey", "KeyNames"].iter().filter_map(|part| element.text_of(part));
            let name = parts.collect::<Vec<_>>().join(" ");
            (!name.is_empty()).then_some(name)
        }),
        name_inverted: element.text_of("PersonNameInverted"),
    })
}

fn subject(element: &Element) -> Option<Subject> {
    Some(Subject {
        scheme: element.text_of("SubjectSchemeIdentifier")?,
        code: element.text_of("SubjectCode"),
        heading: element.text_of("SubjectHeadingText"),
        is_main: element.child("MainSubject").is_some(),
    })
}

fn text_content(element: &Element) -> Option<TextContent> {
    let text = element.child("Text")?;
    Some(TextContent {
        kind: element.text_of("TextType")?,
        audiences: element.texts_of("ContentAudience"),
        format: text.attribute("textformat").map(str::to_owned),
        text: text.markup(),
    })
}

fn resource(element: &Element) -> Option<Resource> {
    Some(Resource {
        content_type: element.text_of("ResourceContentType")?,
        mode: element.text_of("ResourceMode"),
        files: element.all("ResourceVersion").flat_map(resource_files).collect(),
    })
}

fn resource_files(version: &Element) -> Vec<ResourceFile> {
    let feature = |kind: &str| {
        let mut features = version.all("ResourceVersionFeature");
        let found = features.find(|one| one.text_of("ResourceVersionFeatureType").as_deref() == Some(kind));
        found.and_then(|found| found.text_of("FeatureValue"))
    };
    let file = |link: String| ResourceFile {
        form: version.text_of("ResourceForm"),
        link,
        bytes: feature("07").and_then(|value| value.parse().ok()),
        md5: feature("06").map(|value| value.to_ascii_lowercase()),
        sha256: feature("08").map(|value| value.to_ascii_lowercase()),
        height: feature("02").and_then(|value| value.parse().ok()),
        width: feature("03").and_then(|value| value.parse().ok()),
    };
    version.texts_of("ResourceLink").into_iter().map(file).collect()
}

fn publisher(publishing: &Element) -> Option<String> {
    let mut publishers = publishing.all("Publisher");
    publishers.find(|one| one.text_of("PublishingRole").as_deref() == Some("01"))?.text_of("PublisherName")
}

/// The format stands in an attribute, or in an element in messages of older senders.
fn publishing_date(element: &Element) -> Option<PublishingDate> {
    let date = element.child("Date")?;
    let format = date.attribute("dateformat").map(str::to_owned).or_else(|| element.text_of("DateFormat"));
    Some(PublishingDate {
        role: element.text_of("PublishingDateRole")?,
        format: format.unwrap_or_else(|| "00".to_owned()),
        value: element.text_of("Date")?,
    })
}

fn sales_right(element: &Element) -> Option<SalesRight> {
    let territory = element.child("Territory");
    let words = |name: &str| territory.map(|territory| territory.words_of(name)).unwrap_or_default();
    Some(SalesRight {
        kind: element.text_of("SalesRightsType")?,
        territory: Territory {
            countries: words("CountriesIncluded"),
            regions: words("RegionsIncluded"),
            without_countries: words("CountriesExcluded"),
            without_regions: words("RegionsExcluded"),
        },
    })
}

fn related_work(element: &Element) -> Option<RelatedWork> {
    Some(RelatedWork {
        relation: element.text_of("WorkRelationCode")?,
        identifiers: identifiers(element, "WorkIdentifier", "WorkIDType"),
    })
}

fn price(element: &Element, default_currency: Option<&str>) -> Option<Price> {
    Some(Price {
        kind: element.text_of("PriceType"),
        qualifier: element.text_of("PriceQualifier"),
        amount: element.text_of("PriceAmount")?.parse().ok()?,
        currency: element.text_of("CurrencyCode").or_else(|| default_currency.map(str::to_owned)),
    })
}
