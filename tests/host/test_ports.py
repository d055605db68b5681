"""Ports: a taken one is refused, an inner one stays the same."""

import socket
from pathlib import Path

import pytest

from host.data_dir import lock_data_directory
from host.errors import StartupError
from host.ports import choose_inner_port, choose_web_port
from tests.support.servers import HOST, free_port


def test_a_taken_port_is_refused() -> None:
    with (
        socket.create_server((HOST, 0)) as taken,
        pytest.raises(StartupError, match="choose another one with --port"),
    ):
        choose_web_port(HOST, taken.getsockname()[1])


def test_port_zero_means_any() -> None:
    assert choose_web_port(HOST, 0) > 0


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(StartupError):
        choose_web_port("not-an-address.invalid", 0)


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
