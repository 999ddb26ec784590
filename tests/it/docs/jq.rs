//! Stands in for `jq` where the commands of the documentation are tested on a machine without it: jaq's language, and the
//! options that the pages use.

use std::env;
use std::error::Error;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::write::{Pp, write};
use jaq_json::{Val, read};

/// The command line: letters such as `-rc`, a filter, and files.
#[derive(Default)]
struct CommandLine {
    letters: String,
    filter: String,
    files: Vec<String>,
}

impl CommandLine {
    fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let (letters, mut words): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument.starts_with('-'));
        let letters: String = letters.iter().flat_map(|argument| argument.chars().skip(1)).collect();
        match letters.chars().find(|letter| !"rcse".contains(*letter)) {
            Some(letter) => Err(format!("the stand-in for jq does not know -{letter}")),
            None if words.is_empty() => Err("jq needs a filter".to_owned()),
            None => Ok(Self { letters, filter: words.remove(0), files: words }),
        }
    }

    fn has(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }

    fn inputs(&self) -> Result<Vec<Val>, Box<dyn Error>> {
        let mut text = Vec::new();
        for file in &self.files {
            text.extend(fs::read(file)?);
        }
        if self.files.is_empty() {
            io::stdin().lock().read_to_end(&mut text)?;
        }
        let values = read::parse_many(&text).collect::<Result<Vec<_>, _>>().map_err(|error| error.to_string())?;
        Ok(if self.has('s') { vec![values.into_iter().collect()] } else { values })
    }
}

fn run(line: &CommandLine) -> Result<ExitCode, Box<dyn Error>> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let program = File { code: line.filter.as_str(), path: () };
    let modules = Loader::new(defs).load(&arena, program).map_err(|errors| format!("{errors:?}"))?;
    let filter = Compiler::default().with_funs(funs).compile(modules).map_err(|errors| format!("{errors:?}"))?;
    let layout = Pp { indent: (!line.has('c')).then(|| "  ".to_owned()), sep_space: !line.has('c'), ..Pp::default() };
    let mut stdout = io::stdout().lock();
    let mut last = None;
    for input in line.inputs()? {
        let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
        for output in filter.id.run((context, input)).map(unwrap_valr) {
            let value = output.map_err(|error| error.to_string())?;
            match &value {
                Val::TStr(text) if line.has('r') => stdout.write_all(text)?,
                value => write(&mut stdout, &layout, 0, value)?,
            }
            writeln!(stdout)?;
            last = Some(value);
        }
    }
    let is_true = last.is_some_and(|value| !matches!(value, Val::Null | Val::Bool(false)));
    Ok(ExitCode::from(u8::from(line.has('e') && !is_true)))
}

fn main() -> ExitCode {
    let result = CommandLine::parse(env::args().skip(1)).map_err(Into::into).and_then(|line| run(&line));
    result.unwrap_or_else(|error| {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if kind == Some(io::ErrorKind::BrokenPipe) {
            // As the shell reports a program that SIGPIPE ended.
            return ExitCode::from(141);
        }
        writeln!(io::stderr(), "jq: {error}").ok();
        ExitCode::from(5)
    })
}
