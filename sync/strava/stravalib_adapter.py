"""stravalib with our session and addresses, without its limiter and token refresh.

The import takes a second, so only the call that needs it imports this module.
"""

import gc
import logging
import math
import warnings
from collections.abc import Callable
from functools import partial

from requests import JSONDecodeError, Response, Session
from typing_extensions import override

with warnings.catch_warnings():
    # stravalib changes warnings and logging when it is imported: undo both.
    warnings.simplefilter("ignore")
    previous_hook = warnings.showwarning
    from stravalib.protocol import ApiV3

    if warnings.showwarning is not previous_hook:
        logging.captureWarnings(capture=False)

# The loaded modules stay until the end: no garbage collection need visit them.
gc.freeze()

_MAX_DIGITS = 20  # more than the largest number that any column holds


class StravaApi(ApiV3):
    """stravalib's low level; `check_response` raises for what the answer means."""

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
        # stravalib asks the response itself for what its body says.
        response.json = partial(_parse_body, response)  # type: ignore[method-assign]
        return response


def _parse_body(response: Response) -> object:
    """Parse a body; one absurd number in it must not cost the records beside it."""
    try:
        return Response.json(response)
    except JSONDecodeError:
        raise
    except ValueError:  # Python makes no integer of more than 4300 digits
        return Response.json(
            response,
            parse_int=lambda digits: (
                int(digits) if len(digits) <= _MAX_DIGITS else math.inf
            ),
        )
