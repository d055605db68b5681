"""What can be made to go wrong, so that the app can show how it bears it."""

from dataclasses import replace
from time import sleep
from typing import get_args

from flask import Response

from sync.simulator import refusals
from sync.simulator.records import Fault, FaultKind
from sync.simulator.refusals import Refusal
from sync.simulator.world import World

KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
CALLS = ("any", "athlete", "list", "detail", "token", "revoke", "subscription")
PAGE = "<!doctype html><title>Strava</title><h1>We'll be right back</h1>"


def take(world: World, call: str) -> list[Fault]:
    """Take the faults that this call must suffer, and use each up by one."""
    hit = [fault for fault in world.faults if fault.on in {"any", call}]
    for fault in hit:
        if fault.times is None:
            continue
        if fault.times > 1:
            world.faults.put(replace(fault, times=fault.times - 1))
        else:
            world.faults.remove(fault.id)
    return hit


def suffer(faults: list[Fault]) -> Response | None:
    """Let the faults happen; None means that the call goes on as if unharmed."""
    for fault in faults:
        if fault.kind == "slow":
            sleep(fault.seconds)
    for fault in faults:
        match fault.kind:
            case "reset":
                # The server hangs up on a ConnectionError without a word.
                raise ConnectionResetError
            case "empty":
                return Response(status=200)
            case "html":
                return Response(PAGE, status=200, mimetype="text/html")
            case "status":
                return _answer(fault.status)
            case "slow":
                pass
    return None


def _answer(status: int) -> Response:
    if status == 429:
        raise refusals.too_many()
    if status == 403:
        raise refusals.inactive()
    if status >= 500:
        return Response(PAGE, status=status, mimetype="text/html")
    raise Refusal(status, "Error", ("Application", "", "simulated"))
