#!/usr/bin/env python3
"""How long a full read takes behind a gateway with a fixed rate.

    benches/rates.py [--binary target/release/hookscope] [--rows 1234] [--latency-ms 0] [--nginx]

For each rate, burst and kind of refusal, a client that asks for one page at a time and waits as it is told (a second where it
is not told) reads the listing, then hookscope does, from a server of its own that admits requests as nginx's `limit_req …
nodelay` does. With --nginx, nginx stands between them and does the refusing. Only the standard library is used, and nothing
but loopback. One line of a Markdown table for each case.
"""

import argparse
import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

PAGE = 100
NGINX = """
daemon off; master_process off; pid {home}/pid; error_log stderr crit;
events {{}}
http {{
  access_log off;
  limit_req_zone $binary_remote_addr zone=api:1m rate={rate}r/s;
  upstream api {{ server 127.0.0.1:{upstream}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port};
    limit_req zone=api {burst}; limit_req_status {status}; limit_req_log_level info;
    error_page {status} @refused;
    location / {{ proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://api; }}
    location @refused {{ {header} default_type application/json; return {status} '{{}}'; }}
  }}
}}
"""


class Limiter:
    """nginx's limit_req with nodelay."""

    def __init__(self, rate, burst):
        self.gap, self.burst = 1 / rate if rate else 0, burst
        self.excess, self.last, self.lock = 0.0, time.monotonic(), threading.Lock()

    def admits(self):
        if not self.gap:
            return True
        with self.lock:
            now = time.monotonic()
            excess = max(self.excess - (now - self.last) / self.gap, 0) + 1
            if excess > self.burst + 1 + 1e-9:
                return False
            self.excess, self.last = excess, now
            return True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        time.sleep(server.latency)
        with server.lock:
            server.asked += 1
        if not server.limiter.admits():
            with server.lock:
                server.refused += 1
            return self.reply(server.status, b"{}", server.told)
        query = dict(pair.split("=") for pair in self.path.partition("?")[2].split("&") if "=" in pair)
        page = int(query.get("page", 1))
        rows = [
            {"id": f"wh_{n}", "url": f"https://hooks.example.com/{n}", "events": ["call.completed"], "is_active": True,
             "created_at": "2024-03-01T10:00:00.000Z"}
            for n in range((page - 1) * PAGE, min(page * PAGE, server.rows))
        ]
        body = {"data": rows, "meta": {"page": page, "limit": PAGE, "total": server.rows}}
        self.reply(200, json.dumps(body).encode(), None)

    def reply(self, status, body, retry_after):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass


def serve(args, limiter, status, told):
    server = Server(("127.0.0.1", 0), Handler)
    server.rows, server.latency, server.limiter = args.rows, args.latency_ms / 1000, limiter
    server.status, server.told, server.lock = status, told, threading.Lock()
    server.asked = server.refused = 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_nginx(rate, burst, status, told, upstream, home):
    port = free_port()
    header = f"add_header Retry-After {told} always;" if told else ""
    conf = NGINX.format(home=home, rate=rate, upstream=upstream, port=port, status=status, header=header,
                        burst=f"burst={burst} nodelay" if burst else "")
    path = os.path.join(home, "nginx.conf")
    with open(path, "w") as out:
        out.write(conf)
    process = subprocess.Popen(["nginx", "-c", path, "-p", home, "-e", "stderr"], stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return process, port
        except OSError:
            time.sleep(0.02)
    sys.exit("nginx does not start")


def read_in_sequence(port, rows):
    connection, started, read, page = http.client.HTTPConnection("127.0.0.1", port), time.monotonic(), 0, 1
    while read < rows:
        connection.request("GET", f"/v1/user-webhooks?page={page}&limit={PAGE}")
        response = connection.getresponse()
        body = response.read()
        if response.status == 200:
            read, page = read + len(json.loads(body)["data"]), page + 1
        else:
            time.sleep(float(response.headers.get("Retry-After") or 1))
    return time.monotonic() - started


def read_with_hookscope(binary, port):
    environment = {"DIALNEXA_API_KEY": "bench:not-a-secret", "HOME": tempfile.gettempdir() + "/hookscope-bench", "PATH": "/usr/bin:/bin"}
    started = time.monotonic()
    run = subprocess.run([binary, "--base-url", f"http://127.0.0.1:{port}/v1", "list", "-o", "ids"], env=environment,
                         capture_output=True, text=True)
    return time.monotonic() - started, run.returncode, run.stdout.count("\n")


def measure(args, rate, burst, status, told):
    """Seconds in sequence, then of hookscope, its exit code, rows, requests, and how many of them were refused."""
    with tempfile.TemporaryDirectory() as home:
        results = []
        for read in (lambda port: (read_in_sequence(port, args.rows),), lambda port: read_with_hookscope(args.binary, port)):
            limiter = Limiter(0 if args.nginx else rate, burst)
            server = serve(args, limiter, status, told)
            port, nginx = server.server_address[1], None
            if args.nginx:
                nginx, port = start_nginx(rate, burst, status, told, port, home)
            results.extend(read(port))
            if nginx:
                nginx.terminate()
                nginx.wait()
            server.shutdown()
            server.server_close()
        return *results, server.asked, server.refused


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/hookscope")
    parser.add_argument("--rows", type=int, default=1234)
    parser.add_argument("--latency-ms", type=int, default=0)
    parser.add_argument("--nginx", action="store_true")
    args = parser.parse_args()
    if args.nginx and not shutil.which("nginx"):
        sys.exit("nginx is not installed")
    print("| rate | burst | refusal | in sequence | hookscope | ratio | exit | rows | requests | refused |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for rate in (1, 5, 20):
        for burst in (0, 5):
            for status, told in ((429, "1"), (429, None), (503, None)):
                sequence, took, code, rows, asked, refused = measure(args, rate, burst, status, told)
                refusal = f"{status}, Retry-After: {told}" if told else f"{status}"
                counts = "– | –" if args.nginx else f"{asked} | {refused}"
                print(f"| {rate}/s | {burst} | {refusal} | {sequence:.1f} s | {took:.1f} s | {took / max(sequence, 0.001):.2f} "
                      f"| {code} | {rows} | {counts} |", flush=True)


if __name__ == "__main__":
    main()
