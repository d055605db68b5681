"""Commands at the controls, parsed into runs, edits, faults and settings."""

from dataclasses import replace
from typing import get_args

from sync.simulator import faults
from sync.simulator.activities import ActivityEdit, RunUpload
from sync.simulator.fields import RequestFields
from sync.simulator.records import (
    App,
    DeliverySettings,
    Limits,
    Rotation,
    SimulatedFault,
    Visibility,
)
from sync.simulator.world import World

VISIBILITIES: tuple[Visibility, ...] = get_args(Visibility)
ROTATIONS: tuple[Rotation, ...] = get_args(Rotation)
SPORTS = (
    "Run",
    "TrailRun",
    "VirtualRun",
    "Ride",
    "Walk",
    "Hike",
    "Swim",
    "Workout",
)
MAX_MOVING_S = 172_800


def parse_run(fields: RequestFields) -> RunUpload:
    defaults = RunUpload()
    fields.allow_only(*vars(defaults))
    return RunUpload(
        distance_m=fields.number("distance_m", defaults.distance_m, maximum=500_000),
        moving_s=fields.integer("moving_s", defaults.moving_s, maximum=MAX_MOVING_S),
        ended_minutes_ago=fields.number(
            "ended_minutes_ago", defaults.ended_minutes_ago
        ),
        zone=fields.zone("zone", defaults.zone),
        sport_type=fields.text("sport_type", defaults.sport_type, max_length=40),
        trainer=fields.flag("trainer"),
        manual=fields.flag("manual"),
        race=fields.flag("race"),
        athlete_count=fields.integer("athlete_count", 1, minimum=1, maximum=10_000),
        visibility=fields.choice("visibility", VISIBILITIES, defaults.visibility),
        start_hidden=fields.flag("start_hidden"),
        silent=fields.flag("silent"),
    )


def parse_edit(fields: RequestFields) -> ActivityEdit:
    fields.allow_only(*vars(ActivityEdit()))
    return ActivityEdit(
        name=fields.text("name") if fields.has("name") else None,
        distance_m=(
            fields.number("distance_m", 0, maximum=500_000)
            if fields.has("distance_m")
            else None
        ),
        moving_s=(
            fields.integer("moving_s", 0, maximum=MAX_MOVING_S)
            if fields.has("moving_s")
            else None
        ),
        sport_type=(
            fields.text("sport_type", max_length=40)
            if fields.has("sport_type")
            else None
        ),
        visibility=(
            fields.choice("visibility", VISIBILITIES, "everyone")
            if fields.has("visibility")
            else None
        ),
    )


def parse_fault(world: World, fields: RequestFields) -> SimulatedFault:
    fields.allow_only("kind", "status", "seconds", "on", "times")
    return SimulatedFault(
        id=world.next_id("fault"),
        kind=fields.choice("kind", faults.FAULT_KINDS, "status"),
        status=fields.integer("status", 500, minimum=400, maximum=599),
        seconds=fields.number("seconds", 0, maximum=60),
        on=fields.choice("on", faults.FAULT_TARGETS, "any"),
        times=fields.integer("times", 1, minimum=1) if fields.has("times") else None,
    )


def parse_limits(current: Limits, fields: RequestFields) -> Limits:
    fields.allow_only(*vars(current))
    return Limits(
        quarter=fields.integer("quarter", current.quarter),
        day=fields.integer("day", current.day),
        read_quarter=fields.integer("read_quarter", current.read_quarter),
        read_day=fields.integer("read_day", current.read_day),
        quarter_s=fields.integer(
            "quarter_s", current.quarter_s, minimum=1, maximum=86_400
        ),
    )


def parse_delivery(
    current: DeliverySettings, fields: RequestFields
) -> DeliverySettings:
    fields.allow_only(*vars(current))
    return DeliverySettings(
        drop=fields.number("drop", current.drop, maximum=1),
        double=fields.number("double", current.double, maximum=1),
        reorder=fields.number("reorder", current.reorder, maximum=1),
        delay_s=fields.number("delay_s", current.delay_s, maximum=86_400),
        retry_gap_s=fields.number("retry_gap_s", current.retry_gap_s, maximum=86_400),
    )


def parse_app(current: App, fields: RequestFields) -> App:
    fields.allow_only(
        "athlete_limit",
        "inactive",
        "rotate",
        "token_s",
        "page_at_most",
        "signing_secret",
        "callback_domain",
    )
    return replace(
        current,
        athlete_limit=fields.integer("athlete_limit", current.athlete_limit),
        inactive=fields.flag("inactive", current.inactive),
        rotate=fields.choice("rotate", ROTATIONS, current.rotate),
        token_s=fields.integer("token_s", current.token_s, minimum=1),
        page_at_most=fields.integer("page_at_most", current.page_at_most or 0) or None,
        signing_secret=fields.text("signing_secret", current.signing_secret or "")
        or None,
        callback_domain=fields.text("callback_domain", current.callback_domain),
    )
