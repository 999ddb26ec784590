//! A program in a pseudo-terminal: what it wrote, what the terminal shows, and how it ended.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use tempfile::TempDir;

/// How long anything may take on a busy machine. What is waited for comes in milliseconds.
const DEADLINE: Duration = Duration::from_secs(30);
/// Beyond this, the terminal's size is a number for the program and no grid for the model; so it is below 80x24, where the model
/// fails.
const MODEL_LIMIT: u16 = 500;
/// Ticks of /proc in a second.
const TICKS: f64 = 100.0;

pub(crate) const HOOKSCOPE: &str = env!("CARGO_BIN_EXE_hookscope");
/// What the explorer writes before it draws anything, and what it ends with.
pub(crate) const ENTER: &str = "\x1b[?1049h";
pub(crate) const LEAVE: &str = "\x1b[?1049l";
/// Every full redraw begins with it.
pub(crate) const CLEAR: &str = "\x1b[2J";

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
}

/// What is to be run, and on what kind of terminal.
pub(crate) struct Setup {
    command: CommandBuilder,
    size: (u16, u16),
    home: TempDir,
}

impl Setup {
    /// A program with nothing of the caller's environment but `PATH`.
    pub(crate) fn new(program: &str, arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(home.path());
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for name in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"] {
            command.env(name, home.path());
        }
        command.env("TERM", "xterm-256color");
        command.env("LANG", "C.UTF-8");
        Self { command, size: (80, 24), home }
    }

    /// The explorer on the demo workspace.
    pub(crate) fn demo() -> Self {
        Self::new(HOOKSCOPE, &["--demo"])
    }

    /// A script that finds the explorer's path in `$0`.
    pub(crate) fn bash(script: &str) -> Self {
        Self::new("bash", &["--noprofile", "--norc", "-c", script, HOOKSCOPE])
    }

    /// With a config that is its owner's alone.
    pub(crate) fn config(self, config: &str) -> Self {
        let directory = self.home.path().join("hookscope");
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("config.toml");
        std::fs::write(&path, config).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }

    /// On a terminal that is not the session's own: its end sends no SIGHUP, and its size no SIGWINCH.
    pub(crate) fn foreign_terminal(mut self) -> Self {
        self.command.set_controlling_tty(false);
        self
    }

    pub(crate) fn start(self) -> Session {
        let pair = native_pty_system().openpty(pty_size(self.size)).unwrap();
        let path = pair.master.tty_name().unwrap();
        let tty =
            File::from(rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap());
        let modes = terminal_modes(&tty);
        let screen = Arc::new(Screen::new(self.size));
        let reader = screen.read(pair.master.try_clone_reader().unwrap());
        let writer = pair.master.take_writer().unwrap();
        let child = pair.slave.spawn_command(self.command).unwrap();
        let pid = Pid::from_raw(i32::try_from(child.process_id().unwrap()).unwrap()).unwrap();
        Session {
            pid,
            line: Some(Line { master: pair.master, writer, reader }),
            tty,
            modes,
            screen,
            end: announce_end(pid),
            exit: None,
            _home: self.home,
        }
    }
}

/// A program that runs in a terminal. It is killed when this is dropped.
pub(crate) struct Session {
    pid: Pid,
    /// Until the terminal vanishes.
    line: Option<Line>,
    /// The program's side of the terminal.
    tty: File,
    /// The line discipline before the program started.
    modes: String,
    screen: Arc<Screen>,
    end: mpsc::Receiver<Exit>,
    exit: Option<Exit>,
    _home: TempDir,
}

/// The terminal's own side.
struct Line {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    reader: JoinHandle<()>,
}

impl Session {
    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.type_bytes(keys.as_bytes());
    }

    pub(crate) fn type_bytes(&mut self, bytes: &[u8]) {
        let writer = &mut self.line.as_mut().unwrap().writer;
        writer.write_all(bytes).unwrap();
        writer.flush().unwrap();
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.screen.lock().resize(columns, rows);
        self.line.as_ref().unwrap().master.resize(pty_size((columns, rows))).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    pub(crate) fn allow_no_more_threads(&self) {
        crate::support::allow_no_more_threads(self.pid);
    }

    /// Sends a signal to the job in the foreground, and not to the shell that started it.
    pub(crate) fn signal_job(&self, signal: Signal) {
        let job = self.line.as_ref().unwrap().master.process_group_leader().and_then(Pid::from_raw).unwrap();
        kill_process(job, signal).unwrap();
    }

    /// Writes to the terminal as another program on it would.
    pub(crate) fn scribble(&self, text: &str) {
        (&self.tty).write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn tty(&self) -> &File {
        &self.tty
    }

    /// Waits until the terminal shows or got what it should.
    pub(crate) fn wait(&self, what: &str, condition: impl Fn(&Seen) -> bool) {
        let seen = self.screen.lock();
        let waited = self.screen.changed.wait_timeout_while(seen, DEADLINE, |seen| !condition(seen));
        let (seen, timeout) = waited.unwrap();
        let failed = timeout.timed_out().then(|| seen.report());
        // A panic in here would keep the reader from ever reading again.
        drop(seen);
        if let Some(report) = failed {
            panic!("waited for {what} in vain; exit {:?}\n{report}", self.end.try_recv().ok());
        }
    }

    /// Waits until a text is on the screen.
    pub(crate) fn wait_text(&self, text: &str) {
        self.wait(text, |seen| seen.text().contains(text));
    }

    /// Waits until the first rows are shown.
    pub(crate) fn wait_rows(&self) {
        self.wait("the first rows", |seen| {
            let text = seen.text();
            seen.screen().alternate_screen() && text.contains("crm.northwind") && text.contains("/1,200")
        });
    }

    /// Waits for one more full redraw than there were before `act`.
    pub(crate) fn wait_redraw(&mut self, act: impl FnOnce(&mut Self)) {
        let before = self.count(CLEAR);
        act(self);
        self.wait("a redraw", |seen| seen.count(CLEAR) > before);
    }

    pub(crate) fn count(&self, sequence: &str) -> usize {
        self.screen.lock().count(sequence)
    }

    /// Looks at what the terminal got.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.screen.lock())
    }

    /// Reads no more from the program, and waits until the link takes nothing more from it either.
    pub(crate) fn stall(&mut self) {
        self.screen.hold(Hold::Stalled);
        let deadline = Instant::now() + DEADLINE;
        let mut wide = false;
        while is_writable(&self.tty) {
            assert!(Instant::now() < deadline, "the link never stalled");
            wide = !wide;
            self.resize(if wide { 400 } else { 300 }, 200);
        }
        // Something that the program wants to write now.
        self.resize(350, 200);
    }

    /// Reads again after a stall.
    pub(crate) fn resume(&self) {
        self.screen.hold(Hold::No);
    }

    /// Takes the terminal away, as a cut connection does.
    pub(crate) fn vanish(&mut self) {
        let Some(line) = self.line.take() else { return };
        self.screen.hold(Hold::Closed);
        // The reader holds the terminal open too. Only a byte wakes it; where none fits, it has some to read.
        rustix::fs::fcntl_setfl(&self.tty, OFlags::NONBLOCK).unwrap();
        drop((&self.tty).write_all(b"\0"));
        line.reader.join().unwrap();
    }

    /// Waits for the end.
    pub(crate) fn exit(&mut self) -> Exit {
        if self.exit.is_none() {
            self.exit = self.end.recv_timeout(DEADLINE).ok();
        }
        self.exit.unwrap_or_else(|| panic!("the program does not end\n{}", self.look(Seen::report)))
    }

    /// Waits for the end and until everything was read that was written before it.
    pub(crate) fn exit_and_drain(&mut self) -> Exit {
        let exit = self.exit();
        self.drain();
        exit
    }

    /// Waits until everything was read that was written until now.
    pub(crate) fn drain(&self) {
        let before = self.count(Seen::MARK);
        self.scribble(Seen::MARK);
        self.wait("the last output", |seen| seen.count(Seen::MARK) > before);
    }

    /// The terminal is as it was before the program started.
    pub(crate) fn assert_restored(&self) {
        self.assert_modes_restored();
        self.look(|seen| {
            let screen = seen.screen();
            assert!(!screen.alternate_screen(), "alternate screen left on\n{}", seen.report());
            assert!(!screen.hide_cursor(), "cursor left hidden");
            assert!(!screen.bracketed_paste(), "bracketed paste left on");
            assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
            assert_eq!(screen.mouse_protocol_encoding(), vt100::MouseProtocolEncoding::Default);
            assert!(!screen.application_cursor() && !screen.application_keypad());
            assert!(seen.last("\x1b[?7l") <= seen.last("\x1b[?7h"), "lines left without a wrap");
            let plain = (vt100::Color::Default, vt100::Color::Default, false, false);
            assert_eq!((screen.fgcolor(), screen.bgcolor(), screen.bold(), screen.inverse()), plain);
        });
    }

    pub(crate) fn assert_modes_restored(&self) {
        assert_eq!(terminal_modes(&self.tty), self.modes, "line discipline not restored");
    }

    pub(crate) fn is_raw(&self) -> bool {
        use rustix::termios::LocalModes;
        let local = rustix::termios::tcgetattr(&self.tty).unwrap().local_modes;
        !local.intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// Waits until the program was stopped by a signal.
    pub(crate) fn wait_stopped(&self) {
        let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(self.pid), options).unwrap().unwrap();
        assert!(status.stopped(), "it ended instead");
    }

    /// Seconds of CPU time used so far, also after the end; nothing where there is no /proc.
    pub(crate) fn cpu_seconds(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid.as_raw_nonzero())).ok()?;
        // The name may contain anything, but no later parenthesis.
        let mut numbers = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let mut ticks = || numbers.next()?.parse::<f64>().ok();
        Some((ticks()? + ticks()?) / TICKS)
    }

    /// The most memory it ever had, in KiB; nothing where there is no /proc.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid.as_raw_nonzero())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A job of a shell is in a group of its own.
        let group = self.line.as_ref().and_then(|line| line.master.process_group_leader()).and_then(Pid::from_raw);
        if let Some(group) = group {
            let _gone = kill_process_group(group, Signal::KILL);
        }
        let _gone = kill_process(self.pid, Signal::KILL);
        if self.exit.is_none() {
            self.exit = self.end.recv_timeout(DEADLINE).ok();
        }
        let _reaped = waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
        self.vanish();
    }
}

/// Tells the end of a process and leaves its remains, so that its id stays its own.
fn announce_end(pid: Pid) -> mpsc::Receiver<Exit> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let status = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).ok().flatten();
        let exit = status.and_then(|status| {
            let code = status.exit_status().map(Exit::Code);
            code.or_else(|| status.terminating_signal().map(Exit::Signal))
        });
        // Nobody listens when the test has failed.
        exit.map(|exit| tell.send(exit))
    });
    told
}

fn pty_size((columns, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn terminal_modes(tty: &File) -> String {
    format!("{:?}", rustix::termios::tcgetattr(tty).unwrap())
}

/// Whether the link takes more bytes within a moment.
fn is_writable(tty: &File) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(tty.as_fd(), PollFlags::OUT)];
    poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap();
    let writable = fds[0].revents().contains(PollFlags::OUT);
    if writable {
        // Time for the program to write something.
        poll(&mut [], Some(&Timespec { tv_sec: 0, tv_nsec: 5_000_000 })).unwrap();
    }
    writable
}

/// What the reader does with the next bytes.
#[derive(Clone, Copy, PartialEq)]
enum Hold {
    No,
    Stalled,
    Closed,
}

struct Screen {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// What the terminal got.
pub(crate) struct Seen {
    model: vt100::Parser,
    raw: Vec<u8>,
    hold: Hold,
}

impl Screen {
    fn new((columns, rows): (u16, u16)) -> Self {
        let mut seen = Seen { model: vt100::Parser::default(), raw: Vec::new(), hold: Hold::No };
        seen.resize(columns, rows);
        Self { seen: Mutex::new(seen), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // A failed comparison does not spoil what was seen.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, hold: Hold) {
        self.lock().hold = hold;
        self.changed.notify_all();
    }

    fn read(self: &Arc<Self>, mut master: Box<dyn Read + Send>) -> JoinHandle<()> {
        let screen = Arc::clone(self);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = master.read(&mut bytes) {
                let seen = screen.changed.wait_while(screen.lock(), |seen| seen.hold == Hold::Stalled);
                let mut seen = seen.unwrap_or_else(PoisonError::into_inner);
                if seen.hold == Hold::Closed {
                    return;
                }
                seen.model.process(&bytes[..count]);
                seen.raw.extend_from_slice(&bytes[..count]);
                screen.changed.notify_all();
            }
        })
    }
}

impl Seen {
    /// A sequence that no program sends and no terminal shows.
    pub(crate) const MARK: &str = "\x1b]7777;\x07";

    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.model.screen()
    }

    pub(crate) fn text(&self) -> String {
        self.screen().contents()
    }

    pub(crate) fn line(&self, row: usize) -> String {
        self.screen().rows(0, u16::MAX).nth(row).unwrap_or_default()
    }

    /// Everything that was written.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    pub(crate) fn count(&self, sequence: &str) -> usize {
        self.raw.windows(sequence.len()).filter(|window| *window == sequence.as_bytes()).count()
    }

    /// The byte offset of the last occurrence of a sequence.
    fn last(&self, sequence: &str) -> Option<usize> {
        self.raw.windows(sequence.len()).rposition(|window| window == sequence.as_bytes())
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.model.screen_mut().set_size(rows.clamp(24, MODEL_LIMIT), columns.clamp(80, MODEL_LIMIT));
    }

    fn report(&self) -> String {
        let tail = &self.raw[self.raw.len().saturating_sub(400)..];
        format!("{}\n--- last bytes: {:?}", self.text(), String::from_utf8_lossy(tail))
    }
}
