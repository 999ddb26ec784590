//! The server's own words about a request that it refused (api-reference/errors).

/// `message` of an error: a string, or an array of them, one per invalid field.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum ServerMessage {
    One(String),
    Many(Vec<String>),
}

impl ServerMessage {
    fn text(self) -> String {
        match self {
            Self::One(text) => text,
            Self::Many(texts) => texts.join("; "),
        }
    }
}

/// The server's `message`.
pub(super) fn server_message(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct MessageBody {
        message: ServerMessage,
    }
    Some(serde_json::from_slice::<MessageBody>(body).ok()?.message.text())
}

/// Returns true if the server's message only repeats the status, such as `Forbidden` or `403 Forbidden` for a 403.
pub(super) fn repeats(status: reqwest::StatusCode, text: &str) -> bool {
    let text = text.trim().trim_end_matches(['.', '!']);
    let without_number = text.strip_prefix(status.as_str()).unwrap_or(text).trim_start_matches([' ', ':', '-']);
    let reason = status.canonical_reason().unwrap_or_default();
    without_number.is_empty() || without_number.eq_ignore_ascii_case(reason)
}

/// Returns true if the body of a 404 is the API's own statement that a webhook does not exist: `{"statusCode": 404,
/// "message": …, "error": …}`. A gateway sends a different body. A framework without a route for the path sends the same
/// fields, but its message names the path.
pub(super) fn is_not_found(body: &[u8], path: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct NotFoundBody {
        #[serde(rename = "statusCode")]
        status: u16,
        message: ServerMessage,
        #[serde(rename = "error")]
        _error: String,
    }
    let Ok(body) = serde_json::from_slice::<NotFoundBody>(body) else { return false };
    let message = body.message.text();
    let names_a_route = message.contains(path) || message.starts_with("Cannot GET") || message.starts_with("Route GET");
    body.status == 404 && !names_a_route
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_strings_or_arrays() {
        let read = |body: &str| server_message(body.as_bytes());
        assert_eq!(read(r#"{"statusCode":400,"message":"no"}"#).as_deref(), Some("no"));
        assert_eq!(read(r#"{"message":["a","b"]}"#).as_deref(), Some("a; b"));
        for nonsense in ["", "{}", r#"{"message":5}"#, r#"{"message":[1]}"#, "<html>"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_text_that_repeats_the_status_is_known() {
        use reqwest::StatusCode;
        for (status, text) in [
            (StatusCode::FORBIDDEN, "Forbidden"),
            (StatusCode::NOT_FOUND, "404 Not Found"),
            (StatusCode::INTERNAL_SERVER_ERROR, "internal server error."),
            (StatusCode::TOO_MANY_REQUESTS, "429: Too Many Requests"),
            (StatusCode::BAD_GATEWAY, "502"),
        ] {
            assert!(repeats(status, text), "{text}");
        }
        for text in ["Forbidden resource", "403 for this key", "Not Found"] {
            assert!(!repeats(StatusCode::FORBIDDEN, text), "{text}");
        }
    }

    #[test]
    fn only_the_apis_own_404_is_proof() {
        let is_proof = |body: &str| is_not_found(body.as_bytes(), "/v1/user-webhooks/a");
        assert!(is_proof(r#"{"statusCode":404,"message":"Webhook not found","error":"Not Found"}"#));
        assert!(is_proof(r#"{"error":"Not Found","message":["Webhook not found"],"statusCode":404,"path":"x"}"#));
        for other in [
            "",
            "{}",
            "<html>404</html>",
            r#"{"message":"no Route matched with those values"}"#,
            r#"{"statusCode":404,"message":"Resource not found"}"#,
            r#"{"statusCode":500,"message":"Webhook not found","error":"Not Found"}"#,
            r#"{"statusCode":"404","message":"Webhook not found","error":"Not Found"}"#,
            r#"{"statusCode":404,"message":"Cannot GET /v1/user-webhooks/a","error":"Not Found"}"#,
            r#"{"statusCode":404,"message":"Cannot GET /user-webhooks/a","error":"Not Found"}"#,
            r#"{"statusCode":404,"message":"Route GET:/v1/user-webhooks/a not found","error":"Not Found"}"#,
            r#"[{"statusCode":404,"message":"Webhook not found","error":"Not Found"}]"#,
        ] {
            assert!(!is_proof(other), "{other}");
        }
    }
}
