//! Exports of delivery attempts: a JSON array, one JSON object per line, or CSV. The format is detected. Rows are read one
//! at a time, so that memory does not grow with the file; malformed rows are counted and are not an error. May use
//! `analysis` (the tally), `error`, `model`, `snapshot` and `text`. Start at [`read`].

mod attempt_fields;
mod csv;
mod json;
mod problem;
mod window;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use self::attempt_fields::{AttemptFields, EXPECTED_FIELDS};
pub use self::problem::ExportError;
use self::window::{ReadWindow, blank_end};
use crate::analysis::deliveries::DeliveryTally;
use crate::base::text::{Safe, clean};
use crate::error::Error;
use crate::safe;

/// The result of reading an export.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportReport {
    /// Rows that were counted.
    pub rows: u64,
    pub malformed: u64,
    /// The line of the first malformed row, from 1, and why it is malformed.
    pub first_malformed: Option<(u64, Safe)>,
    /// The file ends in the middle of a JSON array.
    pub is_cut: bool,
    /// The most bytes of the file that were held at once.
    pub peak_bytes: usize,
}

impl ExportReport {
    /// Describes why the figures are incomplete; empty if they are complete.
    pub fn problems(&self) -> Vec<Safe> {
        let mut problems = Vec::new();
        if let Some((line, why)) = &self.first_malformed {
            let (rows, first) = match self.malformed {
                1 => ("1 malformed row".into(), "at"),
                many => (safe!("{} malformed rows", many), "the first at"),
            };
            problems.push(safe!("{}, {} line {}: {}", rows, first, *line, why));
        }
        if self.is_cut {
            problems.push("the file ends in the middle of the array".into());
        }
        problems
    }

    fn count(&mut self, tally: &mut DeliveryTally, line: u64, row: Result<AttemptFields<'_>, Safe>) {
        match row.and_then(|fields| fields.attempt().map(|attempt| tally.add(&attempt))) {
            Ok(()) => self.rows += 1,
            Err(why) => {
                self.malformed += 1;
                self.first_malformed.get_or_insert((line, why));
            }
        }
    }
}

/// Reads the file that `--deliveries` names; `-` is stdin.
///
/// # Errors
///
/// It cannot be read, or has no delivery attempts. The message says what is expected.
pub fn load(path: &Path, tally: &mut DeliveryTally) -> Result<ExportReport, Error> {
    let report = if path == Path::new("-") {
        read(io::stdin().lock(), tally)
    } else {
        File::open(path).map_err(ExportError::from).and_then(|file| read(file, tally))
    };
    report.map_err(|error| usage_error(path, &error))
}

/// Checks that the file can be opened, before the explorer takes the screen.
///
/// # Errors
///
/// It cannot be opened.
pub fn check(path: &Path) -> Result<(), Error> {
    File::open(path).map(drop).map_err(|error| usage_error(path, &error.into()))
}

fn usage_error(path: &Path, error: &ExportError) -> Error {
    Error::Usage {
        message: safe!("--deliveries {}: {}", crate::snapshot::name(path), clean(&error.to_string())),
        advice: Some(safe!("Expected: a JSON array, one JSON object per line, or CSV, with {}.", EXPECTED_FIELDS)),
    }
}

/// Reads to the end, and counts the attempts.
///
/// # Errors
///
/// Reading fails, or every row is malformed. Rows before an error are counted.
pub fn read(reader: impl Read, tally: &mut DeliveryTally) -> Result<ExportReport, ExportError> {
    let mut window = ReadWindow::new(reader);
    let mut report = ExportReport::default();
    let format = detect(&mut window)?;
    let mut is_cut = false;
    let each = |line, row: Result<AttemptFields<'_>, Safe>| report.count(tally, line, row);
    match format {
        ExportFormat::Array => {
            window.consume(1);
            is_cut = !json::elements(&mut window, each)?;
        }
        ExportFormat::Lines => json::lines(&mut window, each)?,
        ExportFormat::Csv => csv::records(&mut window, each)?,
    }
    report.is_cut = is_cut;
    report.peak_bytes = window.peak();
    match &report.first_malformed {
        Some((line, why)) if report.rows == 0 => Err(ExportError::NoRows { line: *line, why: why.clone() }),
        _ => Ok(report),
    }
}

enum ExportFormat {
    Array,
    Lines,
    Csv,
}

/// Detects the format by the first byte that is not white space. A byte order mark and white space are consumed.
fn detect<R: Read>(window: &mut ReadWindow<R>) -> Result<ExportFormat, ExportError> {
    // Enough for every signature below.
    while window.rest().len() < 4 && window.more()? {}
    match window.rest() {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(ExportError::Encoding("UTF-16")),
        [0x1f, 0x8b, ..] => return Err(ExportError::Encoding("compressed")),
        [b'P', b'K', 3, 4, ..] => return Err(ExportError::Encoding("a zip archive, such as a spreadsheet")),
        [0xef, 0xbb, 0xbf, ..] => window.consume(3),
        _ => {}
    }
    if !window.skip(blank_end)? {
        return Err(ExportError::Empty);
    }
    Ok(match window.rest().first() {
        Some(b'[') => ExportFormat::Array,
        Some(b'{') => ExportFormat::Lines,
        _ => ExportFormat::Csv,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::window::MAX_ROW_BYTES;
    use super::*;
    use crate::analysis::deliveries::DeliveryStats;

    fn read_all(bytes: impl AsRef<[u8]>) -> (Result<ExportReport, ExportError>, DeliveryTally) {
        let mut tally = DeliveryTally::default();
        (read(bytes.as_ref(), &mut tally), tally)
    }

    /// Reads a valid file. Returns the numbers of rows and malformed rows, and the statistics of the webhook `a`.
    #[track_caller]
    fn figures(bytes: impl AsRef<[u8]>) -> (u64, u64, DeliveryStats) {
        let (report, tally) = read_all(bytes);
        let report = report.unwrap();
        (report.rows, report.malformed, tally.of("a", "https://a.example/x").unwrap_or_default())
    }

    #[track_caller]
    fn first_reason(bytes: impl AsRef<[u8]>) -> (u64, String) {
        let (line, reason) = read_all(bytes).0.unwrap().first_malformed.unwrap();
        (line, reason.to_string())
    }

    const OBJECTS: [&str; 3] = [
        r#"{"webhook_id":"a","event":"call.completed","response_status":503,"is_success":false,"error_message":"a, \"b\"","retry_attempt":1,"call_id":"c","created_at":"2026-01-01T00:00:00Z"}"#,
        r#"{"url":"https://A.example:443/x","responseStatus":"200","isSuccess":"true","error_message":null,"parent_delivery_id":null}"#,
        r#"{"webhook_id":"b","response_status":200,"is_success":1,"nested":{"a":[1,{"b":"]}"}]}}"#,
    ];

    #[test]
    fn every_format_says_the_same() {
        let csv = "\u{feff}Webhook ID,url,Response Status,is_success,error_message,retry_attempt,created_at\r\n\
                   a,,503,false,\"a, \"\"b\"\"\",1,2026-01-01T00:00:00Z\r\n\
                   ,https://A.example:443/x,200,TRUE,,0,\r\n\
                   b,,200,1,,,\r\n";
        for file in [
            format!("[{}]", OBJECTS.join(",")),
            format!(" \n\u{20}[\n  {}\n]\n", OBJECTS.join(",\n  ").replace("{\"webhook_id\"", "{\n\"webhook_id\"")),
            OBJECTS.join("\n"),
            format!("\u{feff}{}\r\n\r\n", OBJECTS.join("\r\n")),
            csv.to_owned(),
            csv.replace("a, \"\"b\"\"", "a; \"\"b\"\"").replace(',', ";").replace("a; \"\"b", "a, \"\"b"),
            csv.replace("a, ", "a_ ").replace(',', "\t").replace("a_ ", "a, "),
        ] {
            let (rows, malformed, stats) = figures(&file);
            assert_eq!((rows, malformed), (3, 0), "{file}");
            assert_eq!((stats.attempts, stats.failures, stats.retries), (2, 1, 1), "{file}");
            assert_eq!(stats.top_error.unwrap().0.raw(), "a, \"b\"", "{file}");
            assert_eq!((stats.top_status, stats.by_url), (Some((503, 1)), true));
            assert_eq!(stats.last_failure, "2026-01-01T00:00:00Z".parse().ok());
        }
    }

    #[test]
    fn rows_that_cannot_be_used_are_counted_with_the_first_line() {
        let good = OBJECTS.join("\n");
        assert_eq!(
            first_reason(format!("{good}\nnot json\n[]\n{good}")),
            (4, "not valid JSON: expected ident at line 1 column 2".into())
        );
        assert_eq!(figures(format!("{good}\nnot json\n\n[]\n{good}")).0, 6);
        assert_eq!(first_reason(format!("[\n{},\n17]", OBJECTS[0])), (3, "not an object".into()));
        assert_eq!(
            first_reason(format!("[{0},\n{{\"webhook_id\":{{}},\"is_success\":true}}]", OBJECTS[0])).1,
            "neither webhook_id nor url"
        );
        assert_eq!(first_reason("webhook_id,is_success\na,true\na\na,false"), (3, "1 fields, but the header has 2".into()));
        assert_eq!(first_reason("webhook_id,is_success\na,true\n\na,perhaps\n"), (4, "is_success is perhaps".into()));
        assert_eq!(first_reason(format!("[{}] more", OBJECTS[0])).1, "text after the end of the array");
    }

    #[test]
    fn a_quote_that_is_not_closed_costs_its_own_line() {
        let mut csv = "webhook_id,is_success,error_message\na,true,\nb,false,\"never closed\n".to_owned();
        (0..5_000).for_each(|_| csv.push_str("a,true,\n"));
        let (rows, malformed, _) = figures(&csv);
        assert_eq!((rows, malformed), (5_001, 1));
        assert_eq!(first_reason(&csv), (3, "missing closing quote".into()));
        // A quote that is still open at the end of the file costs only its line.
        assert_eq!(figures("webhook_id,is_success,error_message\nb,false,\"never\na,true,").0, 1);
        // A message with line breaks is one row.
        assert_eq!(figures("webhook_id,is_success,error_message\nb,false,\"one\ntwo\"\na,true,").0, 2);
        let json = format!("[{0},\n{{\"webhook_id\":\"a,\n{0},\n{0}]", OBJECTS[0]);
        let (rows, malformed, _) = figures(&json);
        assert_eq!((rows, malformed), (3, 1));
        assert_eq!(first_reason(&json), (2, "missing closing quote".into()));
    }

    #[test]
    fn a_record_has_at_most_a_thousand_lines() {
        let csv = |lines: usize| {
            let message = vec!["x"; lines].join("\n");
            format!("webhook_id,is_success,error_message\nb,false,\"{message}\"\na,true,\n")
        };
        assert_eq!(figures(csv(1_000)).0, 2);
        // Each line is read by itself, and the line with the closing quote has one field.
        let (rows, malformed, _) = figures(csv(1_001));
        assert_eq!((rows, malformed), (1, 1_001));
        assert_eq!(first_reason(csv(1_001)), (2, "missing closing quote".into()));
    }

    #[test]
    fn the_separator_is_the_one_that_the_header_has() {
        for csv in [
            "\"webhook_id\";\"is_success\";\"Error; message\"\na;false;x\n",
            "url\twebhook_id\tstatus_code\n\ta\t503\n\t\t\n",
            "webhook_id,is_success,one;two;three\na,false,\n",
        ] {
            let (rows, malformed, stats) = figures(csv);
            assert_eq!((rows, malformed, stats.failures), (1, 0, 1), "{csv}");
        }
    }

    #[test]
    fn wrong_columns_are_an_error_that_names_them() {
        let failure = |bytes: &[u8]| read_all(bytes).0.unwrap_err().to_string();
        assert_eq!(failure(b"id,state\n1,2\n"), "not the expected columns: id,state");
        assert_eq!(failure(b"webhook_id,event\na,call.ended\n"), "not the expected columns: webhook_id,event");
        assert_eq!(failure(b"\"open"), "not the expected columns: missing closing quote");
        assert_eq!(failure(br#"[{"id":1}]"#), "no valid row; line 1: neither webhook_id nor url");
        assert_eq!(failure(b" \n"), "the file is empty");
        assert_eq!(failure(b"\xff\xfe[\0"), "not UTF-8 but UTF-16");
        assert_eq!(failure(b"\x1f\x8b\x08\0"), "not UTF-8 but compressed");
        // An export without deliveries is not a failure.
        assert_eq!(figures("[]").0, 0);
        assert_eq!(figures("webhook_id,is_success\n").0, 0);
    }

    #[test]
    fn an_array_that_is_cut_off_is_told() {
        let (report, _) = read_all(format!("[{},{}", OBJECTS[0], OBJECTS[1].split_once("null").unwrap().0));
        let report = report.unwrap();
        assert_eq!((report.rows, report.is_cut), (1, true));
        assert_eq!(report.problems()[0].as_str(), "the file ends in the middle of the array");
    }

    #[test]
    fn a_wrong_encoding_costs_characters_and_no_rows() {
        let (rows, malformed, stats) = figures(b"webhook_id,is_success,error_message\na,false,M\xfcnchen\n");
        assert_eq!((rows, malformed), (1, 0));
        assert_eq!(stats.top_error.unwrap().0.raw(), "M\u{fffd}nchen");
        assert_eq!(figures(b"{\"webhook_id\":\"a\",\"is_success\":false,\"error\":\"M\xfcnchen\"}").0, 1);
        assert_eq!(figures(b"{\"webhook_id\":\"a\",\"is_success\":false,\"error\":\"\\ud800\"}\n{\"webhook_id\":\"a\",\"is_success\":true}").0, 2);
    }

    #[test]
    fn a_row_is_never_held_beyond_its_limit() {
        let huge = "x".repeat(10 << 20);
        let row = |error: &str| format!(r#"{{"webhook_id":"a","is_success":false,"error_message":"{error}"}}"#);
        let rows = [row("small"), row(&huge), row("small")];
        let csv = format!(
            "webhook_id,is_success,error_message\na,false,\na,false,{huge}\na,false,\na,false,\"{huge}\"\na,true,\n"
        );
        for (file, good, bad) in [(rows.join("\n"), 2, 1), (format!("[{}]", rows.join(",")), 2, 1), (csv, 3, 2)] {
            let report = read_all(&file).0.unwrap();
            assert_eq!((report.rows, report.malformed), (good, bad));
            assert_eq!(report.first_malformed.unwrap().1.as_str(), "longer than 1 MiB");
            assert!(report.peak_bytes <= 4 * MAX_ROW_BYTES, "{} bytes were held", report.peak_bytes);
        }
    }

    /// Makes rows while they are read, and holds one at a time.
    struct Rows {
        left: u32,
        row: fn(u32) -> String,
        now: Vec<u8>,
    }

    impl Read for Rows {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            if self.now.is_empty() && self.left > 0 {
                self.left -= 1;
                self.now = (self.row)(self.left).into_bytes();
            }
            let some = self.now.len().min(room.len());
            room[..some].copy_from_slice(&self.now[..some]);
            self.now.drain(..some);
            Ok(some)
        }
    }

    #[test]
    fn many_rows_are_streamed() {
        fn object(number: u32) -> String {
            let (id, is_success) = (number % 100, !number.is_multiple_of(4));
            format!(r#"{{"webhook_id":"w{id}","is_success":{is_success},"error_message":"e"}}"#)
        }
        let lines = Rows { left: 40_000, row: |number| object(number) + "\n", now: Vec::new() };
        let array =
            Rows { left: 40_000, row: |number| object(number) + if number == 0 { "]" } else { "," }, now: b"[".to_vec() };
        let csv = Rows {
            left: 200_000,
            row: |number| format!("w{},{},\"e, e\"\n", number % 100, number % 4 != 0),
            now: b"webhook_id,is_success,error_message\n".to_vec(),
        };
        for rows in [lines, array, csv] {
            let count = u64::from(rows.left);
            let mut tally = DeliveryTally::default();
            let report = read(rows, &mut tally).unwrap();
            assert_eq!((report.rows, report.malformed), (count, 0));
            assert!(report.peak_bytes < 256 << 10, "{} bytes were held", report.peak_bytes);
            let stats = tally.of("w4", "https://w4.example/x").unwrap();
            assert_eq!((stats.attempts, stats.failures), (count / 100, count / 100));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (report, tally) = read_all(bytes);
            if let Ok(report) = report {
                prop_assert_eq!(report.rows, tally.rows());
            }
        }

        #[test]
        fn no_text_like_the_formats_breaks_it(
            head in prop_oneof![Just("["), Just("{"), Just("webhook_id,is_success\n")],
            text in "[\\[\\]{},:\"\\\\\n\r a0]{0,80}",
        ) {
            let (report, tally) = read_all(format!("{head}{text}"));
            if let Ok(report) = report {
                prop_assert_eq!(report.rows, tally.rows());
                prop_assert_eq!(report.malformed > 0, report.first_malformed.is_some());
            }
        }

        #[test]
        fn what_comes_in_small_pieces_is_the_same(
            cut in 1_usize..40,
            rows in proptest::collection::vec((0_u8..3, any::<bool>(), "[a\"\\\\,\n\r]{0,6}"), 1..8),
        ) {
            struct Pieces<'a>(&'a [u8], usize);
            impl Read for Pieces<'_> {
                fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
                    let some = self.0.len().min(self.1).min(room.len());
                    room[..some].copy_from_slice(&self.0[..some]);
                    self.0 = &self.0[some..];
                    Ok(some)
                }
            }
            let objects = rows.iter().map(|(id, is_success, error)| {
                serde_json::json!({"webhook_id": format!("w{id}"), "is_success": is_success, "error_message": error})
            });
            let objects: Vec<_> = objects.map(|object| object.to_string()).collect();
            let mut csv = ::csv::Writer::from_writer(Vec::new());
            csv.write_record(["webhook_id", "is_success", "error_message"]).unwrap();
            for (id, is_success, error) in &rows {
                csv.write_record([format!("w{id}"), is_success.to_string(), error.clone()]).unwrap();
            }
            for file in [objects.join("\n").into_bytes(), format!("[{}]", objects.join(" , ")).into_bytes(), csv.into_inner().unwrap()] {
                let mut tally = DeliveryTally::default();
                let report = read(Pieces(&file, cut), &mut tally).unwrap();
                prop_assert_eq!((report.rows, report.malformed), (rows.len() as u64, 0), "{}", String::from_utf8_lossy(&file));
            }
        }
    }
}
