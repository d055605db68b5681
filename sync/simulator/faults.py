"""Simulated faults of Strava: outages, odd answers, refusals, slowness."""

from dataclasses import replace
from time import sleep
from typing import get_args

from flask import Response

from sync.simulator import refusals
from sync.simulator.records import FaultKind, SimulatedFault
from sync.simulator.refusals import SimulatedApiError
from sync.simulator.world import World

FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
FAULT_TARGETS = ("any", "athlete", "list", "detail", "token", "revoke", "subscription")
MAINTENANCE_PAGE = "<!doctype html><title>Strava</title><h1>We'll be right back</h1>"


def consume_faults(world: World, call: str) -> list[SimulatedFault]:
    """Return the faults for this call, and use each of them up by one."""
    matching = [fault for fault in world.faults if fault.on in {"any", call}]
    for fault in matching:
        if fault.times is None:
            continue
        if fault.times > 1:
            world.faults.put(replace(fault, times=fault.times - 1))
        else:
            world.faults.remove(fault.id)
    return matching


def apply_faults(faults: list[SimulatedFault]) -> Response | None:
    """Apply the faults; None means that the call continues."""
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
                return Response(MAINTENANCE_PAGE, status=200, mimetype="text/html")
            case "status":
                return build_error_response(fault.status)
            case "slow":
                pass
    return None


def build_error_response(status: int) -> Response:
    """Return or raise what Strava answers with this status."""
    if status == 429:
        raise refusals.rate_limit_exceeded()
    if status == 403:
        raise refusals.app_inactive()
    if status >= 500:
        return Response(MAINTENANCE_PAGE, status=status, mimetype="text/html")
    raise SimulatedApiError(status, "Error", ("Application", "", "simulated"))
