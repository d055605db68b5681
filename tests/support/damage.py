"""Damage to files and folders as power cuts, disks and other users do it."""

import ctypes
import multiprocessing
import os
import shutil
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

_NOISE = bytes(range(256)) * 16
OTHER_USER = 12_345
# CAP_CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH and FOWNER: what makes root read everything.
_CAPABILITIES = (0, 1, 2, 3)
_CAPABILITY_VERSION = 0x20080522
_PR_CAPBSET_DROP = 24


def zero(path: Path) -> None:
    path.write_bytes(bytes(max(path.stat().st_size, 512)))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def fill_with_noise(path: Path) -> None:
    path.write_bytes(_NOISE)


def append_zeros(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(64))


def make_unreadable(path: Path) -> None:
    path.chmod(0)


def give_away(path: Path) -> None:
    """Let another user own it, who lets nobody else in."""
    path.chmod(0o700 if path.is_dir() else 0o600)
    os.chown(path, OTHER_USER, OTHER_USER)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def put_folder(path: Path) -> None:
    """Put a folder that is not empty in the place of a file."""
    remove(path)
    path.mkdir()
    (path / "something").write_text("else")


def put_file(path: Path) -> None:
    remove(path)
    path.write_text("no folder")


def put_dangling_link(path: Path) -> None:
    remove(path)
    path.symlink_to(path.parent / "nowhere" / "at all")


def put_looping_link(path: Path) -> None:
    remove(path)
    path.symlink_to(path)


def put_pipe(path: Path) -> None:
    """Put a pipe there, at which whoever opens it waits for ever."""
    remove(path)
    os.mkfifo(path)


OF_BYTES: tuple[Callable[[Path], None], ...] = (zero, empty, cut, fill_with_noise)
OF_ACCESS: tuple[Callable[[Path], None], ...] = (make_unreadable, give_away)
OF_KIND: tuple[Callable[[Path], None], ...] = (
    put_dangling_link,
    put_looping_link,
    put_pipe,
)
OF_FILES = (*OF_BYTES, *OF_ACCESS, *OF_KIND, put_folder)
OF_FOLDERS = (*OF_ACCESS, *OF_KIND, put_file)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def drop_privileges() -> None:
    """Let the modes and owners of files bind this process and its children.

    Root, as whom tests often run, may otherwise read and write everything.
    """
    if os.geteuid():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = _CapabilityHeader(_CAPABILITY_VERSION, 0)
    sets = (_CapabilitySets * 2)()
    assert libc.capget(ctypes.byref(header), sets) == 0
    for capability in _CAPABILITIES:
        libc.prctl(_PR_CAPBSET_DROP, capability)
        for part in ("effective", "permitted", "inheritable"):
            setattr(sets[0], part, getattr(sets[0], part) & ~(1 << capability))
    assert libc.capset(ctypes.byref(header), sets) == 0


def run_unprivileged(work: Callable[[], object]) -> None:
    """Run `work` in a fork without privileges; what it raises fails the test."""

    def run() -> None:
        drop_privileges()
        try:
            work()
        except BaseException:  # noqa: BLE001 - it fails the test
            traceback.print_exc()
            os._exit(1)
        os._exit(0)

    child = multiprocessing.get_context("fork").Process(target=run)
    child.start()
    child.join(60)
    code = child.exitcode
    child.kill()
    assert code is not None, "it waits for ever"
    assert code == 0, "see the traceback"


def read_tree(paths: Mapping[str, Path]) -> dict[str, bytes]:
    """Return what is in each of these files, to compare it afterwards."""
    return {name: path.read_bytes() for name, path in paths.items()}
