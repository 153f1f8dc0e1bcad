"""Attacks on a server that knows nobody yet."""

import socket
import time

from mutate_wire import (
    AUTH_REQUEST, BANNER, CHANNEL_OPEN, DEBUG, ECDH_INIT, ECDH_REPLY, GLOBAL_REQUEST, IGNORE, NEWKEYS, SERVICE_REQUEST,
    UNIMPLEMENTED, Raw, Refused, kexinit, mutated, packet, string, u32,
)

QUIET = bytes([IGNORE]) + string(b"x")


def banner_slow(target, random_):
    """Slow-loris: a byte now and then, never the whole line."""
    lines = []
    try:
        for _ in range(10):
            lines.append(Raw(target, None))
        for byte in b"SSH-2.0-slow":
            for line in lines:
                line.send(bytes([byte]))
            time.sleep(random_.uniform(0.02, 0.15))
    finally:
        for line in lines:
            line.socket.close()


def banner_nonsense(target, random_):
    banner = random_.choice((
        random_.randbytes(2000), b"SSH-1.5-old\r\n", b"\0" * 5000, b"A" * 2_000_000, b"line\r\n" * 20_000 + BANNER,
        b"SSH-2.0-" + b"x" * 100_000 + b"\r\n", b"GET / HTTP/1.1\r\n\r\n", BANNER * 50, b"SSH-2.0-\xff\xfe\r\n",
    ))
    with Raw(target, banner) as raw:
        return raw.drain()


def half_open(target, random_):
    sockets = [socket.create_connection((target.host, target.port), 5) for _ in range(15)]
    time.sleep(random_.uniform(0.1, 0.8))
    for s in sockets:
        s.close()


def gone_early(target, random_):
    words = [BANNER, packet(kexinit()), packet(bytes([ECDH_INIT]) + string(random_.randbytes(32)))]
    sent = b"".join(words[: random_.randrange(4)])
    raw = Raw(target, None)
    raw.send(sent[: random_.randrange(len(sent) + 1)])
    if random_.random() < 0.5:
        time.sleep(random_.uniform(0, 0.05))
    raw.cut()


def wrong_lengths(target, random_):
    with Raw(target) as raw:
        payload = random_.choice((kexinit(), QUIET, b""))
        if random_.random() < 0.5:
            raw.send(packet(payload, length=random_.choice((0, 1, 2, 5, 7, 35_001, 300_000, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000))))
        else:
            raw.send(packet(payload, padding=random_.choice((0, 1, 3, 255))))
        raw.send(random_.randbytes(100))
        return raw.drain()


def kexinit_mutated(target, random_):
    with Raw(target) as raw:
        raw.send(packet(mutated(random_, kexinit())))
        raw.send(packet(bytes([ECDH_INIT]) + string(random_.randbytes(32))))
        return raw.drain()


def kexinit_overlong(target, random_):
    many = tuple(f"name-{n}" for n in range(random_.choice((500, 2_000, 20_000))))
    one = ("x" * random_.choice((1_000, 30_000, 250_000)),)
    with Raw(target) as raw:
        raw.send(packet(kexinit(kex=random_.choice((many, one, ("",) * 3000)), ciphers=random_.choice((many, one, ())))))
        return raw.drain()


def kexinit_twice(target, random_):
    with Raw(target) as raw:
        for _ in range(random_.choice((2, 3, 500))):
            raw.send(packet(kexinit()))
        return raw.drain()


def key_mutated(target, random_):
    point = random_.choice((b"", bytes(32), b"\1" + bytes(31), random_.randbytes(31), random_.randbytes(33), random_.randbytes(200_000)))
    kex = random_.choice(("curve25519-sha256", "mlkem768x25519-sha256", "curve25519-sha256@libssh.org"))
    if kex.startswith("mlkem"):
        point = random_.choice((point, random_.randbytes(1216), b"\xff" * 1216, random_.randbytes(1184)))
    with Raw(target) as raw:
        raw.their_banner()
        raw.send(packet(kexinit(kex=(kex,))) + packet(bytes([ECDH_INIT]) + string(point)))
        try:
            while raw.read()[:1] != bytes([ECDH_REPLY]):
                pass
        except (Refused, TimeoutError):
            return "refused"
        if point[:31] == bytes(31) or (len(point) != 32 and not kex.startswith("mlkem")):
            target.violated(f"a key exchange with a public value of {len(point)} bytes, all zero: {not any(point)}, was answered")
        return "answered"


def out_of_order(target, random_):
    words = (
        bytes([NEWKEYS]), bytes([SERVICE_REQUEST]) + string("ssh-userauth"), bytes([GLOBAL_REQUEST]) + string("keepalive@openssh.com") + b"\1",
        bytes([AUTH_REQUEST]) + string("root") + string("ssh-connection") + string("none"),
        bytes([CHANNEL_OPEN]) + string("session") + u32(0) + u32(1 << 21) + u32(1 << 15), bytes([ECDH_REPLY]) + string(b"x") * 3,
        bytes([random_.randrange(256)]) + random_.randbytes(40),
    )
    with Raw(target) as raw:
        if random_.random() < 0.7:
            raw.send(packet(kexinit(strict=random_.random() < 0.5)))
        for word in random_.sample(words, random_.randrange(1, len(words))):
            raw.send(packet(word))
        return raw.drain()


def prefix_in_strict_handshake(target, random_):
    """Terrapin (CVE-2023-48795): with strict key exchange nothing but the exchange itself may be in the handshake."""
    quiet = packet(random_.choice((
        QUIET, bytes([DEBUG]) + b"\0" + string(b"x") + string(b""), bytes([UNIMPLEMENTED]) + u32(0), bytes([IGNORE]) + string(b""),
    )))
    hello, exchange = packet(kexinit()), packet(bytes([ECDH_INIT]) + string(random_.randbytes(32)))
    where = random_.randrange(2)
    with Raw(target) as raw:
        raw.their_banner()
        raw.send(quiet + hello + exchange if where == 0 else hello + quiet + exchange)
        seen = []
        try:
            while True:
                seen.append(raw.read()[:1])
                if seen[-1] == bytes([ECDH_REPLY]):
                    target.violated(f"strict key exchange went on after a message of number {quiet[5]} {'before KEXINIT' if where == 0 else 'after KEXINIT'}")
                    return "went on"
        except (Refused, ConnectionError):
            return "refused"
        except TimeoutError:
            return "silence"


def flood_in_clear(target, random_):
    with Raw(target) as raw:
        if random_.random() < 0.5:
            raw.send(packet(kexinit(strict=False)))
        for _ in range(100):
            raw.send(packet(QUIET) * 100)
        return raw.drain()


ATTACKS = [
    banner_slow, banner_nonsense, half_open, gone_early, wrong_lengths, kexinit_mutated, kexinit_overlong, kexinit_twice, key_mutated,
    out_of_order, prefix_in_strict_handshake, flood_in_clear,
]
