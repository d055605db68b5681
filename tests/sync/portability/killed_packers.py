"""Workers that die as they pack an export, and what was in one that was packed."""

import io
from dataclasses import replace
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import func, select
from typing_extensions import override

from sync.crypto import Sealer, Vault
from sync.models import Mail, Model
from sync.portability import exports
from sync.runtime import Runtime
from tests.conftest import KEY
from tests.support.harness import Harness
from tests.support.simulated_kill import SimulatedKill

ON_BOTH_DATABASES = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql"], indirect=True
)


class KilledWhilePackingSealer(Sealer):
    """The process dies before the last step, when the study opens the vault."""

    opened = 0

    @override
    def open_vault(self, sealed_key: bytes) -> Vault:
        self.opened += 1
        if self.opened == 2:
            raise SimulatedKill
        return super().open_vault(sealed_key)


def unpack_export(packed: bytes | None) -> dict[str, str]:
    assert packed
    with ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def pack_and_die(runtime: Runtime) -> None:
    with pytest.raises(SimulatedKill):
        exports.process_due(replace(runtime, sealer=KilledWhilePackingSealer([KEY])))


def count_rows(harness: Harness, table: type[Model]) -> int:
    with harness.runtime.db.read_only() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def list_mail_kinds(harness: Harness) -> list[Any]:
    with harness.runtime.db.read_only() as session:
        return list(session.scalars(select(Mail.kind)))
