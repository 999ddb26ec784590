#!/usr/bin/env python3
"""Measures hookscope as a user has it: a process in a pseudo-terminal.

    cargo build --release --examples --bins && python3 benches/measure.py

Prints the median of each figure. Where another program is named, the two take turns within one run. Needs Python 3 and
curl; nothing leaves this machine. Other explorers are measured the same way when they are given: --peer gitui=DIR runs
`gitui` in DIR.
"""
import argparse
import os
import pty
import re
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOOKSCOPE = os.path.join(ROOT, "target/release/hookscope")
MINIMAL = os.path.join(ROOT, "target/release/examples/minimal")
KEY = "demo_3f9a1c:not-a-secret"


class Terminal:
    """A program in a pseudo-terminal, of 120 x 40 unless said otherwise."""

    def __init__(self, argv, env=None, cwd=None, size=(120, 40)):
        self.home = tempfile.mkdtemp()
        self.output = b""
        self.start = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            import fcntl
            import struct
            import termios
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            os.chdir(cwd or self.home)
            base = {"PATH": os.environ["PATH"], "HOME": self.home, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
            os.execve(argv[0], argv, {**base, **(env or {})})

    def read(self, seconds):
        """What comes within the time; b'' when nothing does."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return b""
        data = os.read(self.fd, 1 << 16)
        self.output += data
        return data

    def until(self, pattern, seconds=10):
        """Milliseconds from the start until the output matches."""
        while not re.search(pattern, self.output):
            if not self.read(seconds):
                sys.exit("%r was never seen in %r" % (pattern, self.output[-300:]))
        return (time.perf_counter() - self.start) * 1e3

    def quiet(self, seconds=0.4):
        while self.read(seconds):
            pass

    def key(self, key):
        """(milliseconds to the last byte, bytes) of a key press."""
        begin = time.perf_counter()
        os.write(self.fd, key)
        last, size = begin, 0
        # Longer than the gaps between the presses of a key that is held.
        while data := self.read(0.1):
            last, size = time.perf_counter(), size + len(data)
        return (last - begin) * 1e3, size

    def status(self, name):
        with open("/proc/%d/status" % self.pid, encoding="ascii") as lines:
            return int(next(x for x in lines if x.startswith(name)).split()[1])

    def switches(self):
        """Wake-ups so far, of all threads."""
        total = 0
        for task in os.listdir("/proc/%d/task" % self.pid):
            with open("/proc/%d/task/%s/status" % (self.pid, task), encoding="ascii") as lines:
                total += sum(int(x.split()[1]) for x in lines if "ctxt_switches" in x)
        return total

    def cpu(self):
        with open("/proc/%d/stat" % self.pid, encoding="ascii") as line:
            fields = line.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rest(self):
        """Waits until nothing is done in the background either."""
        before = None
        while (now := self.cpu()) != before:
            before = now
            self.quiet(0.5)

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
        os.rmdir(self.home) if not os.listdir(self.home) else None


class Demo:
    """`hookscope demo serve`, which needs no other program."""

    def __init__(self, webhooks):
        self.process = subprocess.Popen(
            [HOOKSCOPE, "demo", "serve", "--webhooks", str(webhooks)], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split("=", 1)[1].strip()
        self.env = {"DIALNEXA_BASE_URL": self.url, "DIALNEXA_API_KEY": KEY}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def first_output(argv, pattern, env=None):
    terminal = Terminal(argv, env)
    elapsed = terminal.until(pattern)
    terminal.end()
    return elapsed


def curl(url):
    begin = time.perf_counter()
    subprocess.run(["curl", "-sS", "-o", os.devnull, "-H", "Authorization: Bearer " + KEY,
                    url + "/user-webhooks?page=1&limit=100"], check=True)
    return (time.perf_counter() - begin) * 1e3


def report(name, value, unit, note=""):
    print("%-44s %10.2f %-5s %s" % (name, value, unit, note))


def start_up(runs):
    with Demo(100_000) as demo:
        frames, minimal, rows, curls = [], [], [], []
        for _ in range(runs):
            minimal.append(first_output([MINIMAL], rb"minimal"))
            frames.append(first_output([HOOKSCOPE], rb"Loading", demo.env))
            curls.append(curl(demo.url))
            rows.append(first_output([HOOKSCOPE], rb"100 of 100,000", demo.env))
        mid = statistics.median
        report("minimal ratatui program, first frame", mid(minimal), "ms")
        report("first frame, before any answer", mid(frames), "ms", "%.2f x minimal" % (mid(frames) / mid(minimal)))
        report("curl of the first page", mid(curls), "ms")
        limit = mid(curls) + mid(frames)
        report("first rows", mid(rows), "ms", "%.2f x (curl + first frame)" % (mid(rows) / limit))


def keys(name, terminal, key, presses):
    terminal.quiet()
    got = [terminal.key(key) for _ in range(presses)]
    report("%s: key to last byte" % name, statistics.median(x for x, _ in got), "ms")
    sizes = sorted(x for _, x in got)
    report("%s: bytes of a key" % name, statistics.median(sizes), "B", "largest %d" % sizes[-1])


def scrolling():
    """What 100 `j` from the top of a long list send, the detail beside it."""
    with Demo(100_000) as demo:
        for size in ((100, 30), (200, 60)):
            terminal = Terminal([HOOKSCOPE], demo.env, size=size)
            terminal.until(rb"100 of 100,000")
            terminal.quiet()
            sizes = [terminal.key(b"j")[1] for _ in range(100)]
            name = "100 j at %dx%d: bytes of a key" % size
            report(name, statistics.mean(sizes), "B", "on average; largest %d" % max(sizes))
            terminal.end()


def everything():
    """Memory with all webhooks loaded, and how long loading takes beside `list -o ndjson`."""
    for webhooks in (10_000, 100_000, 1_000_000):
        with Demo(webhooks) as demo:
            begin = time.perf_counter()
            env = {**os.environ, **demo.env}
            subprocess.run([HOOKSCOPE, "list", "-o", "ndjson"], env=env, stdout=subprocess.DEVNULL, check=True)
            listed = time.perf_counter() - begin
            terminal = Terminal([HOOKSCOPE], demo.env)
            terminal.until(b"of " + format(webhooks, ",").encode())
            terminal.quiet()
            terminal.output = b""
            begin = time.perf_counter()
            os.write(terminal.fd, b"L")
            while not re.search(rb"live", terminal.output):
                terminal.read(60)
            loaded = time.perf_counter() - begin
            report("%d loaded: peak memory" % webhooks, terminal.status("VmHWM") / 1024, "MiB")
            report("%d loaded: time" % webhooks, loaded, "s", "%.2f x list -o ndjson" % (loaded / listed))
            terminal.end()


def typing(webhooks, runs):
    """Measures how long each letter of a word takes in the explorer, from the key to the last byte."""
    words = ("hooks", "northwind", "clinic", "voice")
    times = {word: [] for word in words}
    for _ in range(runs):
        # The demo has a rate limit, which starts again with each run.
        with Demo(webhooks) as demo:
            terminal = Terminal([HOOKSCOPE], demo.env, size=(100, 30))
            terminal.until(b"of " + format(webhooks, ",").encode())
            terminal.key(b"L")
            terminal.until(b"all " + format(webhooks, ",").encode(), 60)
            terminal.rest()
            for word in words:
                terminal.key(b"/")
                times[word].append([terminal.key(letter.encode())[0] for letter in word])
                for _ in range(2):
                    terminal.key(b"\x1b")
            terminal.end()
    for word, typed in times.items():
        letters = [statistics.median(run[place] for run in typed) for place in range(len(word))]
        report("%s typed in %d: a letter" % (word, webhooks), max(letters), "ms", " ".join("%.1f" % x for x in letters))


def held(size, rate, link=2400, seconds=3):
    """Seconds from the release of a held `j` to the last byte, on a link of so many bytes a second."""
    with Demo(100_000) as demo:
        terminal = Terminal([HOOKSCOPE], demo.env, size=size)
        terminal.until(rb"100 of 100,000")
        terminal.key(b"L")
        terminal.quiet(1)
        start, read, pressed, last = time.monotonic(), 0, 0, 0.0
        while (now := time.monotonic() - start) < max(seconds, last + 1.5):
            if now < seconds and pressed < now * rate:
                os.write(terminal.fd, b"j")
                pressed += 1
            # A link passes on as much as its rate allows, and saves nothing up.
            read = max(read, (now - 0.02) * link)
            if read <= now * link and select.select([terminal.fd], [], [], 0)[0]:
                read += len(os.read(terminal.fd, 24))
                last = max(read / link, now)
            time.sleep(0.001)
        terminal.end()
    report("j held, %d a second, %d B/s, %dx%d" % (rate, link, *size), max(last - seconds, 0), "s", "to the last byte")


def at_rest(terminal, seconds):
    terminal.quiet(1.5)
    switches, cpu = terminal.switches(), terminal.cpu()
    written = 0
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        written += len(terminal.read(left))
    report("idle for %d s: bytes" % seconds, written, "B")
    report("idle for %d s: wake-ups" % seconds, terminal.switches() - switches, "")
    report("idle for %d s: CPU" % seconds, terminal.cpu() - cpu, "s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--idle", type=int, default=10)
    parser.add_argument("--peer", action="append", default=[], metavar="PROGRAM=DIR")
    options = parser.parse_args()
    start_up(options.runs)
    with Demo(100_000) as demo:
        terminal = Terminal([HOOKSCOPE], demo.env)
        terminal.until(rb"100 of 100,000")
        report("memory after the start (VmRSS)", terminal.status("VmRSS") / 1024, "MiB")
        keys("j at 120x40", terminal, b"j", 30)
        at_rest(terminal, options.idle)
        terminal.end()
    scrolling()
    everything()
    typing(1_000_000, max(options.runs // 2, 1))
    for size in ((80, 24), (100, 30), (120, 40), (200, 60)):
        held(size, 30)
    for peer in options.peer:
        program, _, folder = peer.partition("=")
        terminal = Terminal([subprocess.check_output(["which", program], text=True).strip()], cwd=folder or None)
        terminal.quiet(1.5)
        report("%s: memory (VmRSS)" % program, terminal.status("VmRSS") / 1024, "MiB")
        keys("%s, down" % program, terminal, b"\x1b[B", 30)
        terminal.end()
    report("size of the binary", os.path.getsize(HOOKSCOPE) / (1 << 20), "MiB")


if __name__ == "__main__":
    main()
