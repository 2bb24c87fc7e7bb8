"""Counts visits in a database."""

import os
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCHEMA = "create table if not exists visits (at timestamptz not null default now())"
VISIT = "insert into visits default values"
COUNT = "select count(*) from visits"


def ask(*statements):
    """Runs the statements; answers what the last one gives."""
    command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
    command += [f"--command={statement}" for statement in statements]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            self.answer("ok")
        elif self.path == "/":
            self.answer(f"visit {ask(VISIT, COUNT)}")
        else:
            self.answer("no such page", 404)

    def answer(self, text, status=200):
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ask(SCHEMA)
port = int(os.environ["PORT"])
print(f"app: listening on {port}")
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
