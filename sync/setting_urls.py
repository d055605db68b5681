"""The addresses of the settings: each is read into one form, or refused.

`ValueError` holds the reason, to follow the name of the setting.  No reason shows a
piece of the address: it may be a piece of its password.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit, urlunsplit

from sync.mail_address import encode_host

DEFAULT_PORTS = {"http": 80, "https": 443}
_PORTS = range(1, 65536)
_MAX_NAME_LENGTH = 253
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
# What a query or a path begins with, and so ends the name and the password in front.
_AUTHORITY_END = re.compile(r"[/?#]")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

_WEB_EXAMPLE = "must be an address such as https://example.org"
_DATABASE_EXAMPLE = (
    "must begin with postgresql://, as in postgresql://user:password@host:5432/name, "
    "or be empty for a SQLite file"
)
_ESCAPES = (
    "has a sign in its name or password that means something else in an address: "
    "write %25 for %, %40 for @, %2F for /, %3A for :, %3F for ?, %23 for #, %20 for a "
    "space"
)
_REDIS_EXAMPLE = (
    "must look like redis://host:6379/0, rediss://host/0 or unix:///path/of/its.sock"
)
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
# The setting for who shares connections; libpq knows no parameter of this name.
POOL_MODE = "pool_mode"

_SOCKET_SCHEMES = {"unix", "redis+socket", "redis+unix"}
_TLS_PARAMETERS = {
    "ssl_cert_reqs": re.compile(r"none|optional|required"),
    "ssl_ca_certs": re.compile(r".+"),
    "ssl_certfile": re.compile(r".+"),
    "ssl_keyfile": re.compile(r".+"),
}
_DATABASE_NUMBER = re.compile(r"\d{1,6}")


def read_web_url(text: str, *, may_have_path: bool) -> str:
    """Return the one form of an http or https address, as browsers write it.

    Name and scheme in small letters, `xn--` for an international name, no port where
    it is the scheme's own, no slash at the end.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(_WEB_EXAMPLE) from None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ValueError(_WEB_EXAMPLE)
    if not text.isprintable() or " " in text or "\\" in text:
        raise ValueError(f"{_WEB_EXAMPLE}, without spaces")
    if "@" in parts.netloc:
        raise ValueError("must hold no name and no password")
    if "?" in text or "#" in text:
        raise ValueError("must end before its ? or #")
    if port is not None and port not in _PORTS:
        raise ValueError("must have a port from 1 to 65535, or none")
    path = parts.path.rstrip("/")
    if path and not may_have_path:
        raise ValueError(
            "must end behind the name: the pages, their cookies and their offline copy "
            "need a name of their own, such as https://moods.example.org"
        )
    if not _PATH.fullmatch(path) or {".", ".."} & {*path.split("/")}:
        raise ValueError("has a path that is none")
    host = _read_host(parts.netloc, parts.hostname)
    netloc = host if port in {None, DEFAULT_PORTS[parts.scheme]} else f"{host}:{port}"
    return urlunsplit((parts.scheme, netloc, path, "", ""))


def _read_host(netloc: str, name: str) -> str:
    """Return a host as browsers write it, with brackets around IPv6."""
    try:
        address = ip_address(name)
    except ValueError:
        pass
    else:
        if not isinstance(address, IPv6Address):
            return str(address)
        if address.scope_id is None:
            return f"[{address.compressed}]"
    if "[" in netloc:
        raise ValueError(f"{_WEB_EXAMPLE}; between brackets stands no address")
    name = name.removesuffix(".").lower()
    if not name.isascii():
        try:
            name = encode_host(name)
        except ValueError:
            raise ValueError(_WEB_EXAMPLE) from None
    labels = name.split(".")
    # Browsers take a name that ends in a number, such as 127.1, for an IPv4 address.
    if (
        len(name) > _MAX_NAME_LENGTH
        or not all(map(_LABEL.fullmatch, labels))
        or re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1])
    ):
        raise ValueError(f"{_WEB_EXAMPLE}; its name is none")
    return name


def is_same_web_url(one: str, other: str) -> bool:
    """Whether two addresses are one, however their hosts are written."""
    try:
        return _normalize_host(one) == _normalize_host(other)
    except ValueError:
        return one == other


def _normalize_host(url: str) -> tuple[str, str]:
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return read_web_url(f"{scheme}://{authority}", may_have_path=False), slash + path


def require_escaped(url: str) -> None:
    """Raise `ValueError` if a sign of the name or the password ends it too early.

    Each program reads such an address in a way of its own, and may show what it takes
    for the host's name.
    """
    rest = url.partition("://")[2]
    match = _AUTHORITY_END.search(rest)
    end = match.start() if match else len(rest)
    if (
        rest.count("@", 0, end) > 1
        or "@" in rest[end:]
        or "#" in rest
        or " " in rest
        or _BROKEN_ESCAPE.search(rest)
    ):
        raise ValueError(_ESCAPES)


def read_database_url(text: str) -> str:
    """Return `postgresql://...` or `sqlite:///...`; no driver is named, for it is ours.

    PostgreSQL's own library reads what stands behind `postgresql://`: sockets,
    several hosts and all its parameters.
    """
    scheme, separator, rest = text.partition("://")
    kind, _, driver = scheme.lower().partition("+")
    if not separator or not text.isprintable():
        raise ValueError(_DATABASE_EXAMPLE)
    match kind, driver:
        case "sqlite", "" | "pysqlite":
            path = rest.removeprefix("/")
            if path in {"", rest, ":memory:"} or "?" in path:
                raise ValueError("must name a file, such as sqlite:////data/moods.db")
            return f"sqlite://{rest}"
        case "postgres" | "postgresql", "" | "psycopg":
            url = f"postgresql://{rest}"
            read_connection_parameters(url)
            return url
        case "postgres" | "postgresql", _:
            raise ValueError("must name no driver: write postgresql://")
        case _:
            raise ValueError(_DATABASE_EXAMPLE)


def find_sqlite_file(sql_url: str) -> Path | None:
    """Return the path of a SQLite database; None for another one, or one in memory."""
    scheme, _, rest = sql_url.partition(":///")
    path = rest.partition("?")[0]
    if scheme != "sqlite" or path in {"", ":memory:"}:
        return None
    return Path(path).absolute()


def read_connection_parameters(url: str) -> dict[str, str]:
    """Return what PostgreSQL's own library reads in a `postgresql://` address.

    SQLAlchemy's name of the driver may stand in it.
    """
    # A host with a SQLite file need not hold PostgreSQL's library.
    from psycopg import Error, conninfo  # noqa: PLC0415

    require_escaped(url)
    url = url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        parameters = {
            name: str(value)
            for name, value in conninfo.conninfo_to_dict(url).items()
            if value is not None
        }
    except (Error, UnicodeError):
        raise ValueError(
            f"{_DATABASE_EXAMPLE}; behind a ? stand parameters of PostgreSQL's own"
        ) from None
    ports = parameters.get("port", "").split(",")
    n_hosts = len(parameters.get("host", "").split(","))
    are_ports = all(
        not port or (port.isdecimal() and int(port) in _PORTS) for port in ports
    )
    if len(ports) not in {1, n_hosts} or not are_ports:
        raise ValueError(f"{_DATABASE_EXAMPLE}; a port is a number from 1 to 65535")
    if parameters.get("sslmode", "disable") not in _SSL_MODES:
        raise ValueError("has another sslmode than PostgreSQL knows: use verify-full")
    return parameters


def read_redis_url(text: str) -> str:
    """Return the address of Redis, by network or as `unix://` of a socket."""
    require_escaped(text)
    try:
        parts = urlsplit(text)
        port = parts.port
        parameters = parse_qsl(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError(_REDIS_EXAMPLE) from None
    given = dict(parameters)
    if len(given) < len(parameters) or not text.isprintable():
        raise ValueError(_REDIS_EXAMPLE)
    if parts.scheme in _SOCKET_SCHEMES:
        return _read_redis_socket(parts, given)
    number = parts.path.removeprefix("/")
    if (
        parts.scheme not in {"redis", "rediss"}
        or not _is_redis_host(parts.hostname or "")
        or (port is not None and port not in _PORTS)
        or (number and not _DATABASE_NUMBER.fullmatch(number))
    ):
        raise ValueError(_REDIS_EXAMPLE)
    is_known = parts.scheme == "rediss" and all(
        name in _TLS_PARAMETERS and _TLS_PARAMETERS[name].fullmatch(value)
        for name, value in given.items()
    )
    if given and not is_known:
        raise ValueError(
            "may end in ?ssl_cert_reqs=required (optional, none), ssl_ca_certs=, "
            "ssl_certfile= and ssl_keyfile= behind rediss://, and in nothing else"
        )
    return text


def _is_redis_host(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return all(map(_LABEL.fullmatch, name.removesuffix(".").split(".")))


def _read_redis_socket(parts: SplitResult, given: Mapping[str, str]) -> str:
    """Return `unix://user:password@/path?db=0`."""
    names = given.keys() - {"db", "virtual_host"}
    number = given.get("db", given.get("virtual_host", "0"))
    if (
        parts.hostname
        or not parts.path.strip("/")
        or names
        or len(given) > 1
        or not _DATABASE_NUMBER.fullmatch(number)
    ):
        raise ValueError(
            "must name a socket as unix:///path/of/its.sock?db=0, with "
            "unix://:password@/path if it has a password"
        )
    return f"unix://{parts.netloc}{parts.path}?db={int(number)}"


def add_redis_password(url: str, password: str) -> str:
    """Add the password, and the wish to check the server's certificate.

    Without that wish, Celery would speak TLS with whoever answers.  Raises
    `ValueError` if the address holds another password.
    """
    parts = urlsplit(url)
    address, query = parts.netloc, parts.query
    if password and parts.password is None:
        user, at, host = address.rpartition("@")
        secret = quote(password, safe="")
        address = f"{user}:{secret}@{host}" if at else f":{secret}@{host}"
    elif password and unquote(parts.password or "") != password:
        raise ValueError("holds another password than MOODMILES_REDIS_PASSWORD")
    if parts.scheme == "rediss" and "ssl_cert_reqs=" not in query:
        query = "&".join(filter(None, (query, "ssl_cert_reqs=required")))
    return f"{parts.scheme}://{address}{parts.path}{query and '?'}{query}"


def to_broker_url(redis_url: str) -> str:
    """Return an address of Redis as Celery writes it: it has other words for a socket.

    Its `virtual_host` is the number of the database.
    """
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://", 1).replace(
        "?db=", "?virtual_host=", 1
    )


def to_limits_url(redis_url: str) -> str:
    """Return an address of Redis as the library `limits` writes it."""
    return redis_url.replace("unix://", "redis+unix://", 1)


def from_broker_url(broker_url: str) -> str:
    """Return the address that `to_broker_url` has made this one of."""
    if not broker_url.startswith("redis+socket://"):
        return broker_url
    return broker_url.replace("redis+socket://", "unix://", 1).replace(
        "?virtual_host=", "?db=", 1
    )
