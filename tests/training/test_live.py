"""Contract: servers find the old champion or the new, and promotions at the same time lose nothing."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from features.errors import ChecksumError
from training.live import Live
from training.models.bundle import read_bundle, write_bundle
from training.value.tasks import TASKS


@pytest.fixture(params=["ltv", "churn"])
def bundle(request, trained):
    return trained[request.param].bundle


def test_servers_find_the_old_champion_or_the_new_and_nothing_between(bundle, tmp_path):
    live = Live(tmp_path / "live")
    assert live.champions() == {}
    for number in (1, 2, 3):
        write_bundle(tmp_path / f"v{number}", dataclasses.replace(bundle, facts={"number": number}))
        live.publish(bundle.task, number, tmp_path / f"v{number}")
        assert live.champions() == {bundle.task: number}
        assert read_bundle(live.bundle(bundle.task, number)).facts["number"] == number
    # The one before stays for servers that have not looked yet; older ones go.
    assert sorted(p.name for p in live.folder.glob(f"{bundle.task}-*")) == [
        f"{bundle.task}-2",
        f"{bundle.task}-3",
    ]
    live.pointer.write_text("{")
    with pytest.raises(ChecksumError, match="promote again"):
        live.champions()


def test_two_promotions_at_once_lose_nothing(trained, tmp_path):
    live = Live(tmp_path / "live")
    for name in TASKS:
        write_bundle(tmp_path / name, trained[name].bundle)
    with ThreadPoolExecutor(2) as pool:
        for number in range(1, 15):
            list(pool.map(lambda name, n=number: live.publish(name, n, tmp_path / name), TASKS))
            assert live.champions() == {"ltv": number, "churn": number}
