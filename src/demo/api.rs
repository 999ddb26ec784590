//! The documented contract of the webhook endpoints: from a request to its response, without a socket. Uses the workspace,
//! the changes made to it, and the rate limit. Start at [`DemoApi::respond`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded;

use super::changes::{DemoChanges, DemoPatch};
use super::rate_limit::{RateAllowance, RateWindow};
use super::workspace::{DemoWebhook, DemoWorkspace};

/// The API key that the demo server accepts.
pub const KEY: &str = "demo_3f9a1c:not-a-secret";

/// An API key that the demo server refuses with `403`, to try that failure.
pub const FORBIDDEN_KEY: &str = "demo_forbid:not-a-secret";

const LIST_PATH: &str = "/v1/user-webhooks";

const DEFAULT_LIMIT: u64 = 20;
const MAX_LIMIT: u64 = 100;

const MIN_RATE_LIMIT: u64 = 600;

pub(super) struct DemoApi {
    workspace: DemoWorkspace,
    changes: Mutex<DemoChanges>,
    rate: Mutex<RateWindow>,
}

impl DemoApi {
    pub(super) fn new(webhooks: u64) -> Self {
        Self {
            workspace: DemoWorkspace::new(webhooks),
            changes: Mutex::default(),
            rate: Mutex::new(RateWindow::new(rate_limit(webhooks))),
        }
    }

    /// Answers a request at the given Unix time.
    pub(super) fn respond(&self, request: &Request<Bytes>, now: u64) -> Response<Full<Bytes>> {
        let allowance = self.rate.lock().unwrap_or_else(PoisonError::into_inner).take(now);
        let mut response = match self.answer(request, &allowance) {
            Ok(body) => json_response(StatusCode::OK, body),
            Err(refusal) => refusal.into_response(),
        };
        allowance.write_headers(response.headers_mut());
        response
    }

    fn answer(&self, request: &Request<Bytes>, allowance: &RateAllowance) -> Result<Vec<u8>, Refusal> {
        if allowance.is_exceeded {
            return Err(Refusal::TooManyRequests);
        }
        let route = DemoRoute::of(request).ok_or_else(|| no_such_route(request))?;
        authorize(request)?;
        match route {
            DemoRoute::List => self.list(request.uri().query().unwrap_or_default()),
            DemoRoute::Get { id } => self.get(id),
            DemoRoute::Patch { id } => self.patch(id, request.body()),
        }
    }

    fn changes(&self) -> MutexGuard<'_, DemoChanges> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list(&self, query: &str) -> Result<Vec<u8>, Refusal> {
        let DemoListQuery { page, limit, is_active } = DemoListQuery::parse(query).map_err(Refusal::BadRequest)?;
        let start = (page - 1).saturating_mul(limit);
        let (total, data) = self.changes().list(self.workspace, is_active, start, limit);
        let meta = DemoPageMeta { page, limit, total, total_pages: total.div_ceil(limit) };
        to_json(&DemoPage { data, meta })
    }

    fn get(&self, encoded_id: &str) -> Result<Vec<u8>, Refusal> {
        to_json(&self.changes().current(self.find(encoded_id)?))
    }

    fn patch(&self, encoded_id: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let webhook = self.find(encoded_id)?;
        let patch = DemoPatch::read(body).map_err(Refusal::BadRequest)?;
        to_json(self.changes().patch(webhook, patch))
    }

    fn find(&self, encoded_id: &str) -> Result<DemoWebhook, Refusal> {
        // An id that is not UTF-8 cannot be one of ours: the replacement character makes it unknown.
        let id = percent_decode_str(encoded_id).decode_utf8_lossy();
        self.workspace.find(&id).ok_or_else(|| Refusal::NotFound("Webhook not found".to_owned()))
    }
}

enum DemoRoute<'a> {
    List,
    Get { id: &'a str },
    Patch { id: &'a str },
}

impl<'a> DemoRoute<'a> {
    fn of<B>(request: &'a Request<B>) -> Option<Self> {
        let rest = request.uri().path().strip_prefix(LIST_PATH)?;
        let id = rest.strip_prefix('/').filter(|id| !id.is_empty() && !id.contains('/'));
        match (request.method(), id) {
            (&Method::GET, None) if rest.is_empty() => Some(Self::List),
            (&Method::GET, Some(id)) => Some(Self::Get { id }),
            (&Method::PATCH, Some(id)) => Some(Self::Patch { id }),
            _ => None,
        }
    }
}

fn no_such_route<B>(request: &Request<B>) -> Refusal {
    let uri = request.uri();
    let target = uri.path_and_query().map_or_else(|| uri.path(), |target| target.as_str());
    Refusal::NotFound(format!("Cannot {} {target}", request.method()))
}

fn authorize<B>(request: &Request<B>) -> Result<(), Refusal> {
    match bearer_key(request) {
        Some(KEY) => Ok(()),
        Some(FORBIDDEN_KEY) => Err(Refusal::Forbidden),
        _ => Err(Refusal::Unauthorized),
    }
}

fn bearer_key<B>(request: &Request<B>) -> Option<&str> {
    let (scheme, key) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key)
}

struct DemoListQuery {
    page: u64,
    limit: u64,
    is_active: Option<bool>,
}

impl DemoListQuery {
    /// Reads the query string, or names every invalid parameter. Unknown parameters are ignored, and of a repeated one the
    /// last counts.
    fn parse(query: &str) -> Result<Self, Vec<String>> {
        let mut page = Ok(1);
        let mut limit = Ok(DEFAULT_LIMIT);
        let mut is_active = Ok(None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "page" => page = parse_number("page", &value, u64::MAX),
                "limit" => limit = parse_number("limit", &value, MAX_LIMIT),
                "is_active" => is_active = parse_is_active(&value).map(Some),
                _ => {}
            }
        }
        match (limit, page, is_active) {
            (Ok(limit), Ok(page), Ok(is_active)) => Ok(Self { page, limit, is_active }),
            (limit, page, is_active) => Err([limit.err(), page.err(), is_active.err()].into_iter().flatten().collect()),
        }
    }
}

fn parse_number(name: &str, value: &str, max: u64) -> Result<u64, String> {
    // Wider than any accepted number, to tell a number out of range from text.
    let Ok(number) = value.parse::<i128>() else {
        return Err(format!("{name} must be an integer number"));
    };
    if number < 1 {
        return Err(format!("{name} must not be less than 1"));
    }
    match u64::try_from(number) {
        Ok(number) if number <= max => Ok(number),
        _ => Err(format!("{name} must not be greater than {max}")),
    }
}

fn parse_is_active(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("is_active must be a boolean value".to_owned()),
    }
}

#[derive(Serialize)]
struct DemoPage {
    data: Vec<DemoWebhook>,
    meta: DemoPageMeta,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DemoPageMeta {
    page: u64,
    limit: u64,
    total: u64,
    total_pages: u64,
}

/// A response other than `200`.
enum Refusal {
    BadRequest(Vec<String>),
    Unauthorized,
    Forbidden,
    NotFound(String),
    TooManyRequests,
    Internal,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RefusalBody {
    status_code: u16,
    message: Value,
    error: &'static str,
}

impl Refusal {
    fn into_response(self) -> Response<Full<Bytes>> {
        let status = self.status();
        let body = RefusalBody {
            status_code: status.as_u16(),
            message: self.into_message(),
            error: status.canonical_reason().unwrap_or_default(),
        };
        json_response(status, to_json(&body).unwrap_or_default())
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn into_message(self) -> Value {
        let text = match self {
            Self::BadRequest(messages) => return messages.into(),
            Self::NotFound(message) => return message.into(),
            Self::Unauthorized => "API key is missing or invalid",
            Self::Forbidden => "You do not have permission to access this resource",
            Self::TooManyRequests => "Too many requests. Please slow down and retry after a moment.",
            Self::Internal => "Internal server error",
        };
        text.into()
    }
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(value).or(Err(Refusal::Internal))
}

fn json_response(status: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// Returns the requests per window: high enough to read a large workspace several times within one.
fn rate_limit(webhooks: u64) -> u64 {
    webhooks.div_ceil(MAX_LIMIT).saturating_mul(4).max(MIN_RATE_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_limit_grows_with_the_workspace() {
        assert_eq!(rate_limit(0), 600);
        assert_eq!(rate_limit(1_200), 600);
        assert_eq!(rate_limit(1_000_000), 40_000);
        assert_eq!(rate_limit(u64::MAX), u64::MAX.div_ceil(100) * 4);
    }
}
