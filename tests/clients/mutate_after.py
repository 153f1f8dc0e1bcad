"""Attacks by somebody who speaks the protocol: while signing in, and when in."""

import contextlib
import socket
import time

import paramiko

from mutate_wire import (
    AUTH_ANSWER, AUTH_REQUEST, CHANNEL_OPEN, CHANNEL_REQUEST, CLOSE, DATA, DEBUG, EOF, EXTENDED_DATA, GLOBAL_REQUEST, IGNORE, KEXINIT, NEWKEYS,
    SERVICE_REQUEST, WINDOW_ADJUST, kexinit, mutated, string, u32,
)


class Raw:
    """An encrypted connection that says what it is told to; paramiko only agrees on keys and seals packets."""

    def __init__(self, target):
        self.transport = paramiko.Transport(socket.create_connection((target.host, target.port), 5))
        self.transport.start_client(timeout=10)

    def send(self, payload):
        self.transport.packetizer.send_message(paramiko.Message(payload))

    def alive(self):
        return self.transport.is_active()

    def stop_reading(self):
        """From the next packet on nothing is taken from the socket any more."""
        self.transport.packetizer.read_message = lambda: time.sleep(3600)

    def ended(self, seconds):
        """Waits a little for the server to end it."""
        until = time.monotonic() + seconds
        while self.alive() and time.monotonic() < until:
            time.sleep(0.02)
        return "goes on" if self.alive() else "refused"


@contextlib.contextmanager
def agreed(target):
    raw = Raw(target)
    try:
        yield raw
    finally:
        raw.transport.sock.close()
        raw.transport.active = False
        raw.transport.packetizer.close()


@contextlib.contextmanager
def signed_in(target):
    with agreed(target) as raw:
        raw.transport.auth_publickey(target.login, target.key)
        yield raw


def open_message(number, window=1 << 21, most=1 << 15, kind="session"):
    return bytes([CHANNEL_OPEN]) + string(kind) + u32(number) + u32(window) + u32(most)


def request(channel, kind, *parts, answer=True):
    return bytes([CHANNEL_REQUEST]) + u32(channel) + string(kind) + bytes([answer]) + b"".join(parts)


def auth(user, method, *parts):
    return bytes([AUTH_REQUEST]) + string(user) + string("ssh-connection") + string(method) + b"".join(parts)


def sometimes(random_, how_often, message):
    return paramiko.Message(mutated(random_, message.asbytes())) if random_.random() < how_often else message


# --- While signing in ---------------------------------------------------------------------------------------------------


def sign_in_with_nonsense(target, random_):
    junk = random_.randbytes(random_.choice((0, 10, 3000)))
    key = string("ssh-ed25519") + string(junk[:32])
    words = [
        auth(target.login, "none"), auth("x" * 30_000, "none"), auth(b"\xff\xfe", "none"), auth("", "none"), auth(target.login, junk),
        auth(target.login, "password", b"\0", string(junk)), auth(target.login, "publickey", b"\1", string("ssh-ed25519"), string(key), string(junk)),
        auth(target.login, "publickey", b"\0", string("ssh-ed25519"), string(junk)),
        auth(target.login, "publickey", b"\1", string("sk-ssh-ed25519@openssh.com"), string(junk), string(junk)),
        auth(target.login, "publickey", b"\1", string("ssh-ed25519-cert-v01@openssh.com"), string(junk), string(junk)),
        auth(target.login, "keyboard-interactive", string(b""), string(junk)), bytes([AUTH_ANSWER]) + u32(0xFFFFFFFF),
        bytes([AUTH_ANSWER]) + u32(1) + string(junk), bytes([SERVICE_REQUEST]) + string(junk), bytes([AUTH_REQUEST]) + junk,
    ]
    with agreed(target) as raw:
        raw.send(bytes([SERVICE_REQUEST]) + string("ssh-userauth"))
        for _ in range(random_.randrange(1, 40)):
            raw.send(random_.choice(words))
        return raw.ended(0.5)


def work_before_signing_in(target, random_):
    words = [
        open_message(0), request(0, "exec", string("id")), bytes([DATA]) + u32(0) + string(b"x"), bytes([GLOBAL_REQUEST]) + string("tcpip-forward") + b"\1",
        bytes([WINDOW_ADJUST]) + u32(0) + u32(1), bytes([CLOSE]) + u32(0), bytes([52]), bytes([60]), bytes([91]) + u32(0) * 4,
    ]
    with agreed(target) as raw:
        opened = []
        raw.transport._parse_channel_open_success = lambda *_: opened.append(1)
        raw.send(random_.choice(words))
        ended = raw.ended(0.3)
        if opened:
            target.violated("a channel was opened for somebody who has not signed in")
        return ended


def mutated_sign_in(target, random_):
    with agreed(target) as raw:
        original = raw.transport.packetizer.send_message
        raw.transport.packetizer.send_message = lambda m: original(sometimes(random_, 0.5, m))
        raw.transport.auth_timeout = 2
        raw.transport.auth_publickey(target.login, target.key)


def flood_before_signing_in(target, random_):
    word = random_.choice((bytes([IGNORE]) + string(b"x" * 100), bytes([DEBUG]) + b"\1" + string(b"y" * 100) + string(b""), bytes([200])))
    with agreed(target) as raw:
        for _ in range(5_000):
            raw.send(word)
        return raw.ended(0.1)


# --- When in ------------------------------------------------------------------------------------------------------------


def mutated_work(target, random_):
    """A working session some of whose packets go wrong."""
    with signed_in(target) as raw:
        channel = raw.transport.open_session(timeout=5)
        original = raw.transport.packetizer.send_message
        raw.transport.packetizer.send_message = lambda m: original(sometimes(random_, 0.3, m))
        channel.settimeout(1)
        peer = channel.remote_chanid
        words = [
            request(peer, "pty-req", string("xterm"), u32(80) * 2, u32(0) * 2, string(b"\x01\0\0\0\3\xa0\0\0\0\1\0")), request(peer, "env", string("LANG"), string("C")),
            request(peer, "exec", string("cat")), request(peer, "shell"), request(peer, "subsystem", string("sftp")),
            request(peer, "window-change", u32(90), u32(20), u32(0) * 2, answer=False), request(peer, "signal", string("INT"), answer=False),
            bytes([DATA]) + u32(peer) + string(b"hello\n"), bytes([EXTENDED_DATA]) + u32(peer) + u32(1) + string(b"?"), bytes([EOF]) + u32(peer),
            bytes([WINDOW_ADJUST]) + u32(peer) + u32(1000), bytes([GLOBAL_REQUEST]) + string("tcpip-forward") + b"\1" + string("") + u32(0),
        ]
        for _ in range(random_.randrange(3, 30)):
            raw.send(random_.choice(words))
        return raw.ended(0.3)


def channels_never_opened(target, random_):
    with signed_in(target) as raw:
        raw.transport.open_session(timeout=5)
        for _ in range(300):
            n = random_.choice((1, 7, 1000, 0x7FFFFFFF, 0xFFFFFFFF))
            raw.send(random_.choice((
                request(n, "exec", string("id")), bytes([DATA]) + u32(n) + string(b"x"), bytes([EOF]) + u32(n), bytes([CLOSE]) + u32(n),
                bytes([WINDOW_ADJUST]) + u32(n) + u32(5), bytes([EXTENDED_DATA]) + u32(n) + u32(1) + string(b"x"), bytes([91]) + u32(n) + u32(0) * 3,
                bytes([99]) + u32(n), bytes([100]) + u32(n), bytes([92]) + u32(n) + u32(1) + string("") * 2,
            )))
        return raw.ended(0.3)


def ten_thousand_channels(target, random_):
    reading = random_.random() < 0.7
    with signed_in(target) as raw:
        if not reading:
            raw.stop_reading()
        raw.transport.sock.settimeout(5)
        kinds = random_.choice((("session",), ("session", "direct-tcpip", "x11", "nobody@example.org", "forwarded-tcpip")))
        for n in range(10_000):
            raw.send(open_message(n, kind=random_.choice(kinds)))
        return raw.ended(1)


def window_overrun(target, random_):
    with signed_in(target) as raw:
        channel = raw.transport.open_session(timeout=5)
        channel.exec_command("sleep 2")
        block = bytes([DATA]) + u32(channel.remote_chanid) + string(bytes(32_000))
        for _ in range(400):
            raw.send(block)
        if raw.ended(2) == "goes on":
            return "goes on"
        return "refused"


def odd_windows(target, random_):
    """Windows of nothing, packets of nothing, windows beyond all numbers."""
    with signed_in(target) as raw:
        number = 50
        raw.send(open_message(number, window=random_.choice((0, 1, 0xFFFFFFFF)), most=random_.choice((0, 1, 0xFFFFFFFF))))
        time.sleep(0.2)
        for peer in range(3):
            raw.send(request(peer, "exec", string("head -c 3000000 /dev/zero")))
            for _ in range(random_.randrange(1, 50)):
                raw.send(bytes([WINDOW_ADJUST]) + u32(peer) + u32(random_.choice((0, 1, 0xFFFFFFFF, 0x80000000))))
        return raw.ended(0.5)


def keys_again_and_again(target, random_):
    with signed_in(target) as raw:
        words = [kexinit(), kexinit(strict=False), bytes([NEWKEYS]), bytes([30]) + string(random_.randbytes(32)), bytes([IGNORE]) + string(b"x"),
                 bytes([DATA]) + u32(0) + string(b"during"), open_message(1), bytes([KEXINIT]) + random_.randbytes(30)]
        for _ in range(random_.choice((2, 30))):
            raw.send(random_.choice(words))
        return raw.ended(0.3)


def flood_when_in(target, random_):
    """Many things to answer, and nobody who reads the answers."""
    word = random_.choice((
        bytes([GLOBAL_REQUEST]) + string("keepalive@openssh.com") + b"\1", bytes([GLOBAL_REQUEST]) + string("nobody@example.org") + b"\1",
        bytes([IGNORE]) + string(b"x" * 200), bytes([DEBUG]) + b"\1" + string(b"") * 2, bytes([201]), open_message(3, kind="nobody@example.org"),
    ))
    with signed_in(target) as raw:
        if random_.random() < 0.6:
            raw.stop_reading()
        # A server may stop reading somebody who does not read: then sending stands still, which ends here.
        raw.transport.sock.settimeout(2)
        for _ in range(30_000):
            raw.send(word)
        return raw.ended(0.1)


def wrong_strings(target, random_):
    with signed_in(target) as raw:
        channel = raw.transport.open_session(timeout=5)
        peer = channel.remote_chanid
        big = random_.randbytes(random_.choice((1_000, 30_000, 200_000)))
        for word in random_.sample([
            request(peer, "pty-req", string(big), u32(0xFFFFFFFF) * 4, string(big)), request(peer, "pty-req", string("x"), u32(0) * 4, u32(0xFFFFFFFF)),
            request(peer, "env", u32(0xFFFFFFFF)), request(peer, "env", string(big), string(big)), request(peer, "exec", u32(500) + b"short"),
            request(peer, "exec", string(b"\0\xff" * 500)), request(peer, "signal", string(big)), request(peer, "x11-req", b"\1", string(big), string(big), u32(0)),
            request(peer, "subsystem", string(big)), request(peer, big), request(peer, "window-change"), request(peer, "break"), request(peer, ""),
            bytes([DATA]) + u32(peer) + u32(0xFFFFFFFF) + b"x", bytes([EXTENDED_DATA]) + u32(peer) + u32(77) + string(big),
        ], 6):
            raw.send(word)
        return raw.ended(0.2)


def gone_in_the_middle(target, random_):
    with signed_in(target) as raw:
        channel = raw.transport.open_session(timeout=5)
        channel.exec_command("cat /dev/zero" if random_.random() < 0.5 else "cat")
        channel.settimeout(2)
        for _ in range(random_.randrange(1, 20)):
            channel.send(bytes(30_000))
        time.sleep(random_.uniform(0, 0.2))
        raw.stop_reading()


ATTACKS = [
    sign_in_with_nonsense, work_before_signing_in, mutated_sign_in, flood_before_signing_in, mutated_work, channels_never_opened,
    ten_thousand_channels, window_overrun, odd_windows, keys_again_and_again, flood_when_in, wrong_strings, gone_in_the_middle,
]
