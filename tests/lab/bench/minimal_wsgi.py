"""The least that could be done with an event: a WSGI application with one insert.

No Flask, no SQLAlchemy, no check whose event it is, no repeat noticed.
"""

import json
import os
import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import psycopg

from web.http.wsgi_adapter import WsgiAdapter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_url = os.environ["MOODMILES_DATABASE_URL"]
_line: Any
if _url.startswith("sqlite:///"):
    _line = sqlite3.connect(
        _url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False
    )
    _line.execute("PRAGMA journal_mode=WAL")
    _line.execute("PRAGMA synchronous=NORMAL")
    _insert = "INSERT INTO bare (run, content) VALUES (?, ?)"
else:
    _line = psycopg.connect(_url.replace("+psycopg", ""), autocommit=True)
    _insert = "INSERT INTO bare (run, content) VALUES (%s, %s)"
_line.execute("CREATE TABLE IF NOT EXISTS bare (run BIGINT PRIMARY KEY, content TEXT)")


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] == "POST":
        body = environ["wsgi.input"].read()
        event = json.loads(body)
        _line.execute(_insert, (event["object_id"], body.decode()))
    start_response("200 OK", [("Content-Length", "2")])
    return [b"{}"]


served = WsgiAdapter(app, lambda environ: environ["REMOTE_ADDR"])
