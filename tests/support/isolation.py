"""What the tests must not inherit from the machine and the shell they start in."""

from collections.abc import MutableMapping

from sync.settings import PREFIX, Settings
from tests.support.postgres import URL_VARIABLE

# Our settings, libpq's and a proxy's: each would lead a test somewhere else.
_OTHERS = ("PG", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def isolate_environment(environ: MutableMapping[str, str]) -> None:
    """Forget the host's settings, those in the checkout's `.env` among them."""
    for name in list(environ):
        if name.upper().startswith((PREFIX, *_OTHERS)) and name != URL_VARIABLE:
            del environ[name]
    Settings.model_config["env_file"] = None
