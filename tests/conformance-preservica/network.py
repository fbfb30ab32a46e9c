"""Nothing but 127.0.0.1 is reached: a client that has lost its base address would otherwise call the public host."""

import socket
import sys

HERE = "127.0.0.1"
# What was tried elsewhere in this test, whether or not somebody caught the exception.
ATTEMPTS = []


class OutsideNetwork(RuntimeError):
    """Not an OSError: no HTTP library takes it for a connection that may be tried again."""


def _watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        connection, address = arguments[0], arguments[-1]
        if connection.family not in (socket.AF_INET, socket.AF_INET6) or address is None:
            return
        place = address[0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        place = arguments[0]
    else:
        return
    if isinstance(place, bytes):
        place = place.decode(errors="replace")
    if place != HERE:
        ATTEMPTS.append(place)
        raise OutsideNetwork(f"{event} {place}: these tests reach {HERE} only")


def block():
    """For the rest of this process. The interpreter calls this hook whichever library opens the socket."""
    sys.addaudithook(_watch)
