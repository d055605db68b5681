"""Templates compiled once, for all the apps that tests make of the same code."""

from types import CodeType
from typing import Any

from flask.sansio.app import App
from flask.templating import Environment
from jinja2.bccache import Bucket, BytecodeCache
from typing_extensions import override


class Compiled(BytecodeCache):
    """Keeps what was compiled for as long as the process lives."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType | None] = {}

    @override
    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    @override
    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.code


class SharedEnvironment(Environment):
    """Flask's own environment, which would compile every page for every app."""

    _compiled = Compiled()

    def __init__(self, app: App, **options: Any) -> None:
        super().__init__(app, bytecode_cache=self._compiled, **options)
