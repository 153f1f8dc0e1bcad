"""How long a server takes to say no: the same questions again and again, in another order each time.

    timing.py --host 127.0.0.1 --port 22 --rounds 15 < cases.json

A case is {"name": ..., "login": ..., "key": FILE}. Measured is what a stranger can measure: from the signed request to the answer, and
for who is let in to be told why nothing is granted, until those words have come. Prints one line of JSON: for each case its
times in milliseconds, and the words.
"""

import argparse
import json
import logging
import random
import socket
import sys
import time

import paramiko


def ask(host, port, login, key):
    sock = socket.create_connection((host, port), 10)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport = paramiko.Transport(sock)
    try:
        transport.start_client(timeout=20)
        began = time.perf_counter()
        try:
            transport.auth_publickey(login, key)
        except paramiko.AuthenticationException as e:
            return time.perf_counter() - began, type(e).__name__
        channel = transport.open_session(timeout=20)
        channel.settimeout(20)
        channel.exec_command("true")
        words = b""
        while part := channel.recv_stderr(4096):
            words += part
        return time.perf_counter() - began, words.decode(errors="replace")
    finally:
        transport.close()


def main():
    parser = argparse.ArgumentParser()
    for name, kind in (("host", str), ("port", int), ("rounds", int)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    arguments = parser.parse_args()
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    logging.getLogger("paramiko").propagate = False
    cases = json.load(sys.stdin)
    keys = {c["key"]: paramiko.Ed25519Key(filename=c["key"]) for c in cases}
    times, words = {c["name"]: [] for c in cases}, {}
    # The first round warms both sides up.
    for round_ in range(arguments.rounds + 1):
        for case in random.sample(cases, len(cases)):
            took, said = ask(arguments.host, arguments.port, case["login"], keys[case["key"]])
            words[case["name"]] = said
            if round_:
                times[case["name"]].append(took * 1000)
    print(json.dumps({"times": times, "words": words}))


if __name__ == "__main__":
    main()
