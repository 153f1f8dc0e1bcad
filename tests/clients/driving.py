"""What both Python clients share: the order read from standard input, one line of JSON printed for each job.

An order names two places (port and login), a key and jobs; a job says what to `do` in words that the client's own program knows. An
exception is the job's outcome too: `failed: ...`, compared like any other.
"""

import base64
import hashlib
import json
import os
import sys
import threading

LIMIT = 30
_printing = threading.Lock()


def read_order():
    return json.load(sys.stdin)


def tell(job, outcome):
    line = {"name": job["name"], "end": outcome.get("end", "exit 0"), "facts": {}}
    for stream in ("stdout", "stderr"):
        line[stream] = base64.b64encode(outcome.get(stream, b"")).decode()
    for name, value in outcome.get("facts", {}).items():
        line["facts"][name] = value if isinstance(value, str) else repr(value)
    with _printing:
        print(json.dumps(line), flush=True)


def failed(error):
    return {"end": f"failed: {type(error).__name__}: {error}"}


def bytes_of(job, name):
    return base64.b64decode(job.get(name, ""))


def noise(size):
    """Bytes that no compression makes smaller, always the same."""
    out = bytearray()
    n = 0
    while len(out) < size:
        out += hashlib.sha256(n.to_bytes(8, "big")).digest()
        n += 1
    return bytes(out[:size])


def make_tree(at):
    os.makedirs(os.path.join(at, "deep er"))
    for name, content in (("noise", noise(3_000_001)), ("empty", b""), ("deep er/text", b"text\n")):
        with open(os.path.join(at, name), "wb") as f:
            f.write(content)
    os.utime(os.path.join(at, "noise"), (1_600_000_000, 1_600_000_000))


def listing(at):
    lines = []
    for folder, _, names in os.walk(at):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                digest = hashlib.sha256(f.read()).hexdigest()[:16]
            lines.append(f"{os.path.relpath(path, at)} {oct(os.stat(path).st_mode)} {digest}")
    return "\n".join(sorted(lines))
