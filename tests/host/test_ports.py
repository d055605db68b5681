"""Ports: a taken one is refused, an inner one stays the same."""

import socket
from pathlib import Path

import pytest

from host.data_dir import lock_data_directory
from host.errors import StartupError
from host.ports import choose_inner_port, choose_web_port, require_port
from tests.support.servers import HOST, free_port


def test_a_taken_port_is_refused() -> None:
    with (
        socket.create_server((HOST, 0)) as taken,
        pytest.raises(StartupError, match="choose another one with --port"),
    ):
        choose_web_port(HOST, taken.getsockname()[1])


def test_port_zero_means_any() -> None:
    assert choose_web_port(HOST, 0) > 0


def test_a_part_listens_where_it_did_last_time(folder: Path) -> None:
    with lock_data_directory(folder / "data") as home:
        first = choose_inner_port(home, "redis")

        assert choose_inner_port(home, "redis") == first


def test_no_client_is_lent_a_part_s_port(folder: Path) -> None:
    with lock_data_directory(folder / "data") as home, socket.socket() as client:
        client.bind((HOST, 0))
        lent = client.getsockname()[1]

        assert choose_inner_port(home, "redis") < min(lent, 32_768)


def test_two_parts_never_share_a_port(folder: Path) -> None:
    with lock_data_directory(folder / "data") as home:
        home.write_json("ports.json", {"redis": (port := free_port()), "mailbox": port})

        assert choose_inner_port(home, "mailbox") != port


def test_a_part_moves_when_its_port_was_taken(folder: Path) -> None:
    with lock_data_directory(folder / "data") as home:
        first = choose_inner_port(home, "redis")

        with socket.create_server((HOST, first)):
            assert choose_inner_port(home, "redis") != first


@pytest.mark.parametrize("host", ["not-an-address.invalid", "203.0.113.9", "a..b"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    for require in (choose_web_port, require_port):
        with pytest.raises(StartupError, match="is not an address of this machine"):
            require(host, 8000)


def test_a_port_of_another_program_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with pytest.raises(StartupError, match=r"is taken .* with --port"):
            require_port(HOST, taken.getsockname()[1])


def test_one_of_ours_may_still_listen() -> None:
    with socket.socket() as former:
        former.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        former.bind((HOST, 0))
        former.listen()
        require_port(HOST, former.getsockname()[1])
