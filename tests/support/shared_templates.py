"""Templates and rules compiled once, for all the apps that tests make."""

from collections.abc import Callable
from types import CodeType
from typing import Any, ClassVar

from flask.sansio.app import App
from flask.templating import Environment
from jinja2.bccache import Bucket, BytecodeCache
from typing_extensions import override
from werkzeug.routing import Rule


class InMemoryBytecodeCache(BytecodeCache):
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

    _compiled = InMemoryBytecodeCache()

    def __init__(self, app: App, **options: Any) -> None:
        super().__init__(app, bytecode_cache=self._compiled, **options)


class SharedRule(Rule):
    """Werkzeug's own rule, which would compile how to build its address for every app.

    That was half of what a test of a page cost.
    """

    _compiled: ClassVar[dict[tuple[Any, ...], Callable[..., tuple[str, str]]]] = {}

    @override
    def _compile_builder(
        self, append_unknown: bool = True
    ) -> Callable[..., tuple[str, str]]:
        if self.defaults:  # these depend on the converters of the app
            return super()._compile_builder(append_unknown)
        key = (*self._trace, append_unknown)
        if key not in self._compiled:
            self._compiled[key] = super()._compile_builder(append_unknown)
        return self._compiled[key]
