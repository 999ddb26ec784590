//! Line numbers of webhooks in a file, for reports that point to them.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// Returns the line of each webhook id in a file that [`super::read`] accepts, counted from 1: the line of its `id` field,
/// which in a snapshot is that of the whole webhook. Empty unless it is a regular file: a pipe cannot be read twice,
/// and reading it would block.
pub fn id_lines(path: &Path) -> io::Result<HashMap<String, u64>> {
    if !fs::metadata(path)?.is_file() {
        return Ok(HashMap::new());
    }
    read(BufReader::with_capacity(64 << 10, File::open(path)?))
}

fn read(mut reader: impl BufRead) -> io::Result<HashMap<String, u64>> {
    let mut lines = HashMap::new();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        for id in String::from_utf8_lossy(&line).split(r#""id""#).skip(1).filter_map(value) {
            lines.entry(id).or_insert(number);
        }
    }
    Ok(lines)
}

/// Returns the string after the colon that follows a name.
fn value(behind: &str) -> Option<String> {
    let text = behind.trim_start().strip_prefix(':')?.trim_start();
    let text = text.starts_with('"').then_some(text)?;
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_on_its_line() {
        let text = "[\n{\"id\":\"a\",\"url\":\"https://x\"},\n{\n  \"id\" : \"b\\u0063\"\n},{\"id\":\"d\"},{\"id\":7},{\"id\":\"a\"}\n]";
        let lines = read(text.as_bytes()).unwrap();
        let mut lines: Vec<_> = lines.iter().map(|(id, &line)| (id.as_str(), line)).collect();
        lines.sort_unstable();
        assert_eq!(lines, [("a", 2), ("bc", 4), ("d", 5)]);
    }
}
