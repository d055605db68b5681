"""How a view reaches the outside world."""

from typing import cast

from flask import Flask, current_app

from sync.runtime import Runtime

_KEY = "moodmiles_runtime"


def attach(app: Flask, runtime: Runtime) -> None:
    app.extensions[_KEY] = runtime


def runtime() -> Runtime:
    return cast(Runtime, current_app.extensions[_KEY])
