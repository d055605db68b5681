"""Measure what a file costs to import, or to refuse: seconds of computing, peak memory.

    python -m tests.lab.bench.import_memory

Each file is read by a process of its own, whose peak the system tells.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

MIB = 1024 * 1024
# The peak that getrusage tells is that of the parent, where this was larger.
_READER = """
import resource, sys
from pathlib import Path
from sync.portability.archive import InvalidExport
from sync.portability.validate import read_bundle
from sync.surveys.instruments import load_library

def read_peak_mib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if "VmHWM" in line)

def read_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

library = load_library(Path("."))
idle_mib, idle_s = read_peak_mib(), read_seconds()
sentence = "taken in"
try:
    read_bundle(Path(sys.argv[1]), library)
except InvalidExport as error:
    sentence = str(error)
print(round(read_peak_mib() - idle_mib))
print(round(read_seconds() - idle_s, 2))
print(sentence)
"""
TABLES = ("runs", "surveys", "answers", "decisions", "draws", "mails", "consents")
ACCOUNT: dict[str, Any] = {
    "format": 1,
    "strava_athlete_id": None,
    "created_at": "2026-01-01T00:00:00Z",
    "zone": "UTC",
    "email": None,
    "preferences": {},
}
TIME = "2026-01-01T00:00:00+00:00"


def write_archive(path: Path, *, packing: int, **tables: bytes) -> None:
    """Write an export with these tables and nothing else."""
    with ZipFile(path, "w", packing) as archive:
        archive.writestr("account.json", json.dumps(ACCOUNT))
        for name in TABLES:
            archive.writestr(f"{name}.json", tables.get(name, b"[]"))


def build_run(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "source": "strava",
        "source_id": 10**10 + 7919 * number,
        "sport": "Run",
        "started_at": TIME,
        "start_known": True,
        "zone": "Europe/Berlin",
        "offset_s": 3600,
        "local_day": "2026-01-01",
        "distance_m": 5000 + number % 9973 / 10,
        "moving_s": 1500 + number % 997,
        "elapsed_s": 1600 + number % 991,
        "elevation_m": 12.5,
        **dict.fromkeys(("treadmill", "manual", "race", "with_others"), False),
        "device": None,
        "visibility": "everyone",
        "fetched_at": TIME,
        "hidden_at": None,
        "undecided_since": None,
        "imported": True,
        "counted": True,
        "duplicate_of": None,
        "chosen": False,
    }


def build_survey(number: int) -> dict[str, Any]:
    """Return a survey with more in its tags than any has."""
    return {
        "id": number,
        "run_id": None,
        "pairing_key": None,
        "kind": "run",
        "instrument": "run-1",
        "reversed_order": False,
        "focus": None,
        "tags": {"a": [number + index / 7 for index in range(150)]},
        "local_day": None,
        **dict.fromkeys(("created_at", "send_at", "expires_at"), TIME),
        **dict.fromkeys(("sent_at", "opened_at", "skipped_at")),
        "cancelled_for": None,
    }


def write_files(folder: Path) -> list[Path]:
    """Write files that cost much: bombs, and the largest exports that there can be."""
    contents: dict[str, dict[str, bytes]] = {
        "empty rows, 16 MiB": {"runs": b"[" + b"{}," * (16 * MIB // 3) + b"{}]"},
        "empty rows, 64 MiB": {"runs": b"[" + b"{}," * (64 * MIB // 3) + b"{}]"},
        "zeros in one row, 30 MiB": {
            "surveys": b'[{"tags":{"a":[' + b"0," * (15 * MIB) + b"0]}}]"
        },
        "surveys with 150 numbers each": {
            "surveys": json.dumps([*map(build_survey, range(10_000))]).encode()
        },
        "10,000 runs": {
            "runs": json.dumps([*map(build_run, range(10_000))], indent=1).encode()
        },
        "40,000 runs": {
            "runs": json.dumps([*map(build_run, range(40_000))], indent=1).encode()
        },
    }
    paths = []
    for name, tables in contents.items():
        for how, packing in (("deflated", ZIP_DEFLATED), ("stored", ZIP_STORED)):
            paths.append(folder / f"{name}, {how}.zip")
            write_archive(paths[-1], packing=packing, **tables)
    return paths


def measure_reading(path: Path) -> tuple[int, float, str]:
    """Return the peak in MiB above an idle process, the seconds, and the sentence."""
    finished = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _READER, str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    peak_mib, seconds, sentence = finished.stdout.splitlines()
    return int(peak_mib), float(seconds), sentence


def main() -> None:
    with TemporaryDirectory() as folder:
        for path in write_files(Path(folder)):
            peak_mib, seconds, sentence = measure_reading(path)
            size = path.stat().st_size / 1024
            print(f"{path.stem:36} {size:8.0f} kB  {peak_mib:5} MiB  {seconds:5.2f} s")
            print(f"    {sentence}")


if __name__ == "__main__":
    main()
