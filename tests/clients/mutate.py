"""A client that keeps to nothing: seeded, so that what it found can be found again.

    mutate.py --host 127.0.0.1 --port 22 --login ACCOUNT@TARGET --key FILE --seed 1 --seconds 20

Until the time is up it plays attacks in random order, two at a time. It prints one line of JSON: how often each attack was played, how
each ended, and `violations`: answers that no correct server gives. What the server must survive is judged by whoever runs this.
"""

import argparse
import collections
import json
import logging
import random
import threading
import time

import paramiko

import mutate_after
import mutate_before
from mutate_wire import Refused

HANDS = 2


class Target:
    def __init__(self, arguments):
        self.host, self.port, self.login = arguments.host, arguments.port, arguments.login
        self.key = paramiko.Ed25519Key(filename=arguments.key)
        self.violations = []

    def violated(self, rule):
        self.violations.append(rule)


def main():
    parser = argparse.ArgumentParser()
    for name, kind in (("host", str), ("port", int), ("login", str), ("key", str), ("seed", int), ("seconds", float)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    parser.add_argument("--only", help="attacks whose name holds this")
    arguments = parser.parse_args()
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    logging.getLogger("paramiko").propagate = False

    target = Target(arguments)
    attacks = [a for a in mutate_before.ATTACKS + mutate_after.ATTACKS if (arguments.only or "") in a.__name__]
    until = time.monotonic() + arguments.seconds
    played = collections.defaultdict(collections.Counter)
    lock = threading.Lock()

    def hand(number):
        random_ = random.Random(arguments.seed * 1000 + number)
        order = []
        while time.monotonic() < until:
            # Every attack once before any is played again.
            order = order or random_.sample(attacks, len(attacks))
            attack = order.pop()
            try:
                ended = attack(target, random_) or "left by us"
            except (OSError, EOFError, Refused) as e:
                ended = type(e).__name__
            except paramiko.SSHException as e:
                ended = f"paramiko: {str(e)[:60]}"
            except Exception as e:  # noqa: BLE001 - paramiko trips over its own mutated state; whoever reads this tells it from a mistake here
                ended = f"client: {type(e).__name__}: {str(e)[:60]}"
            with lock:
                played[attack.__name__][ended] += 1

    hands = [threading.Thread(target=hand, args=(n,)) for n in range(HANDS)]
    for h in hands:
        h.start()
    for h in hands:
        h.join()
    print(json.dumps({"seed": arguments.seed, "played": played, "violations": sorted(set(target.violations))}))


if __name__ == "__main__":
    main()
