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
from tests.support.harness import Stage
from tests.sync.runners.test_disconnect import Killed

ON_BOTH = pytest.mark.parametrize(
    "database_url", ["sqlite", "postgresql"], indirect=True
)


class DiesPacking(Sealer):
    """The process dies before the last step, when the study opens the vault."""

    opened = 0

    @override
    def vault(self, sealed_key: bytes) -> Vault:
        self.opened += 1
        if self.opened == 2:
            raise Killed
        return super().vault(sealed_key)


def unpacked(packed: bytes | None) -> dict[str, str]:
    assert packed
    with ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def killed_packing(runtime: Runtime) -> None:
    with pytest.raises(Killed):
        exports.drain(replace(runtime, sealer=DiesPacking([KEY])))


def count(stage: Stage, table: type[Model]) -> int:
    with stage.runtime.db.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def mail_kinds(stage: Stage) -> list[Any]:
    with stage.runtime.db.reading() as session:
        return list(session.scalars(select(Mail.kind)))
