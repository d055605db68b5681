"""What was asked for at the controls, turned into runs, edits, faults and settings."""

from dataclasses import replace
from typing import get_args

from sync.simulator import faults
from sync.simulator.activities import Edit, NewRun
from sync.simulator.fields import Asked
from sync.simulator.records import (
    App,
    Delivery,
    Fault,
    Limits,
    Rotation,
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
LONGEST_S = 172_800


def new_run(asked: Asked) -> NewRun:
    usual = NewRun()
    asked.only(*vars(usual))
    return NewRun(
        distance_m=asked.number("distance_m", usual.distance_m, most=500_000),
        moving_s=asked.whole("moving_s", usual.moving_s, most=LONGEST_S),
        ended_minutes_ago=asked.number("ended_minutes_ago", usual.ended_minutes_ago),
        zone=asked.zone("zone", usual.zone),
        sport_type=asked.text("sport_type", usual.sport_type, most=40),
        trainer=asked.flag("trainer"),
        manual=asked.flag("manual"),
        race=asked.flag("race"),
        athlete_count=asked.whole("athlete_count", 1, least=1, most=10_000),
        visibility=asked.choice("visibility", VISIBILITIES, usual.visibility),
        start_hidden=asked.flag("start_hidden"),
        silent=asked.flag("silent"),
    )


def edit(asked: Asked) -> Edit:
    asked.only(*vars(Edit()))
    return Edit(
        name=asked.text("name") if asked.has("name") else None,
        distance_m=(
            asked.number("distance_m", 0, most=500_000)
            if asked.has("distance_m")
            else None
        ),
        moving_s=(
            asked.whole("moving_s", 0, most=LONGEST_S)
            if asked.has("moving_s")
            else None
        ),
        sport_type=(
            asked.text("sport_type", most=40) if asked.has("sport_type") else None
        ),
        visibility=(
            asked.choice("visibility", VISIBILITIES, "everyone")
            if asked.has("visibility")
            else None
        ),
    )


def fault(world: World, asked: Asked) -> Fault:
    asked.only("kind", "status", "seconds", "on", "times")
    return Fault(
        id=world.next_id("fault"),
        kind=asked.choice("kind", faults.KINDS, "status"),
        status=asked.whole("status", 500, least=400, most=599),
        seconds=asked.number("seconds", 0, most=60),
        on=asked.choice("on", faults.CALLS, "any"),
        times=asked.whole("times", 1, least=1) if asked.has("times") else None,
    )


def limits(now: Limits, asked: Asked) -> Limits:
    asked.only(*vars(now))
    return Limits(
        quarter=asked.whole("quarter", now.quarter),
        day=asked.whole("day", now.day),
        read_quarter=asked.whole("read_quarter", now.read_quarter),
        read_day=asked.whole("read_day", now.read_day),
        quarter_s=asked.whole("quarter_s", now.quarter_s, least=1, most=86_400),
    )


def delivery(now: Delivery, asked: Asked) -> Delivery:
    asked.only(*vars(now))
    return Delivery(
        drop=asked.number("drop", now.drop, most=1),
        double=asked.number("double", now.double, most=1),
        reorder=asked.number("reorder", now.reorder, most=1),
        delay_s=asked.number("delay_s", now.delay_s, most=86_400),
        retry_gap_s=asked.number("retry_gap_s", now.retry_gap_s, most=86_400),
    )


def app(now: App, asked: Asked) -> App:
    asked.only(
        "athlete_limit",
        "inactive",
        "rotate",
        "token_s",
        "page_at_most",
        "signing_secret",
        "callback_domain",
    )
    return replace(
        now,
        athlete_limit=asked.whole("athlete_limit", now.athlete_limit),
        inactive=asked.flag("inactive", now.inactive),
        rotate=asked.choice("rotate", ROTATIONS, now.rotate),
        token_s=asked.whole("token_s", now.token_s, least=1),
        page_at_most=asked.whole("page_at_most", now.page_at_most or 0) or None,
        signing_secret=asked.text("signing_secret", now.signing_secret or "") or None,
        callback_domain=asked.text("callback_domain", now.callback_domain),
    )
