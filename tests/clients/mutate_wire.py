"""Words of the protocol (RFC 4251 section 5, RFC 4253) and how they are got wrong."""

import os
import socket
import struct

DISCONNECT, IGNORE, UNIMPLEMENTED, DEBUG, SERVICE_REQUEST = 1, 2, 3, 4, 5
KEXINIT, NEWKEYS, ECDH_INIT, ECDH_REPLY = 20, 21, 30, 31
AUTH_REQUEST, AUTH_ANSWER = 50, 61
GLOBAL_REQUEST, CHANNEL_OPEN = 80, 90
WINDOW_ADJUST, DATA, EXTENDED_DATA, EOF, CLOSE, CHANNEL_REQUEST = 93, 94, 95, 96, 97, 98
BANNER = b"SSH-2.0-mutate\r\n"


class Refused(Exception):
    """The server ended the connection."""


def u32(n):
    return struct.pack(">I", n & 0xFFFFFFFF)


def string(b):
    b = b.encode() if isinstance(b, str) else b
    return u32(len(b)) + b


def names(*words):
    return string(",".join(words))


def kexinit(kex=("curve25519-sha256",), strict=True, ciphers=("aes256-gcm@openssh.com",)):
    kex = kex + (("kex-strict-c-v00@openssh.com",) if strict else ())
    lists = [kex, ("ssh-ed25519", "rsa-sha2-512", "ecdsa-sha2-nistp256"), ciphers, ciphers]
    lists += [("hmac-sha2-256-etm@openssh.com",)] * 2 + [("none",)] * 2 + [()] * 2
    return bytes([KEXINIT]) + os.urandom(16) + b"".join(names(*l) for l in lists) + b"\0" + u32(0)


def packet(payload, length=None, padding=None):
    """A packet in clear (RFC 4253 section 6); `length` and `padding` may be lies."""
    true_padding = 8 - (len(payload) + 5) % 8
    true_padding += 8 if true_padding < 4 else 0
    told_length = len(payload) + true_padding + 1 if length is None else length
    told_padding = true_padding if padding is None else padding
    return u32(told_length) + bytes([told_padding & 255]) + payload + os.urandom(true_padding)


def mutated(random_, payload):
    """One of the ways in which bytes go wrong; the message's number is mostly kept, so that its parser is reached."""
    b = bytearray(payload)
    way = random_.randrange(6)
    at = random_.randrange(1, len(b)) if len(b) > 1 else 0
    if way == 0:
        for _ in range(random_.randrange(1, 6)):
            b[random_.randrange(len(b))] ^= 1 << random_.randrange(8)
    elif way == 1:
        del b[at:]
    elif way == 2:
        b[at:at] = random_.randbytes(random_.choice((1, 4, 100, 30_000)))
    elif way == 3:
        # A length that is not true, where one may be.
        b[at : at + 4] = u32(random_.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, len(b), 40_000)))
    elif way == 4:
        b = b[:1] + random_.randbytes(random_.randrange(64))
    else:
        b[0] = random_.randrange(256)
    return bytes(b)


class Raw:
    """A connection before any key is agreed on."""

    def __init__(self, target, banner=BANNER):
        self.socket = socket.create_connection((target.host, target.port), 5)
        self.socket.settimeout(3)
        self.buffer = b""
        if banner is not None:
            self.send(banner)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def cut(self):
        """With a reset instead of an end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _fill(self):
        part = self.socket.recv(65536)
        if not part:
            raise Refused()
        self.buffer += part

    def their_banner(self):
        while b"\n" not in self.buffer:
            self._fill()
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def read(self):
        """The payload of the next packet in clear."""
        while len(self.buffer) < 5 or len(self.buffer) < 4 + struct.unpack(">I", self.buffer[:4])[0]:
            self._fill()
        (length,) = struct.unpack(">I", self.buffer[:4])
        payload = self.buffer[5 : 4 + length - self.buffer[4]]
        self.buffer = self.buffer[4 + length :]
        return payload

    def drain(self, most=50):
        """Reads until the other side ends it, is silent or says a lot; `refused` if it ended."""
        try:
            for _ in range(most):
                self._fill()
                self.buffer = b""
        except Refused:
            return "refused"
        except TimeoutError:
            return "silence"
        return "talked on"
