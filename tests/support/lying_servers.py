"""Servers on a real socket that say what a test has them say, and nothing else."""

import socket
import ssl
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from tests.support.servers import HOST

# What is done with one connection, before it is closed.
Talk = Callable[[socket.socket], None]
# Gives the address of a server with one fault, which may need a folder.
Plant = Callable[[Path], AbstractContextManager[str]]


@contextmanager
def run_server(talk: Talk, *, tls: ssl.SSLContext | None = None) -> Generator[int]:
    """Have every connection talked to until the block ends; give the port."""
    ended = Event()
    with socket.create_server((HOST, 0)) as server:
        server.settimeout(0.05)

        def serve() -> None:
            while not ended.is_set():
                with suppress(TimeoutError):
                    connection, _ = server.accept()
                    Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection: socket.socket) -> None:
            connection.settimeout(10)
            with suppress(OSError), connection:
                if tls is None:
                    talk(connection)
                else:
                    with tls.wrap_socket(connection, server_side=True) as line:
                        talk(line)

        thread = Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            thread.join()


def say(text: str) -> Talk:
    """Say this once, and then wait for the other side to hang up."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(text.encode())
        while connection.recv(1024):
            pass

    return talk


def say_nothing(connection: socket.socket) -> None:
    while connection.recv(1024):
        pass


def hang_up(_connection: socket.socket) -> None:
    """Close the connection at once."""


def converse(greeting: str, *replies: tuple[str, str]) -> Talk:
    """Greet, then answer each line by the first reply whose word it begins with.

    What no reply is for is answered as every mail server would.
    """

    def talk(connection: socket.socket) -> None:
        connection.sendall(f"{greeting}\r\n".encode())
        for line in connection.makefile(
            "r", encoding="utf-8", errors="replace", newline="\n"
        ):
            words = line.strip().upper()
            reply = find_reply(words, replies)
            connection.sendall(f"{reply}\r\n".encode())
            if words.startswith("QUIT") or reply.startswith("421"):
                return

    return talk


def find_reply(words: str, replies: Sequence[tuple[str, str]]) -> str:
    for word, reply in replies:
        if words.startswith(word):
            return reply
    return "354 go on" if words.startswith("DATA") else "250 OK"


@contextmanager
def fill_backlog() -> Generator[int]:
    """Give a port where no further connection is ever made, as behind a firewall."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen(0)
        waiting = []
        for _ in range(8):
            client = socket.socket()
            client.setblocking(False)
            with suppress(BlockingIOError):
                client.connect(server.getsockname())
            waiting.append(client)
        try:
            yield server.getsockname()[1]
        finally:
            for client in waiting:
                client.close()


def plant_server(talk: Talk, address: str) -> Plant:
    """Return what plants a server that talks so; `address` has a `{place}` for it."""

    @contextmanager
    def plant(_folder: Path) -> Generator[str]:
        with run_server(talk) as port:
            yield address.format(place=f"{HOST}:{port}")

    return plant
