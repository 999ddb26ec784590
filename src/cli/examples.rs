//! Examples of every command: `--help`, the man pages and a test that runs each of them read this table.

/// One example.
#[derive(Debug)]
pub struct Example {
    /// Its purpose, in one line.
    pub about: &'static str,
    /// The line for a shell.
    pub line: &'static str,
    pub ends: Ends,
}

/// How an example ends. The tests expect it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// With this exit code.
    With(u8),
    /// When the user quits the explorer.
    Quit,
    /// When the user presses ctrl-c.
    Interrupted,
    /// With an answer from hosts other than the API, so that tests cannot run it.
    Elsewhere,
}

const fn example(about: &'static str, line: &'static str) -> Example {
    Example { about, line, ends: Ends::With(0) }
}

impl Example {
    const fn ends(self, ends: Ends) -> Self {
        Self { ends, ..self }
    }
}

/// The examples of a command, by its name below `hookscope`; the name of the explorer is empty.
pub fn of(command: &str) -> &'static [Example] {
    EXAMPLES.iter().find(|(name, _)| *name == command).map_or(&[], |(_, examples)| examples)
}

/// Every command with its examples.
pub const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "",
        &[
            example("Try the explorer on the demo workspace", "hookscope --demo").ends(Ends::Quit),
            example("Open the findings view", "hookscope --demo --view findings").ends(Ends::Quit),
            example("List the webhooks at a host", "hookscope --demo list --filter 'host:billing'"),
            example("Connect your workspace", "hookscope config init"),
        ],
    ),
    (
        "list",
        &[
            example("Inactive webhooks, newest first", "hookscope --demo list --scope inactive --sort created:desc"),
            example(
                "Ids and hosts of the subscribers of an event",
                "hookscope --demo list --filter event:=call.failed --columns id,host",
            ),
            example("Active webhooks with an audit finding", "hookscope --demo list --filter 'finding:error active:yes'"),
            example("Every webhook as JSON", "hookscope list -o json > webhooks.json"),
        ],
    ),
    (
        "get",
        &[
            example("One webhook as JSON", "hookscope --demo get whk_c9v3nz8rq4pm -o json"),
            example(
                "Every webhook that matches a filter",
                "hookscope list --filter host:legacy -o ids | xargs hookscope get -o csv",
            ),
        ],
    ),
    (
        "events",
        &[
            example("Subscribers per event", "hookscope --demo events"),
            example("The events of one host, for a spreadsheet", "hookscope --demo events --filter 'host:crm' -o csv"),
        ],
    ),
    (
        "probe",
        &[
            example("Probe one destination; this one has a private address", "hookscope --demo probe whk_gdhkwr2ypgdz")
                .ends(Ends::With(1)),
            example("Probe all active webhooks, with HEAD requests", "hookscope probe --scope active --http")
                .ends(Ends::Elsewhere),
        ],
    ),
    (
        "audit",
        &[
            example("All findings, without failing", "hookscope --demo audit --fail-on never"),
            example("One rule, for code scanning", "hookscope --demo audit --rule insecure-url -o sarif > audit.sarif")
                .ends(Ends::With(1)),
            example("Fail on webhooks at retired hosts", "hookscope audit --retired 'legacy.northwind.example.com'")
                .ends(Ends::With(1)),
            example("Explain a rule", "hookscope audit --explain duplicate-destination"),
        ],
    ),
    (
        "metrics",
        &[
            example("Print the metrics", "hookscope --demo metrics"),
            example("Write them for node_exporter", "hookscope metrics --file dialnexa.prom"),
        ],
    ),
    (
        "snapshot",
        &[
            example("Write a snapshot", "hookscope --demo snapshot webhooks.json"),
            example("Write one to commit, without credentials", "hookscope snapshot --redact > webhooks.json"),
        ],
    ),
    (
        "diff",
        &[
            example("Compare two snapshots", "hookscope diff old.json new.json").ends(Ends::With(1)),
            example("Show what changed since a snapshot", "hookscope --demo diff old.json --exit-zero"),
            example("Ignore the query of URLs", "hookscope diff old.json new.json --ignore url.query -o json")
                .ends(Ends::With(1)),
        ],
    ),
    (
        "watch",
        &[
            example("Print changes every 30 seconds", "hookscope watch --every 30").ends(Ends::Interrupted),
            example("Start with the changes since a snapshot", "hookscope --demo watch --since old.json")
                .ends(Ends::Interrupted),
        ],
    ),
    (
        "plan",
        &[
            example("Show what a migration would change", "hookscope --demo plan map.toml"),
            example(
                "Write a script for some of the webhooks, to review and run",
                "hookscope plan map.toml --filter host:legacy -o sh > plan.sh",
            ),
        ],
    ),
    (
        "history",
        &[example("List the saved snapshots", "hookscope history"), example("As JSON", "hookscope history -o json")],
    ),
    (
        "cache",
        &[
            example("Print the directory of the cache", "hookscope cache path"),
            example("Remove the cached listings", "hookscope cache clear"),
        ],
    ),
    ("cache path", &[example("Show the size of the cache", "du -sh \"$(hookscope cache path)\"")]),
    (
        "cache clear",
        &[
            example("Remove the cached listings", "hookscope cache clear"),
            example("Remove the saved snapshots as well", "hookscope cache clear --history"),
        ],
    ),
    (
        "config",
        &[
            example("Create the config file", "hookscope config init"),
            example("Print the effective values", "hookscope config show"),
        ],
    ),
    (
        "config init",
        &[
            example("Create the config file", "hookscope config init"),
            example("Create another config file", "hookscope config init --config staging.toml"),
        ],
    ),
    ("config path", &[example("Edit the config file", "${EDITOR:-vi} \"$(hookscope config path)\"")]),
    (
        "config show",
        &[
            example("Print the effective values", "hookscope config show"),
            example("Print those that differ from the defaults", "hookscope config show | grep -v '# default$'"),
        ],
    ),
    (
        "doctor",
        &[
            example("Check the demo", "hookscope --demo doctor"),
            example("Check the configured workspace", "hookscope doctor"),
        ],
    ),
    (
        "completions",
        &[
            example("bash", "echo 'source <(hookscope completions bash)' >> ~/.bashrc"),
            example("zsh, after compinit", "echo 'source <(hookscope completions zsh)' >> ~/.zshrc"),
            example("fish", "hookscope completions fish > ~/.config/fish/completions/hookscope.fish"),
        ],
    ),
    (
        "man",
        &[
            example("Write every man page to a directory", "hookscope man --dir ./man"),
            example(
                "Install the pages of the commands, so that man hookscope finds them",
                "hookscope man --dir m && install -Dm644 -t ~/.local/share/man/man1 m/*.1",
            ),
            example("Print the main page", "hookscope man"),
        ],
    ),
    ("demo", &[example("Serve the demo API on port 8080", "hookscope demo serve --port 8080").ends(Ends::Interrupted)]),
    (
        "demo serve",
        &[
            example("Serve the demo API", "hookscope demo serve").ends(Ends::Interrupted),
            example("Serve a large workspace slowly", "hookscope demo serve --webhooks 100000 --latency 200")
                .ends(Ends::Interrupted),
        ],
    ),
    (
        "help",
        &[
            example("The filter language", "hookscope help filter"),
            example("Options and examples of a command", "hookscope help config init"),
        ],
    ),
];
