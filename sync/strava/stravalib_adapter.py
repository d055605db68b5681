"""stravalib, tamed: our session and addresses, no limiter, no refresh of its own.

Importing this takes a second, so only the call that needs it does so.
"""

import gc
import logging
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager

from requests import Response, Session
from typing_extensions import override


@contextmanager
def _undo_import_effects() -> Generator[None]:
    """Undo what stravalib does to warnings and logging when it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        previous_hook = warnings.showwarning
        yield
        if warnings.showwarning is not previous_hook:
            logging.captureWarnings(capture=False)


with _undo_import_effects():
    from stravalib.protocol import ApiV3

# What has been loaded by now stays: no collection need look through it again.
gc.freeze()


class StravaApi(ApiV3):
    """stravalib's low level: it asks, `judge` decides what the answer means."""

    def __init__(
        self,
        http: Session,
        check_response: Callable[[Response], None],
        *,
        site_url: str,
        api_url: str,
        access_token: str | None = None,
    ) -> None:
        super().__init__(access_token=access_token, requests_session=http)
        self._check_response = check_response
        self._site_url = site_url
        self._api_url = api_url

    @override
    def _check_credentials(self) -> None:
        """Look for no credentials in the environment: they would refresh tokens."""

    @override
    def resolve_url(self, url: str) -> str:
        """Lead to the addresses of our settings; stravalib knows only its own."""
        site = f"https://{self.server}"
        if url.startswith(f"{site}/"):
            return self._site_url + url.removeprefix(site)
        return f"{self._api_url}/{url.strip('/')}"

    @override
    def _handle_protocol_error(self, response: Response) -> Response:
        self._check_response(response)
        return response
