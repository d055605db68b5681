"""A mail server that can be down, and remembers every mail that it took."""

from collections import Counter
from email import message_from_bytes
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.servers import HOST, TIMEOUT_S, free_port


class ReceivedMails:
    """Takes mails and keeps, of each, who it is for and its Message-ID."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.recipients: dict[str, str] = {}

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        email = message_from_bytes(envelope.content, policy=default)
        message_id = str(email["Message-ID"]).strip()
        self.counts[message_id] += 1
        self.recipients[message_id] = envelope.rcpt_tos[0]
        return "250 OK"


class StoppableMailServer:
    def __init__(self) -> None:
        self.received_mails = ReceivedMails()
        self._port = free_port()
        self._controller: Controller | None = None
        self.url = f"smtp://{HOST}:{self._port}"

    def open(self) -> None:
        self._controller = Controller(
            self.received_mails, hostname=HOST, port=self._port, ready_timeout=TIMEOUT_S
        )
        self._controller.start()

    def close(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None
