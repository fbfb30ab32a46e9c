//! Reading by REST v4: products, page by page.

use std::collections::BTreeMap;

use http::{Method, header};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Client, Interface, PAGING_STUCK, RestProduct,
    error::{Effect, failure, unexpected},
    wire,
};
use crate::{
    error::{FailureClass, Result},
    http::Request,
    title::Isbn,
};

const OPERATION: &str = "list products by REST";
/// Times the pages are read until two readings agree.
const MOST_READINGS: usize = 4;

/// What is asked of REST v4. The server may ignore a filter it does not know without a word, so each answer is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// One product.
    Id(i64),
    /// One ISBN.
    Isbn(Isbn),
    /// A date of publication.
    PublicationDate(Date),
    /// What is in a list kept for a website.
    Shop(i64),
}

impl Filter {
    fn parameter(&self) -> (&'static str, String) {
        match self {
            Self::Id(id) => ("q[id_eq]", id.to_string()),
            Self::Isbn(isbn) => ("q[isbn_eq]", isbn.as_str().to_owned()),
            Self::PublicationDate(date) => ("q[pub_date_eq]", date.to_string()),
            Self::Shop(id) => ("q[shops_id_eq]", id.to_string()),
        }
    }

    /// Whether a product is one that was asked for; nothing about shops is in a product.
    fn holds(&self, product: &RestProduct) -> bool {
        match self {
            Self::Id(id) => product.id == Some(*id),
            Self::Isbn(isbn) => product.isbn.as_deref().and_then(Isbn::parse).as_ref() == Some(isbn),
            Self::PublicationDate(date) => product.pub_date.as_deref() == Some(date.to_string().as_str()),
            Self::Shop(_) => true,
        }
    }
}

/// One page, read.
struct Page {
    products: Vec<Value>,
    total_pages: Option<i64>,
}

impl Client {
    /// All products, or those a filter names. Pages shift when products change while they are read: they are read again until
    /// nothing new comes.
    ///
    /// # Errors
    /// `Transient` with [`PAGING_STUCK`] when they never stand still.
    pub async fn rest_products(&self, filter: Option<&Filter>) -> Result<Vec<RestProduct>> {
        let mut found: BTreeMap<i64, Value> = BTreeMap::new();
        for reading in 0..MOST_READINGS {
            let (before, pages) = (found.len(), self.read_pages(filter, &mut found).await?);
            // What fits on one page cannot shift.
            if pages <= 1 || (reading > 0 && found.len() == before) {
                return products(filter, found);
            }
        }
        let message = format!("the pages shifted in each of {MOST_READINGS} readings");
        Err(failure(FailureClass::Transient, OPERATION, PAGING_STUCK, message))
    }

    async fn read_pages(&self, filter: Option<&Filter>, found: &mut BTreeMap<i64, Value>) -> Result<i64> {
        let mut number = 1;
        let mut seen: Vec<i64> = Vec::new();
        loop {
            let page = self.read_page(filter, number).await?;
            let total = page.total_pages.unwrap_or(number);
            let mut ids = Vec::new();
            for product in page.products {
                let id = product.get("id").and_then(wire::as_integer);
                let id = id.ok_or_else(|| unexpected(OPERATION, Effect::Read, "a product without its id"))?;
                ids.push(id);
                found.insert(id, product);
            }
            if ids.is_empty() || (page.total_pages.is_some() && number >= total) {
                return Ok(number);
            }
            if ids == seen || found.len() > self.settings.most_records {
                let message = format!("page {number} repeats the one before it, or there is no end of them");
                return Err(failure(FailureClass::Forbidden, OPERATION, PAGING_STUCK, message)
                    .remedy("the server ignores `page`, or most_records is too low"));
            }
            seen = ids;
            number += 1;
        }
    }

    async fn read_page(&self, filter: Option<&Filter>, number: i64) -> Result<Page> {
        let mut parameters = vec![("page", number.to_string())];
        parameters.extend(filter.map(Filter::parameter));
        // This encodes the brackets too.
        let query = serde_urlencoded::to_string(&parameters).unwrap_or_default();
        let request = Request::new(OPERATION, Method::GET, format!("/api/v4/products.json?{query}"))
            .header(header::ACCEPT, "application/json");
        let mut answer = self.call(Interface::Rest, OPERATION, Effect::Read, request).await?;
        let total_pages = answer.get("total_pages").and_then(wire::as_integer);
        match answer.get_mut("products").map(Value::take) {
            Some(Value::Array(products)) => Ok(Page { products, total_pages }),
            _ => Err(unexpected(OPERATION, Effect::Read, "no products in it")),
        }
    }
}

fn products(filter: Option<&Filter>, found: BTreeMap<i64, Value>) -> Result<Vec<RestProduct>> {
    let read = found.into_values().map(|product| {
        RestProduct::deserialize(product)
            .map_err(|error| unexpected(OPERATION, Effect::Read, &error.to_string()))
    });
    let products: Vec<RestProduct> = read.collect::<Result<_>>()?;
    Ok(products.into_iter().filter(|product| filter.is_none_or(|filter| filter.holds(product))).collect())
}
