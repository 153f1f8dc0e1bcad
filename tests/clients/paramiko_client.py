"""paramiko as the differential test drives it."""

import contextlib
import logging
import os
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import paramiko
from paramiko.common import cMSG_CHANNEL_REQUEST

import driving

WATCH = "trap 'echo got TERM; exit 8' TERM; echo ready; while ! read -t 0.1 x && [ $? -gt 128 ]; do :; done"


class Client:
    def __init__(self, order):
        self.order = order

    @contextlib.contextmanager
    def connect(self, place="target", rekey_bytes=None):
        at = self.order[place]
        transport = paramiko.Transport(socket.create_connection(("127.0.0.1", at["port"]), 20))
        try:
            if rekey_bytes:
                transport.packetizer.REKEY_BYTES = rekey_bytes
            transport.start_client(timeout=20)
            transport.auth_publickey(at["login"], paramiko.Ed25519Key(filename=self.order["key"]))
            yield transport
        finally:
            transport.close()

    # --- Commands -----------------------------------------------------------------------------------------------------

    def finish(self, channel, data=b""):
        """Writes and reads both streams until the channel ends."""
        channel.settimeout(driving.LIMIT)

        def write():
            try:
                channel.sendall(data)
                channel.shutdown_write()
            except OSError:
                pass  # the other side wants no more

        streams = {"stdout": bytearray(), "stderr": bytearray()}

        def read(stream, receive):
            while part := receive(1 << 16):
                streams[stream] += part

        threads = [threading.Thread(target=write, daemon=True)]
        threads += [threading.Thread(target=read, args=a, daemon=True) for a in (("stdout", channel.recv), ("stderr", channel.recv_stderr))]
        for t in threads:
            t.start()
        for t in threads[1:]:
            t.join(driving.LIMIT)
        if not channel.status_event.wait(driving.LIMIT):
            raise TimeoutError("no exit status")
        status = channel.recv_exit_status()
        return {"end": f"exit {status}", "stdout": bytes(streams["stdout"]), "stderr": bytes(streams["stderr"]), "facts": {}}

    def do_exec(self, job):
        with self.connect(job.get("place", "target")) as t:
            channel = t.open_session()
            for name, value in job.get("env", []):
                channel.set_environment_variable(name, value)
            for name, value in job.get("raw_env", []):
                self.request(channel, "env", False, name.encode(), driving.base64.b64decode(value))
            channel.exec_command(driving.bytes_of(job, "command"))
            return self.finish(channel, driving.bytes_of(job, "input"))

    def do_shell(self, job):
        with self.connect() as t:
            channel = t.open_session()
            channel.invoke_shell()
            return self.finish(channel, job["input"].encode())

    # --- Requests -----------------------------------------------------------------------------------------------------

    def request(self, channel, kind, wants_answer, *parts):
        """A channel request as RFC 4254 section 5.4 has it; what was answered, if an answer is wanted."""
        m = paramiko.Message()
        m.add_byte(cMSG_CHANNEL_REQUEST)
        m.add_int(channel.remote_chanid)
        m.add_string(kind)
        m.add_boolean(wants_answer)
        for part in parts:
            m.add_int(part) if isinstance(part, int) else m.add_string(part)
        if wants_answer:
            channel._event_pending()
        channel.transport._send_user_message(m)
        if not wants_answer:
            return None
        channel.event.wait(5)
        # A refusal of a request closes paramiko's channel, which is paramiko's own idea; then it is seen as closed.
        return "yes" if channel.event_ready else ("no" if channel.closed else "no answer")

    def do_requests(self, _job):
        with self.connect() as t:
            channel = t.open_session()
            channel.exec_command("cat")
            for kind in ("nobody@example.org", "keepalive@openssh.com", "xon-xoff"):
                self.request(channel, kind, False)
            self.request(channel, "exit-status", False, 3)
            outcome = self.finish(channel, b"still here\n")
            refused = t.open_session()
            outcome["facts"]["nobody@example.org"] = self.request(refused, "nobody@example.org", True)
            return outcome

    def do_no_more_output(self, job):
        with self.connect() as t:
            channel = t.open_session()
            channel.exec_command(job["command"])
            channel.recv(1000)
            self.request(channel, "eow@openssh.com", False)
            return self.finish(channel) | {"stdout": b""}

    def do_global_requests(self, _job):
        with self.connect() as t:
            facts = {}
            for kind in ("nobody@example.org", "keepalive@openssh.com", "no-more-sessions@example.org"):
                facts[kind] = "yes" if t.global_request(kind, wait=True) else "no"
                t.global_request(kind, wait=False)
            channel = t.open_session()
            channel.exec_command("echo still here")
            return self.finish(channel) | {"facts": facts}

    def do_second_command(self, _job):
        with self.connect() as t:
            channel = t.open_session()
            channel.exec_command("cat")
            self.request(channel, "exec", False, b"echo again")
            self.request(channel, "env", False, b"LANG", b"C")
            return self.finish(channel, b"still here\n")

    def do_subsystem(self, job):
        with self.connect() as t:
            channel = t.open_session()
            try:
                channel.invoke_subsystem(job["subsystem"])
            except paramiko.SSHException as e:
                return {"facts": {"answer": str(e)}}
            return self.finish(channel, b"x")

    # --- Terminals ----------------------------------------------------------------------------------------------------

    def do_terminal(self, job):
        with self.connect(job.get("place", "target")) as t:
            channel = t.open_session()
            try:
                channel.get_pty("xterm-256color" if job["size"][0] else "", *job["size"])
            except paramiko.SSHException as e:
                return {"facts": {"answer": str(e)}}
            channel.exec_command(job["command"])
            return self.finish(channel)

    def until(self, channel, text):
        channel.settimeout(driving.LIMIT)
        said = b""
        while text not in said:
            part = channel.recv(1)
            if not part:
                raise EOFError(f"{text!r} never came after {said!r}")
            said += part
        return said

    def terminal(self, t):
        channel = t.open_session()
        channel.get_pty("xterm", 80, 24)
        return channel

    def then(self, channel, said):
        outcome = self.finish(channel)
        return outcome | {"stdout": said + outcome["stdout"]}

    def do_typed(self, _job):
        with self.connect() as t:
            channel = self.terminal(t)
            channel.invoke_shell()
            said = self.until(channel, b"target$ ")
            channel.sendall(b"echo $((40+2)); cd /\n")
            said += self.until(channel, b"42\r\n") + self.until(channel, b"target$ ")
            channel.sendall(b"exit 5\n")
            while part := channel.recv(4096):
                said += part
            return {"end": f"exit {channel.recv_exit_status()}", "stdout": said}

    def do_resize(self, job):
        with self.connect() as t:
            channel = self.terminal(t)
            channel.exec_command(job["command"])
            said = self.until(channel, b"ready\r\n")
            channel.resize_pty(*job["to"])
            return self.then(channel, said)

    def do_interrupt(self, _job):
        with self.connect() as t:
            channel = self.terminal(t)
            channel.exec_command("sh -c 'echo ready; exec sleep 50'; exit $?")
            said = self.until(channel, b"ready\r\n")
            channel.sendall(b"\x03")
            outcome = self.then(channel, said)
            outcome["facts"]["the client says"] = outcome["end"]
            return outcome | {"end": "exit 130"}

    def do_signal(self, job):
        with self.connect() as t:
            channel = t.open_session()
            channel.exec_command(WATCH)
            said = self.until(channel, b"ready\n")
            self.request(channel, "signal", False, job["signal"].encode())
            # A refused one ends nothing: input does.
            time.sleep(0.5)
            channel.shutdown_write()
            while part := channel.recv(4096):
                said += part
            return {"end": f"exit {channel.recv_exit_status()}", "stdout": said}

    def do_strange_signal(self, _job):
        with self.connect() as t:
            channel = t.open_session()
            channel.exec_command("echo ready; cat")
            said = self.until(channel, b"ready\n")
            self.request(channel, "signal", False, b"NONSENSE")
            outcome = self.finish(channel, b"still here\n")
            return outcome | {"stdout": said + outcome["stdout"]}

    def do_break(self, _job):
        with self.connect() as t:
            channel = self.terminal(t)
            channel.exec_command("echo ready; read x; echo got $x; exit 7")
            said = self.until(channel, b"ready\r\n")
            self.request(channel, "break", False, 500)
            channel.sendall(b"more\n")
            while part := channel.recv(4096):
                said += part
            return {"end": f"exit {channel.recv_exit_status()}", "stdout": said}

    # --- Connections --------------------------------------------------------------------------------------------------

    def do_many(self, job):
        with self.connect() as t:

            def one(n):
                channel = t.open_session()
                channel.exec_command(f'read x; echo "$x {n}"; echo e{n} >&2; sleep 0.3; exit {n}')
                o = self.finish(channel, b"mine\n")
                return f"{n}: {o['end']} {o['stdout']} {o['stderr']}"

            with ThreadPoolExecutor(job["channels"]) as pool:
                return {"facts": {"channels": "\n".join(pool.map(one, range(job["channels"])))}}

    def do_too_many(self, _job):
        with self.connect("strict") as t:
            first = t.open_session()
            first.exec_command("cat")
            try:
                t.open_session()
                answer = "opened"
            except paramiko.ChannelException as e:
                answer = f"{e.code} {e.text}"
            outcome = self.finish(first, b"the first goes on\n")
            outcome["facts"]["answer"] = answer
            return outcome

    def do_rekey(self, job):
        with self.connect(rekey_bytes=1 << 20) as t:
            exchanges = []
            original = t._activate_outbound
            t._activate_outbound = lambda: (exchanges.append(1), original())[1]
            channel = t.open_session()
            # One way: with both at once, paramiko itself loses bytes while it changes keys.
            channel.exec_command("sha256sum")
            outcome = self.finish(channel, driving.noise(job["bytes"]))
            outcome["facts"]["new keys"] = "yes" if exchanges else "no"
            return outcome

    def do_keepalive(self, job):
        with self.connect() as t:
            t.set_keepalive(1)
            channel = t.open_session()
            channel.exec_command(job["command"])
            return self.finish(channel)

    # --- Files --------------------------------------------------------------------------------------------------------

    def do_sftp(self, job):
        here, there = os.path.join(job["dir"], "here"), os.path.join(job["dir"], "there")
        driving.make_tree(here)
        facts = {}

        def error(name, doing, *args):
            try:
                facts[name] = repr(doing(*args))
            except OSError as e:
                facts[name] = f"{type(e).__name__} {e}"

        with self.connect() as t:
            s = paramiko.SFTPClient.from_transport(t)
            s.mkdir(there)
            s.put(here + "/noise", there + "/noise")
            s.put(here + "/empty", there + "/empty")
            s.get(there + "/noise", here + "/back")
            s.rename(there + "/empty", there + "/full")
            error("rename onto another", s.rename, there + "/full", there + "/noise")
            error("stat of what is not there", s.stat, there + "/nothing")
            error("get of what is not there", s.get, there + "/nothing", here + "/nothing")
            error("mkdir of what is there", s.mkdir, there)
            error("rmdir of what is full", s.rmdir, there)
            error("remove of a directory", s.remove, there)
            s.symlink("noise", there + "/link")
            facts["link"] = s.readlink(there + "/link")
            facts["real path"] = s.normalize(there + "/../there/link")
            s.chmod(there + "/noise", 0o600)
            s.utime(there + "/noise", (1_500_000_000, 1_500_000_000))
            facts["names"] = "\n".join(sorted(f"{a.filename} {a.st_size} {oct(a.st_mode)}" for a in s.listdir_attr(there)))
            with s.open(there + "/noise", "r+b") as f:
                f.seek(10)
                f.write(b"in the middle")
                f.seek(5)
                facts["read"] = repr(f.read(30))
                facts["time"] = str(f.stat().st_mtime is not None)
            s.posix_rename(there + "/full", there + "/noise2")
            s.close()
        if os.path.exists(here + "/nothing"):
            os.unlink(here + "/nothing")
        facts["there"], facts["here"] = driving.listing(there), driving.listing(here)
        return {"facts": facts}

    def do_sftp_many(self, job):
        there = os.path.join(job["dir"], "there")
        with self.connect() as t:
            s = paramiko.SFTPClient.from_transport(t)
            s.mkdir(there)
            files = [s.open(f"{there}/small-{n}", "wb") for n in range(20)]
            for n, f in enumerate(files):
                f.set_pipelined(True)
                f.write(f"{n}\n".encode() * n * 50)
            for f in files:
                f.close()
            s.close()
        return {"facts": {"there": driving.listing(there)}}

    # --- Forwards -----------------------------------------------------------------------------------------------------

    def ask(self, channel, path):
        channel.settimeout(10)
        channel.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = b""
        while part := channel.recv(4096):
            answer += part
        return answer

    def do_direct_tcpip(self, _job):
        with self.connect() as t:
            channel = t.open_channel("direct-tcpip", ("127.0.0.1", self.order["web_port"]), ("127.0.0.1", 5))
            return {"stdout": self.ask(channel, "/pipe")}

    def do_direct_tcpip_closed(self, _job):
        with self.connect() as t:
            try:
                t.open_channel("direct-tcpip", ("127.0.0.1", 1), ("127.0.0.1", 5))
                answer = "opened"
            except paramiko.ChannelException as e:
                answer = f"{e.code} {e.text}"
            return {"facts": {"answer": answer}}

    def do_remote_forward(self, _job):
        with self.connect() as t:
            port = t.request_port_forward("127.0.0.1", 0)
            asked = socket.create_connection(("127.0.0.1", port), 10)
            channel = t.accept(10)
            # Whoever asks at the target gets what we say here.
            asked.sendall(b"GET /remote HTTP/1.0\r\n\r\n")
            question = channel.recv(4096)
            channel.sendall(b"near the target: /remote " + question)
            channel.close()
            answer = b""
            while select.select([asked], [], [], 10)[0] and (part := asked.recv(4096)):
                answer += part
            t.cancel_port_forward("127.0.0.1", port)
            return {"stdout": answer}


def main():
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    order = driving.read_order()
    client = Client(order)

    def one(job):
        try:
            outcome = getattr(client, "do_" + job["do"])(job)
        except Exception as e:  # noqa: BLE001 - whatever it is, it is what this client saw
            outcome = driving.failed(e)
        driving.tell(job, outcome)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, order["jobs"]))


main()
