"""Mail addresses as they go over the wire, and the sender of our mails."""

import re
from dataclasses import dataclass
from email.headerregistry import Address

import idna

_WITH_NAME = re.compile(r"(?P<name>.*)<(?P<address>[^<>]*)>", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_LOCAL_PART = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
)
_MAX_LOCAL_PART = 64
_EXAMPLE = "such as Moodmiles <moodmiles@example.org>"


@dataclass(frozen=True, slots=True)
class MailSender:
    """The one sender of all mails: a name, which may be empty, and an address.

    `host` is in the form that goes over the wire: ASCII, `xn--` where the name is
    international.
    """

    name: str
    local_part: str
    host: str

    @classmethod
    def parse(cls, text: str) -> "MailSender":
        """Read `Name <address>` or a bare address; raise `ValueError` with a sentence.

        Whatever stands before the address is the name, with its commas and colons:
        people write a name as they call themselves, and not as a header wants it.
        """
        match = _WITH_NAME.fullmatch(text.strip())
        name, address = (
            (match["name"].strip(), match["address"].strip())
            if match
            else ("", text.strip())
        )
        if quoted := _QUOTED.fullmatch(name):
            name = re.sub(r"\\(.)", r"\1", quoted[1])
        local_part, _, host = address.rpartition("@")
        if not local_part or not host or "<" in name or ">" in name:
            raise ValueError(f"must be one address, {_EXAMPLE}")
        if not name.isprintable():
            raise ValueError("the name holds a line break or another invisible sign")
        if len(local_part) > _MAX_LOCAL_PART or not _LOCAL_PART.fullmatch(
            local_part.lower()
        ):
            raise ValueError(
                f"{local_part!r} before the @ must be letters without accents, digits "
                "and dots: not every mail server takes others"
            )
        return cls(name, local_part, encode_host(host))

    @property
    def address(self) -> str:
        """Return the bare address, for the envelope."""
        return f"{self.local_part}@{self.host}"

    def as_header(self) -> Address:
        """Return name and address for a header, which quotes the name as needed."""
        return Address(self.name, self.local_part, self.host)


def encode_host(host: str) -> str:
    """Return an international name in ASCII; raise `ValueError` if it is none."""
    try:
        encoded = idna.encode(host, uts46=True, std3_rules=True).decode()
    except idna.IDNAError:
        encoded = ""
    if not encoded or encoded.endswith("."):
        raise ValueError(f"{host!r} behind the @ is no name of a host")
    return encoded
