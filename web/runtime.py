"""The runtime of the current application, for views."""

from typing import cast

from flask import Flask, current_app

from sync.runtime import Runtime

_EXTENSION_KEY = "moodmiles_runtime"


def attach_runtime(app: Flask, runtime: Runtime) -> None:
    app.extensions[_EXTENSION_KEY] = runtime


def runtime() -> Runtime:
    return cast(Runtime, current_app.extensions[_EXTENSION_KEY])
