"""The embedded mailbox: an SMTP server on loopback that stores mail in a Maildir.

python -m host.mailbox --port 8025 --dir .moodmiles/mailbox
"""

import asyncio
import errno
import os
import signal
import sys
from argparse import ArgumentParser
from mailbox import Maildir
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

_MAX_MAIL_BYTES = 1_000_000


class MaildirHandler:
    """Stores each mail as received, with the envelope in two headers before it."""

    def __init__(self, folder: Path) -> None:
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(folder / name, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
        self._maildir = Maildir(folder, create=False)

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        recipients = ", ".join(envelope.rcpt_tos)
        headers = f"X-MailFrom: {envelope.mail_from}\r\nX-RcptTo: {recipients}\r\n"
        self._maildir.add(headers.encode("utf-8") + (envelope.original_content or b""))
        return "250 OK"


async def serve(folder: Path, *, host: str, port: int) -> None:
    """Accept mail until SIGTERM or Ctrl-C."""
    handler = MaildirHandler(folder)
    loop = asyncio.get_running_loop()
    stop_event = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop_event.set)
    server = await loop.create_server(
        lambda: SMTP(handler, data_size_limit=_MAX_MAIL_BYTES, enable_SMTPUTF8=True),
        host=host,
        port=port,
    )
    await stop_event.wait()
    server.close()


def main() -> int:
    parser = ArgumentParser(prog="python -m host.mailbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dir", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.dir, host=arguments.host, port=arguments.port))
    except OSError as error:
        print(f"The mailbox cannot be opened: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
