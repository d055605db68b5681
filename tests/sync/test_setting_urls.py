"""Addresses of the settings: one form each, and no piece of a password is shown."""

import re
import string
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from redis import Redis

from sync import heartbeats
from sync.heartbeats import Heartbeat
from sync.queue import CeleryQueue, Job
from sync.setting_urls import (
    add_redis_password,
    from_broker_url,
    is_same_web_url,
    read_connection_parameters,
    read_database_url,
    read_redis_url,
    read_web_url,
    require_escaped,
    to_broker_url,
    to_limits_url,
)
from tests.support.servers import find_valkey, wait_until
from web.http.limit_counters import RateLimiter

# No piece of it is a piece of one of our sentences.
PASSWORD = "Zq7Zx"


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("https://x.example", "https://x.example"),
        ("HTTPS://X.Example/", "https://x.example"),
        ("https://x.example:443", "https://x.example"),
        ("https://x.example:443///", "https://x.example"),
        ("https://x.example:", "https://x.example"),
        ("https://x.example.", "https://x.example"),
        ("https://x.example.:8443/", "https://x.example:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://x.example:80", "https://x.example:80"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://[2001:DB8:0::1]:443", "https://[2001:db8::1]"),
        ("https://läufer.example", "https://xn--lufer-gra.example"),
        ("https://LÄUFER.example:443/", "https://xn--lufer-gra.example"),
        ("http://moods_web:8000", "http://moods_web:8000"),
        ("https://a-b.c1.example:1", "https://a-b.c1.example:1"),
    ],
)
def test_a_web_address_has_one_form(given: str, read: str) -> None:
    assert read_web_url(given, may_have_path=False) == read
    assert read_web_url(given, may_have_path=True) == read


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "x.example", "//x.example", "https:x.example", "https://", "///"),
        *("ftp://x.example", "unix:///run/x", "javascript:alert(1)", "https://:443"),
        *("https://x.example?a=b", "https://x.example/?", "https://x.example#top"),
        *("https://x.example/#", "https://u@x.example", "https://u:Zq7Zx@x.example"),
        *("https://x.example:0", "https://x.example:65536", "https://x.example:-1"),
        *("https://x.example:80a", "https://x.example:8000:8000", "https://[::1"),
        *("https://::1", "https://[fe80::1%25eth0]", "https://[v1.x]", "https://[]"),
        *("https://x .example", "https://x.example /", " https://x.example", "\thttps"),
        *("https://x\n.example", "https://x.example\\a", "https://x..example"),
        *("https://.example", "https://-x.example", "https://x-.example", "https://*"),
        *("https://*.x.example", "https://x,y", "https://x.example,https://y.example"),
        *("https://127.1", "https://2130706433", "https://0x7f.0.0.1", "https://1.2.3"),
        *("https://256.0.0.1", f"https://{'a' * 64}.example", f"https://{'a.' * 130}b"),
        *("https://x.example/..", "https://x.example/a//b", "https://x.example/%41"),
        "https://xn--\u0661.example",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    for may_have_path in (False, True):
        with pytest.raises(ValueError, match=r"^(must|has) ") as refused:
            read_web_url(url, may_have_path=may_have_path)
        assert PASSWORD not in str(refused.value)


def test_a_path_is_obeyed_or_refused() -> None:
    url = "https://club.example.org/moods/"

    assert read_web_url(url, may_have_path=True) == url.rstrip("/")
    with pytest.raises(ValueError, match="must end behind the name"):
        read_web_url(url, may_have_path=False)


@given(st.text(st.sampled_from(string.printable + "\u00e4:/@?#[]%.")))
def test_any_text_is_read_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://x.example{text}"):
        try:
            read = read_web_url(url, may_have_path=True)
        except ValueError:
            continue
        assert read_web_url(read, may_have_path=True) == read
        assert re.fullmatch(r"https?://[a-z0-9_.:\[\]-]+(/[\w.~-]+)*", read)


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://x.example:443/hooks/S", "https://x.example/hooks/S", True),
        ("HTTPS://X.example/hooks/S", "https://x.example/hooks/S", True),
        ("https://x.example/hooks/s", "https://x.example/hooks/S", False),
        ("https://x.example:8443/hooks/S", "https://x.example/hooks/S", False),
        ("http://x.example/hooks/S", "https://x.example/hooks/S", False),
        ("https://y.example/hooks/S", "https://x.example/hooks/S", False),
        ("no address", "https://x.example/hooks/S", False),
        ("no address", "no address", True),
    ],
)
def test_addresses_are_compared_by_what_they_mean(
    one: str, other: str, is_same: bool
) -> None:
    assert is_same_web_url(one, other) is is_same


@pytest.mark.parametrize(
    ("url", "parameters"),
    [
        ("postgres://u:Zq7Zx@h/x", {"user": "u", "host": "h", "dbname": "x"}),
        ("postgresql://u@h:5433/x", {"port": "5433"}),
        ("POSTGRESQL+psycopg://u@h/x", {"host": "h"}),
        ("postgresql:///x?host=/var/run/postgresql", {"host": "/var/run/postgresql"}),
        ("postgresql://%2Fvar%2Frun/x", {"host": "/var/run"}),
        ("postgresql://h1,h2/x", {"host": "h1,h2"}),
        ("postgresql://h1:5432,h2:5433/x", {"host": "h1,h2", "port": "5432,5433"}),
        ("postgresql://[::1]:5432,[::2]/x", {"host": "::1,::2"}),
        ("postgresql://u:a:b@h/x", {"password": "a:b"}),
        ("postgresql://u:a%20b@h/x", {"password": "a b"}),
        (
            "postgresql://h/x?sslmode=verify-full&sslrootcert=system",
            {"sslmode": "verify-full", "sslrootcert": "system"},
        ),
        ("postgresql://", {}),
    ],
)
def test_postgresql_s_own_library_reads_its_address(
    url: str, parameters: dict[str, str]
) -> None:
    read = read_database_url(url)

    assert read.startswith("postgresql://")
    assert parameters.items() <= read_connection_parameters(read).items()


@pytest.mark.parametrize("path", ["moods.db", "/data/moods.db", "/data/my moods.db"])
def test_a_file_of_sqlite_is_taken(path: str) -> None:
    assert read_database_url(f"sqlite:///{path}") == f"sqlite:///{path}"
    assert read_database_url(f"sqlite+pysqlite:///{path}") == f"sqlite:///{path}"


@pytest.mark.parametrize(
    "url",
    [
        *("x", "mysql://u:Zq7Zx@h/x", "mysql+pymysql://h", "oracle://h", "db:5432"),
        *("postgresql+asyncpg://u:Zq7Zx@h/x", "postgresql+psycopg2://u:Zq7Zx@h/x"),
        *("postgres+pg8000://h/x", "sqlite+aiosqlite:///x", "postgresql:/h/x", "://"),
        *("sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://x", "sqlite:x"),
        *("sqlite:///x?mode=ro", "postgresql://h:99999/x", "postgresql://h:p/x"),
        *("postgresql://h1:1,h2:2,h3/x?port=1,2", "postgresql://h/x?sslmode=strict"),
        *("postgresql://h/x?sslmode=verify-full&sslmode", "postgresql://h/x?nothing=1"),
        *("postgresql://u:Zq7Zx\u00ff%zz@h/x", "postgresql://u:Zq7Zx%00@h/x"),
        *("postgresql://h/x?pool_mode=transaction", "host=h password=Zq7Zx"),
    ],
)
def test_what_is_no_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|has) ") as refused:
        read_database_url(url)
    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize("sign", [*"@/#?% ", "%-", "@@", "/@", "%zz", "?a=b"])
@pytest.mark.parametrize("scheme", ["postgresql", "redis", "rediss", "smtp"])
def test_a_password_that_is_not_escaped_is_refused_unseen(
    scheme: str, sign: str
) -> None:
    url = f"{scheme}://moods:Zq{sign}7Zx@db.example/0"

    with pytest.raises(ValueError, match="write %25 for %, %40 for @") as refused:
        require_escaped(url)

    assert "Zq" not in str(refused.value)
    assert "7Zx" not in str(refused.value)


@given(st.text(st.sampled_from(string.printable + "\u00e4%:@/#"), min_size=1))
def test_a_password_arrives_as_it_is_or_is_refused(password: str) -> None:
    """Whatever is written between the colon and the at sign, no host is made of it."""
    url = f"postgresql://moods:{password}@db.example/x"
    reason, parameters = "", dict[str, str]()
    try:
        parameters = read_connection_parameters(read_database_url(url))
    except ValueError as refused:
        reason = str(refused)
    if reason:
        assert len(password) < 4 or password not in reason
        return
    assert parameters["host"] == "db.example"
    assert parameters["dbname"] == "x"
    assert "%" in password or parameters["password"] == password


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("redis://h", "redis://h"),
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("redis://u:p%40@10.0.0.7/3", "redis://u:p%40@10.0.0.7/3"),
        ("redis://[::1]:6379/", "redis://[::1]:6379/"),
        ("rediss://h/0?ssl_cert_reqs=none", "rediss://h/0?ssl_cert_reqs=none"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock?db=0"),
        ("unix://:p%40@/run/redis.sock?db=2", "unix://:p%40@/run/redis.sock?db=2"),
        ("redis+socket:///r.sock?virtual_host=5", "unix:///r.sock?db=5"),
        ("redis+unix:///r.sock", "unix:///r.sock?db=0"),
    ],
)
def test_an_address_of_redis_is_read_alike_by_all_who_connect(
    url: str, read: str
) -> None:
    assert read_redis_url(url) == read
    assert read_redis_url(read) == read
    storage = RedisStorage(to_limits_url(read))
    with Redis.from_url(read) as client:
        ours = client.connection_pool.connection_kwargs
        counters = storage.storage.connection_pool.connection_kwargs
        for name in ("host", "port", "path", "username", "password", "db"):
            assert counters.get(name) == ours.get(name), name


@pytest.mark.processes
@pytest.mark.parametrize("password", ["", "a 'b\" $c \\d %2F:@/#?&; \u00e4 =`e`"])
def test_all_who_connect_meet_at_one_socket(password: str, tmp_path: Path) -> None:
    path = tmp_path / "its.sock"
    escaped = "".join(f"\\x{byte:02x}" for byte in password.encode())
    lines = [f'unixsocket "{path}"', "port 0", 'save ""']
    lines += [f'requirepass "{escaped}"'] if password else []
    configuration = tmp_path / "valkey.conf"
    configuration.write_text("\n".join(lines))
    server = Popen([find_valkey(), configuration], stdout=DEVNULL)  # noqa: S603
    try:
        wait_until(path.exists)
        url = add_redis_password(read_redis_url(f"unix://{path}?db=3"), password)
        CeleryQueue(url).wake(Job.INBOX)
        assert RateLimiter(url).retry_after_s(RateLimitItemPerMinute(1), "me") == 0
        assert RateLimiter(url).retry_after_s(RateLimitItemPerMinute(1), "me") > 0
        CeleryQueue(url).check()
        assert from_broker_url(to_broker_url(url)) == url
        heartbeats.record(from_broker_url(to_broker_url(url)), Heartbeat.SCHEDULE)
        assert heartbeats.read_age_s(url, Heartbeat.SCHEDULE) == 0
        with Redis.from_url(url, decode_responses=True) as client:
            assert client.llen("celery") == 1
            names = client.keys()
            assert isinstance(names, list)
            assert {name.partition(":")[0] for name in names} >= {"moodmiles"}
            client.select(0)
            assert client.keys() == []
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize(
    "url",
    [
        *("x", "redis", "redis:6379", "redis://", "http://h", "sentinel://h", "h:6379"),
        *(
            "redis://:Zq7Zx@",
            "redis://h:0",
            "redis://h:99999",
            "redis://h:x",
            "rediss:",
        ),
        *("redis://h/x", "redis://h/0/1", "redis://h/-1", "redis://h1,h2/0"),
        *("redis://h/0?ssl_cert_reqs=none", "rediss://h/0?ssl_cert_reqs=maybe"),
        *("redis://h/0?socket_timeout=1", "rediss://h?db=1", "redis://h/0?x"),
        *("rediss://h?ssl_cert_reqs=none&ssl_cert_reqs=required", "redis://[::1"),
        *("unix://", "unix:///", "unix://run/redis.sock", "unix:///r.sock?db=x"),
        *("unix:///r.sock?db=1&virtual_host=2", "unix:///r.sock?timeout=1"),
        *("redis://:Zq7Zx@h/0\n", "redis://h/0#1"),
    ],
)
def test_what_is_no_redis_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|has|may) ") as refused:
        read_redis_url(url)
    assert PASSWORD not in str(refused.value)


@given(st.text(st.sampled_from(string.printable + "\u00e4%:@/#"), min_size=1))
def test_any_password_arrives_over_a_socket(password: str) -> None:
    url = add_redis_password("unix:///run/redis.sock?db=1", password)

    with Redis.from_url(url) as client:
        values = client.connection_pool.connection_kwargs
        assert values["password"] == password
        assert values["path"] == "/run/redis.sock"
