"""asyncssh as the differential test drives it."""

import asyncio
import logging
import os
import re

import asyncssh
from asyncssh.packet import Boolean, String, UInt32

import driving

WATCH = "trap 'echo got TERM; exit 8' TERM; echo ready; while ! read -t 0.1 x && [ $? -gt 128 ]; do :; done"


class Client:
    def __init__(self, order):
        self.order = order

    def connect(self, place="target", **options):
        at = self.order[place]
        return asyncssh.connect(
            "127.0.0.1", at["port"], username=at["login"], client_keys=[self.order["key"]], known_hosts=None, config=None,
            agent_path=None, **options)

    # --- Commands -----------------------------------------------------------------------------------------------------

    async def do_exec(self, job):
        env = {n: v for n, v in job.get("env", [])}
        env.update({n.encode(): driving.base64.b64decode(v) for n, v in job.get("raw_env", [])})
        async with self.connect(job.get("place", "target")) as c:
            p = await c.create_process(driving.bytes_of(job, "command").decode(), env=env, encoding=None)
            return await self.finish(p, driving.bytes_of(job, "input"))

    async def do_shell(self, job):
        async with self.connect() as c:
            p = await c.create_process(request_pty=False, encoding=None)
            return await self.finish(p, job["input"].encode())

    async def finish(self, p, data=b""):
        async def write():
            try:
                for at in range(0, len(data), 1 << 16):
                    p.stdin.write(data[at : at + (1 << 16)])
                    await p.stdin.drain()
                p.stdin.write_eof()
            except (BrokenPipeError, ConnectionError, OSError):
                pass  # the other side wants no more

        writer = asyncio.create_task(write())
        stdout, stderr = await asyncio.gather(p.stdout.read(), p.stderr.read())
        await p.wait_closed()
        writer.cancel()
        return self.outcome(p, stdout, stderr)

    @staticmethod
    def outcome(p, stdout, stderr, **facts):
        if p.exit_signal:
            name, core, message, lang = p.exit_signal
            end = f"signal {name}"
            facts["signal"] = f"core {core}, message {message!r}, language {lang!r}"
        else:
            end = f"exit {p.exit_status}"
        return {"end": end, "stdout": stdout, "stderr": stderr, "facts": facts}

    async def do_order(self, _job):
        seen = []

        class Listener(asyncssh.SSHClientSession):
            def data_received(self, data, datatype):
                if not seen or not seen[-1].startswith("data"):
                    seen.append(f"data {data!r} {datatype}")

            def eof_received(self):
                seen.append("eof")

            def exit_status_received(self, status):
                seen.append(f"exit {status}")

            def connection_lost(self, exc):
                seen.append(f"closed {exc}")

        async with self.connect() as c:
            channel, _ = await c.create_session(Listener, "echo out; exec >&- 2>&-; sleep 0.4; exit 2")
            await channel.wait_closed()
            return {"end": f"exit {channel.get_exit_status()}", "facts": {"order": ", ".join(seen)}}

    # --- Requests -----------------------------------------------------------------------------------------------------

    async def do_requests(self, _job):
        async with self.connect() as c:
            p = await c.create_process("cat", encoding=None)
            facts = {}
            for kind in (b"nobody@example.org", b"keepalive@openssh.com", b"xon-xoff", b"exit-status"):
                args = (UInt32(3),) if kind == b"exit-status" else ()
                facts[kind.decode()] = await asyncio.wait_for(p.channel._make_request(kind, *args), 5)
                p.channel._send_request(kind, *args)
            p.stdin.write(b"still here\n")
            outcome = await self.finish(p)
            outcome["facts"].update(facts)
            return outcome

    async def do_no_more_output(self, job):
        async with self.connect() as c:
            p = await c.create_process(job["command"], encoding=None)
            await p.stdout.readexactly(1000)
            p.channel._send_request(b"eow@openssh.com")
            outcome = await self.finish(p)
            return outcome | {"stdout": b""}

    async def do_global_requests(self, _job):
        async with self.connect() as c:
            facts = {}
            for kind in (b"nobody@example.org", b"keepalive@openssh.com", b"no-more-sessions@example.org"):
                code, _ = await asyncio.wait_for(c._make_global_request(kind), 5)
                facts[kind.decode()] = code
            c.send_packet(80, String(b"quiet@example.org"), Boolean(False))
            p = await c.create_process("echo still here", encoding=None)
            outcome = await self.finish(p)
            outcome["facts"].update(facts)
            return outcome

    async def do_second_command(self, _job):
        async with self.connect() as c:
            p = await c.create_process("cat", encoding=None)
            again = await asyncio.wait_for(p.channel._make_request(b"exec", String(b"echo again")), 5)
            environment = await asyncio.wait_for(p.channel._make_request(b"env", String(b"LANG"), String(b"C")), 5)
            p.stdin.write(b"still here\n")
            outcome = await self.finish(p)
            outcome["facts"].update({"a second exec": again, "env after exec": environment})
            return outcome

    async def do_subsystem(self, job):
        async with self.connect() as c:
            try:
                p = await c.create_process(subsystem=job["subsystem"], encoding=None)
            except asyncssh.ChannelOpenError as e:
                return {"facts": {"answer": f"{e.code} {e.reason}"}}
            return await self.finish(p, b"x")

    # --- Terminals ----------------------------------------------------------------------------------------------------

    async def do_terminal(self, job):
        async with self.connect(job.get("place", "target")) as c:
            size = tuple(job["size"])
            try:
                p = await c.create_process(
                    job["command"], request_pty="force", term_type="xterm-256color" if size[0] else None, term_size=size,
                    term_modes={k: v for k, v in job["modes"]}, encoding=None)
            except asyncssh.ChannelOpenError as e:
                return {"facts": {"answer": f"{e.code} {e.reason}"}}
            return await self.finish(p)

    async def terminal(self, c, command=None):
        return await c.create_process(command, request_pty="force", term_type="xterm", term_size=(80, 24), encoding=None)

    async def do_typed(self, _job):
        async with self.connect() as c:
            p = await self.terminal(c)
            said = await p.stdout.readuntil(b"target$ ")
            p.stdin.write(b"echo $((40+2)); cd /\n")
            said += await p.stdout.readuntil(b"42\r\n")
            said += await p.stdout.readuntil(b"target$ ")
            p.stdin.write(b"exit 5\n")
            said += await p.stdout.read()
            await p.wait_closed()
            return self.outcome(p, said, b"")

    async def do_resize(self, job):
        async with self.connect() as c:
            p = await self.terminal(c, job["command"])
            said = await p.stdout.readuntil(b"ready\r\n")
            p.change_terminal_size(*job["to"])
            said += await p.stdout.read()
            await p.wait_closed()
            return self.outcome(p, said, b"")

    async def do_interrupt(self, _job):
        async with self.connect() as c:
            p = await self.terminal(c, "sh -c 'echo ready; exec sleep 50'; exit $?")
            said = await p.stdout.readuntil(b"ready\r\n")
            p.stdin.write(b"\x03")
            said += await p.stdout.read()
            await p.wait_closed()
            outcome = self.outcome(p, said, b"")
            outcome["facts"]["the client says"] = outcome["end"]
            return outcome | {"end": "exit 130"}

    async def do_signal(self, job):
        async with self.connect() as c:
            p = await c.create_process(WATCH, encoding=None)
            said = await p.stdout.readuntil(b"ready\n")
            answer = await asyncio.wait_for(p.channel._make_request(b"signal", String(job["signal"])), 5)
            # A refused one ends nothing: input does.
            await asyncio.sleep(0.5)
            p.stdin.write_eof()
            said += await p.stdout.read()
            await p.wait_closed()
            return self.outcome(p, said, b"", answer=answer)

    async def do_strange_signal(self, _job):
        async with self.connect() as c:
            p = await c.create_process("echo ready; cat", encoding=None)
            await p.stdout.readuntil(b"ready\n")
            answer = await asyncio.wait_for(p.channel._make_request(b"signal", String(b"NONSENSE")), 5)
            outcome = await self.finish(p, b"still here\n")
            outcome["facts"]["answer"] = answer
            return outcome

    async def do_break(self, _job):
        async with self.connect() as c:
            facts = {}
            p = await self.terminal(c, "echo ready; read x; echo got $x; exit 7")
            said = await p.stdout.readuntil(b"ready\r\n")
            facts["in a terminal"] = await asyncio.wait_for(p.channel._make_request(b"break", UInt32(500)), 5)
            p.stdin.write(b"more\n")
            said += await p.stdout.read()
            await p.wait_closed()
            plain = await c.create_process("cat", encoding=None)
            facts["without one"] = await asyncio.wait_for(plain.channel._make_request(b"break", UInt32(500)), 5)
            await self.finish(plain)
            return self.outcome(p, said, b"", **facts)

    # --- Connections --------------------------------------------------------------------------------------------------

    async def do_many(self, job):
        async with self.connect() as c:

            async def one(n):
                p = await c.create_process(f'read x; echo "$x {n}"; echo e{n} >&2; sleep 0.3; exit {n}', encoding=None)
                o = await self.finish(p, b"mine\n")
                return f"{n}: {o['end']} {o['stdout']} {o['stderr']}"

            return {"facts": {"channels": "\n".join(await asyncio.gather(*(one(n) for n in range(job["channels"]))))}}

    async def do_too_many(self, _job):
        async with self.connect("strict") as c:
            first = await c.create_process("cat", encoding=None)
            try:
                await c.create_process("cat", encoding=None)
                answer = "opened"
            except asyncssh.ChannelOpenError as e:
                answer = f"{e.code} {e.reason}"
            outcome = await self.finish(first, b"the first goes on\n")
            outcome["facts"]["answer"] = answer
            return outcome

    async def do_rekey(self, job):
        async with self.connect(rekey_bytes=1 << 20) as c:
            before = c._recv_encryption
            p = await c.create_process("cat", encoding=None)
            outcome = await self.finish(p, driving.noise(job["bytes"]))
            outcome["facts"]["new keys"] = "yes" if c._recv_encryption is not before else "no"
            return outcome

    async def do_rekey_by_time(self, job):
        async with self.connect(rekey_seconds=1) as c:
            before = c._recv_encryption
            p = await c.create_process("cat; exit 2", encoding=None)
            for n in range(8):
                p.stdin.write(f"{n}\n".encode())
                await asyncio.sleep(0.4)
            outcome = await self.finish(p)
            outcome["facts"]["new keys"] = "yes" if c._recv_encryption is not before else "no"
            return outcome

    async def do_keepalive(self, job):
        async with self.connect(keepalive_interval=1, keepalive_count_max=2) as c:
            return await self.finish(await c.create_process(job["command"], encoding=None))

    # --- Files --------------------------------------------------------------------------------------------------------

    async def do_scp(self, job):
        here, there = os.path.join(job["dir"], "here"), os.path.join(job["dir"], "there")
        driving.make_tree(here)
        async with self.connect() as c:
            pair = (here, (c, there)) if job["way"] == "up" else ((c, here), there)
            await asyncssh.scp(*pair, recurse=True, preserve=True)
        return {"facts": {"files": driving.listing(there), "time": str(int(os.stat(os.path.join(there, "noise")).st_mtime))}}

    async def do_sftp(self, job):
        here, there = os.path.join(job["dir"], "here"), os.path.join(job["dir"], "there")
        driving.make_tree(here)
        facts = {}

        async def error(name, doing):
            try:
                facts[name] = repr(await doing)
            except asyncssh.SFTPError as e:
                facts[name] = f"{type(e).__name__} {e.code} {e.reason}"

        async with self.connect() as c, c.start_sftp_client() as s:
            facts["version"] = f"{s.version} {s.supports_remote_copy}"
            await s.mkdir(there)
            await s.put(here, there + "/up", recurse=True, preserve=True)
            await s.get(there + "/up/noise", here + "/back", preserve=True)
            await s.rename(there + "/up/empty", there + "/full")
            await error("rename onto another", s.rename(there + "/full", there + "/up/noise"))
            await error("posix rename onto another", s.posix_rename(there + "/full", there + "/up/deep er/text"))
            await error("open what is not there", s.stat(there + "/nothing"))
            await error("mkdir of what is there", s.mkdir(there))
            await error("rmdir of what is full", s.rmdir(there + "/up"))
            await error("exclusive", s.open(there + "/up/noise", "xb"))
            await s.symlink("noise", there + "/up/link")
            facts["link"] = await s.readlink(there + "/up/link")
            facts["real path"] = await s.realpath(there + "/up/../up/link")
            await s.truncate(there + "/up/noise", 1000)
            await s.chmod(there + "/up/noise", 0o600)
            facts["names"] = ", ".join(sorted(await s.listdir(there + "/up")))
            facts["attributes"] = str((await s.stat(there + "/up/noise")).size)
            facts["file system"] = str((await s.statvfs(there)).bsize)
            async with s.open(there + "/up/noise", "r+b") as f:
                await f.seek(10)
                await f.write(b"in the middle")
                await f.seek(5)
                facts["read"] = repr(await f.read(30))
                await error("fsync", f.fsync())
        facts["there"], facts["here"] = driving.listing(there), driving.listing(here)
        return {"facts": facts}

    async def do_sftp_many(self, job):
        there = os.path.join(job["dir"], "there")
        async with self.connect() as c, c.start_sftp_client() as s:
            await s.mkdir(there)

            async def one(n):
                async with s.open(f"{there}/small-{n}", "wb") as f:
                    await f.write(f"{n}\n".encode() * n * 50)

            await asyncio.gather(*(one(n) for n in range(20)))
        return {"facts": {"there": driving.listing(there)}}

    # --- Forwards -----------------------------------------------------------------------------------------------------

    async def ask(self, reader, writer, path):
        writer.write(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return answer

    async def do_direct_tcpip(self, _job):
        async with self.connect() as c:
            r, w = await c.open_connection("127.0.0.1", self.order["web_port"])
            return {"stdout": await self.ask(r, w, "/pipe")}

    async def do_direct_tcpip_closed(self, _job):
        async with self.connect() as c:
            try:
                await c.open_connection("127.0.0.1", 1)
                answer = "opened"
            except asyncssh.ChannelOpenError as e:
                answer = f"{e.code} {e.reason}"
            return {"facts": {"answer": answer}}

    async def do_local_forward(self, _job):
        async with self.connect() as c:
            listener = await c.forward_local_port("127.0.0.1", 0, "127.0.0.1", self.order["web_port"])
            r, w = await asyncio.open_connection("127.0.0.1", listener.get_port())
            return {"stdout": await self.ask(r, w, "/local")}

    async def do_remote_forward(self, _job):
        async with self.connect() as c:
            listener = await c.forward_remote_port("127.0.0.1", 0, "127.0.0.1", self.order["web_port"])
            r, w = await asyncio.open_connection("127.0.0.1", listener.get_port())
            answer = await self.ask(r, w, "/remote")
            listener.close()
            await listener.wait_closed()
            return {"stdout": answer}

    async def do_socks(self, _job):
        async with self.connect() as c:
            p = await c.create_process("cat", encoding=None)
            listener = await c.forward_socks("127.0.0.1", 0)
            r, w = await asyncio.open_connection("127.0.0.1", listener.get_port())
            port = self.order["web_port"].to_bytes(2, "big")
            w.write(b"\x05\x01\x00")
            await r.readexactly(2)
            w.write(b"\x05\x01\x00\x01\x7f\x00\x00\x01" + port)
            await r.readexactly(10)
            answer = await self.ask(r, w, "/dynamic")
            outcome = await self.finish(p, b"alongside\n")
            outcome["facts"]["answer"] = answer.decode()
            return outcome


async def main():
    logging.disable(logging.CRITICAL)
    order = driving.read_order()
    client, hands = Client(order), asyncio.Semaphore(4)

    async def one(job):
        async with hands:
            try:
                outcome = await asyncio.wait_for(getattr(client, "do_" + job["do"])(job), driving.LIMIT)
            except Exception as e:  # noqa: BLE001 - whatever it is, it is what this client saw
                outcome = driving.failed(e)
                outcome["end"] = re.sub(r"0x[0-9a-f]+", "0x...", outcome["end"])
            driving.tell(job, outcome)

    await asyncio.gather(*(one(j) for j in order["jobs"]))


asyncio.run(main())
