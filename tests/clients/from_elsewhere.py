"""Passes connections on from another loopback address of this machine: a thief who sits somewhere else.

    from_elsewhere.py TO_PORT SOURCE_ADDRESS

Prints the port it listens on.
"""
import socket
import sys
import threading


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for s in (source, sink):
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


to, address = int(sys.argv[1]), sys.argv[2]
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], file=sys.stderr, flush=True)
while True:
    client, _ = listener.accept()
    target = socket.create_connection(("127.0.0.1", to), source_address=(address, 0))
    for pair in ((client, target), (target, client)):
        threading.Thread(target=copy, args=pair, daemon=True).start()
