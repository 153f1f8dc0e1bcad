"""A mail server (aiosmtpd) that a gateway writes to. Says on stdout, one JSON a line, what it heard, and whether that came under TLS.

    mail_server.py PORT starttls|tls|plain CERTIFICATE KEY USER PASSWORD

The first line says that it listens. Mail is taken from this user only.
"""
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

port, how, certificate, key, user, password = sys.argv[1:]


def say(**what):
    print(json.dumps(what), flush=True)


def sealed(server):
    return server.transport is not None and server.transport.get_extra_info("sslcontext") is not None


def known(server, session, envelope, mechanism, login):
    good = isinstance(login, LoginPassword) and (login.login, login.password) == (user.encode(), password.encode())
    say(heard="AUTH", tls=sealed(server), good=good)
    return AuthResult(success=good, handled=False)


class Box:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        say(heard="EHLO", tls=sealed(server))
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        say(heard="MAIL", tls=sealed(server), address=address)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        say(heard="RCPT", tls=sealed(server), address=address)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        text = envelope.content.decode("utf-8", "replace")
        say(heard="DATA", tls=sealed(server), sender=envelope.mail_from, to=envelope.rcpt_tos, text=text)
        return "250 taken"


async def main():
    context = None
    if how != "plain":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()

    def speaker():
        upgrade = context if how == "starttls" else None
        return SMTP(
            Box(),
            hostname="mail.test",
            loop=loop,
            tls_context=upgrade,
            require_starttls=upgrade is not None,
            authenticator=known,
            auth_required=True,
            auth_require_tls=upgrade is not None,
        )

    server = await loop.create_server(speaker, "127.0.0.1", int(port), ssl=context if how == "tls" else None)
    say(listens=True)
    await server.serve_forever()


asyncio.run(main())
