#!/usr/bin/env python3
"""Measures the commands as processes, in pairs, against a fake of the API on loopback.

    cargo build --release --bins --examples && python3 benches/commands.py --api "python3 PATH/fake_api.py --warm"

The program behind --api gets --port, --key, --total and --latency-ms, prints its URL first, and serves pages below /v1.
Without it, `hookscope demo serve` is the server. curl and jq are measured beside it where they are installed.
"""
import argparse
import os
import shlex
import shutil
import statistics
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOOKSCOPE = os.path.join(HERE, "target/release/hookscope")
RAW = os.path.join(HERE, "target/release/examples/raw_pages")
KEY = "kid:secret"


class Api:
    def __init__(self, command, total, latency=0):
        if command:
            words = shlex.split(command) + ["--port", "0", "--key", KEY, "--total", str(total), "--latency-ms", str(latency)]
        else:
            words = [HOOKSCOPE, "demo", "serve", "--webhooks", str(total), "--latency", str(latency)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        if command:
            self.url, self.key = self.process.stdout.readline().strip() + "/v1", KEY
        else:
            lines = [self.process.stdout.readline().strip().split("=", 1)[1] for _ in range(2)]
            self.url, self.key = lines

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def env(self):
        home = tempfile.gettempdir()
        return {"PATH": os.environ["PATH"], "HOME": home, "DIALNEXA_BASE_URL": self.url, "DIALNEXA_API_KEY": self.key}

    def curl(self, pages, *options):
        urls = ["%s/user-webhooks?page=%d&limit=100" % (self.url, page) for page in range(1, pages + 1)]
        return ["curl", "-sS", "--no-progress-meter", *options, "-H", "Authorization: Bearer " + self.key, *urls]


def run(command, env):
    """Seconds of wall-clock time."""
    with open(os.devnull, "wb") as sink:
        start = time.perf_counter()
        subprocess.run(command, env=env, stdout=sink, check=True, shell=isinstance(command, str))
        return time.perf_counter() - start


def pairs(count, env, one, other):
    """Medians of both in milliseconds; they take turns, so that both meet the same machine."""
    times = [(run(one, env) * 1e3, run(other, env) * 1e3) for _ in range(count)]
    return tuple(statistics.median(column) for column in zip(*times))


def peak_mb(command, env):
    """The largest resident set of a command, in MB."""
    with open(os.devnull, "wb") as sink:
        process = subprocess.Popen(command, env=env, stdout=sink)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0, command
    return usage.ru_maxrss * 1024 / 1e6


def line(what, value, beside=""):
    print("%-58s %-12s %s" % (what, value, beside), flush=True)


def reading(command, count):
    ndjson = [HOOKSCOPE, "list", "-o", "ndjson"]
    has_curl = shutil.which("curl") and shutil.which("jq")
    for total, latency in ((10_000, 0), (10_000, 40), (100, 0)):
        pages = total // 100
        with Api(command, total, latency) as api:
            others = {"nothing parsed": [RAW, api.url, api.key, str(pages)]}
            if has_curl:
                others["curl"] = api.curl(pages)
            if has_curl and latency == 0 and pages > 1:
                pipe = " | jq -c '.data[]'"
                others["curl | jq"] = shlex.join(api.curl(pages)) + pipe
                others["curl -Z | jq"] = shlex.join(api.curl(pages, "-Z", "--parallel-max", "8")) + pipe
            for name, other in others.items():
                ours, theirs = pairs(count, api.env(), ndjson, other)
                what = "ndjson, %d pages, %d ms latency" % (pages, latency)
                line(what, "%.1f ms" % ours, "%s: %.1f ms, ratio %.2f" % (name, theirs, ours / theirs))
        if latency:
            best = latency * (1 + -(-(pages - 1) // 8))
            line("  beside latency x (1 + pages / concurrency)", "%.2f" % (ours / best), "%d ms" % best)


def memory(command):
    with Api(command, 1_000_000) as api:
        line("ndjson, 1,000,000 webhooks: peak", "%.0f MB" % peak_mb([HOOKSCOPE, "list", "-o", "ndjson"], api.env()))
    with Api(command, 100_000) as api:
        line("json, 100,000 webhooks: peak", "%.0f MB" % peak_mb([HOOKSCOPE, "list", "-o", "json"], api.env()))


def start(count):
    env = {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir()}
    for words in (["--help"], ["completions", "bash"]):
        times = [run([HOOKSCOPE, *words], env) * 1e3 for _ in range(count)]
        line("hookscope " + " ".join(words), "%.1f ms" % statistics.median(times))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--api", help="the server; default: hookscope demo serve")
    parser.add_argument("--count", type=int, default=15, help="runs of each command")
    arguments = parser.parse_args()
    start(arguments.count)
    reading(arguments.api, arguments.count)
    memory(arguments.api)


if __name__ == "__main__":
    main()
