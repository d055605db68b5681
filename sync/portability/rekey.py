"""Make a file's pairing keys ours: each instance, and each runner, has others."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from sync.crypto import Vault, VaultSecrets, hash_run
from sync.portability.schema import (
    KEY_PATTERN,
    AnswerRecord,
    DelayRecord,
    RunRecord,
    SurveyRecord,
)
from sync.portability.validate import ExportBundle
from sync.runners.retained_runs import HAND, retained_source_id

PAIRED_WITH = "paired_with"

RecordT = TypeVar("RecordT", SurveyRecord, AnswerRecord, DelayRecord)


def rekey_bundle(
    bundle: ExportBundle, vault: Vault, runs_here: Iterable[tuple[str, int]]
) -> ExportBundle:
    """Return the bundle with the pairing keys that its runner has here.

    A file of an earlier release has plain hashes, which all can be keyed anew.  One of
    another runner's secret has keys that can be for runs that are in the file or here
    (`runs_here`, source and id); any other key fits no run here, and stays unique.
    """
    file_secret = bundle.account.pairing_secret
    if file_secret == vault.pairing_secret:
        return bundle
    file_vault = Vault(VaultSecrets.create(file_secret)) if file_secret else None
    new_keys = {}
    runs_in_file = ((run.source, run.source_id) for run in bundle.runs)
    for source, source_id in (*runs_in_file, *runs_here):
        file_key = (
            file_vault.pairing_key(source, source_id)
            if file_vault
            else hash_run(source, source_id)
        )
        new_keys[file_key] = vault.pairing_key(source, source_id)
    records: list[SurveyRecord | AnswerRecord | DelayRecord] = [
        *bundle.surveys,
        *bundle.answers,
        *bundle.delays,
    ]
    for record in records:
        for key in (record.pairing_key, _get_tags(record).get(PAIRED_WITH)):
            if isinstance(key, str) and re.match(KEY_PATTERN, key):
                new_keys.setdefault(key, vault.wrap_pairing_key(key))
    new_numbers = {
        retained_source_id(file_key): retained_source_id(new_key)
        for file_key, new_key in new_keys.items()
    }
    return replace(
        bundle,
        runs=[_renumber_retained(run, new_numbers) for run in bundle.runs],
        surveys=[_rekey_record(record, new_keys) for record in bundle.surveys],
        answers=[_rekey_record(record, new_keys) for record in bundle.answers],
        delays=[_rekey_record(record, new_keys) for record in bundle.delays],
    )


def _get_tags(record: SurveyRecord | AnswerRecord | DelayRecord) -> Mapping[str, Any]:
    """Return a row's tags; a drawn delay has none."""
    return {} if isinstance(record, DelayRecord) else record.tags


def _renumber_retained(run: RunRecord, new_numbers: Mapping[int, int]) -> RunRecord:
    """Renumber a run that is kept in its runner's own log: its key is its number."""
    if run.source is not HAND or run.source_id not in new_numbers:
        return run
    return run.model_copy(update={"source_id": new_numbers[run.source_id]})


def _rekey_record(record: RecordT, new_keys: Mapping[str, str]) -> RecordT:
    changes: dict[str, Any] = {}
    if record.pairing_key is not None:
        changes["pairing_key"] = new_keys[record.pairing_key]
    tags = _get_tags(record)
    paired_with = tags.get(PAIRED_WITH)
    if isinstance(paired_with, str) and paired_with in new_keys:
        changes["tags"] = {**tags, PAIRED_WITH: new_keys[paired_with]}
    return record.model_copy(update=changes) if changes else record
