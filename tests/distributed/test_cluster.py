"""A cluster of two single-threaded processes on the loopback: the same numbers, also where a worker dies."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import joblib
import numpy as np
import pandas as pd
import pytest
from dask import delayed
from distributed import Client, LocalCluster

import pairvote as pv
from pairvote.distributed._api import DistributedCounts, bradley_terry, count_pairs
from pairvote.distributed._remote import RemoteSums

pytestmark = pytest.mark.slow

N_ITEMS, N_VOTES, N_PARTS = 25, 1_200, 6


def start_cluster() -> LocalCluster:
    return LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        host="127.0.0.1",
        silence_logs=logging.CRITICAL,
    )


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    with start_cluster() as started:
        yield started


@pytest.fixture
def client(cluster: LocalCluster) -> Iterator[Client]:
    with Client(cluster) as connected:
        connected.wait_for_workers(2)
        yield connected


@pytest.fixture
def votes() -> pv.Votes:
    rng = np.random.default_rng(21)
    strengths = rng.normal(size=N_ITEMS)
    left = rng.integers(0, N_ITEMS, N_VOTES)
    right = (left + rng.integers(1, N_ITEMS, N_VOTES)) % N_ITEMS
    outcome = np.where(rng.random(N_VOTES) < 1.0 / (1.0 + np.exp(strengths[right] - strengths[left])), 2, 0)
    outcome[rng.random(N_VOTES) < 0.2] = 1
    outcome[rng.random(N_VOTES) < 0.05] = 3
    labels = np.array([f"item {code}" for code in range(N_ITEMS)])
    return pv.Votes.from_labels(labels[left], labels[right], [pv.Outcome(o) for o in outcome.tolist()])


def in_parts(votes: pv.Votes, log: Path | None = None) -> list[Any]:
    """Partitions that write down, each time one is made, which it was and by which process."""

    def load(rows: pv.Votes, number: int) -> pv.Votes:
        if log is not None:
            with open(log, "a") as lines:
                lines.write(f"{number} {os.getpid()}\n")
        return rows

    numbers = np.arange(len(votes)) * N_PARTS // len(votes)
    return [delayed(load)(delayed(votes.where(numbers == number)), number) for number in range(N_PARTS)]


def test_a_cluster_counts_and_fits_as_this_process(client: Client, votes: pv.Votes) -> None:
    counts, scattered = count_pairs(in_parts(votes)), count_pairs(in_parts(votes), most_pairs=0)
    whole = votes.counts()
    assert isinstance(scattered, DistributedCounts)
    for ours in (counts, scattered.gather()):
        assert ours.items == whole.items
        np.testing.assert_array_equal(ours.right, whole.right)
        np.testing.assert_array_equal(ours.table, whole.table)
    # Whatever is sent is too large for this; nobody is to be told of it.
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 B"}):
        ranking = bradley_terry(scattered, prior_sd=3.0, ties="rao-kupper", position=True)
    local = pv.bradley_terry(votes, prior_sd=3.0, ties="rao-kupper", position=True)
    np.testing.assert_allclose(ranking.scores, local.scores, atol=1e-8, rtol=0)
    np.testing.assert_array_equal(ranking.components, local.components)
    ours, theirs = (one.difference("item 1", "item 2").standard_error for one in (ranking, local))
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_errors_on_a_worker_arrive_with_their_place(client: Client, votes: pv.Votes) -> None:
    bad = votes.to_frame("pandas")
    bad.loc[7, "outcome"] = "perhaps"
    with pytest.raises(pv.InputError, match=r"partition 1: outcome at row 7 is 'perhaps'"):
        count_pairs([delayed(votes.to_frame("pandas")), delayed(bad)])

    def gone(path: str) -> None:
        raise OSError(f"{path} is cut short")

    with pytest.raises(
        pv.InputError, match=r"partition 1 \(a\.parquet\) cannot be read \(OSError: a\.parquet is cut short\)"
    ):
        count_pairs([delayed(votes), delayed(gone)("a.parquet")])

    def read(path: str) -> pd.DataFrame:
        return bad

    with pytest.raises(
        pv.InputError, match=r"^partition 1 \(a\.parquet\): outcome at row 7 is 'perhaps'; the labels"
    ) as raised:
        count_pairs([delayed(votes), delayed(read)("a.parquet")])
    error = raised.value
    assert (error.option, error.value, error.where) == ("outcomes", "perhaps", "row 7 of partition 1 (a.parquet)")


def test_a_partition_that_kills_its_workers_is_given_up(client: Client, votes: pv.Votes) -> None:
    def crash() -> None:
        os._exit(1)

    def allow(n_failures: int, dask_scheduler: Any = None) -> int:
        before, dask_scheduler.allowed_failures = dask_scheduler.allowed_failures, n_failures
        return int(before)

    usual = client.run_on_scheduler(allow, 0)
    with pytest.raises(pv.StateError, match=r"the cluster gave up \(KilledWorker: .*make the partitions smaller"):
        count_pairs([delayed(votes), delayed(crash)()])
    client.run_on_scheduler(allow, usual)
    client.wait_for_workers(2)
    assert count_pairs([delayed(votes)]).total == votes.counts().total


def test_a_worker_that_dies_in_mid_fit_costs_a_recomputation(
    client: Client, votes: pv.Votes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "made"
    counts = count_pairs(in_parts(votes, log), most_pairs=0)
    assert isinstance(counts, DistributedCounts)
    once = log.read_text().splitlines()
    assert sorted(line.split()[0] for line in once) == [str(number) for number in range(N_PARTS)]

    def knows(address: str, dask_scheduler: Any = None) -> bool:
        return address in dask_scheduler.workers

    slopes, products = RemoteSums.slopes, RemoteSums.add_products
    held_by_the_dead, called = [], []

    def kill() -> None:
        """The worker that holds the first shard, and whatever else it holds."""
        holders = client.who_has()
        address = holders[counts.shards[0].key][0]
        held_by_the_dead.append([key for key, workers in holders.items() if list(workers) == [address]])
        os.kill(client.run(os.getpid, workers=[address])[address], signal.SIGKILL)
        # Else others may go on asking it for what it held for as long as Dask's patience lasts, half a minute.
        while client.run_on_scheduler(knows, address):
            time.sleep(0.02)

    def slopes_then_death(self: RemoteSums, *arguments: Any) -> Any:
        called.append("slopes")
        if called.count("slopes") == 2:
            kill()
        return slopes(self, *arguments)

    def death_then_products(self: RemoteSums, *arguments: Any) -> None:
        called.append("products")
        # The weights of the pairs at this iterate are lost too.
        if called.count("slopes") == 3 and called[-2] == "slopes":
            client.wait_for_workers(2)
            kill()
        products(self, *arguments)

    monkeypatch.setattr(RemoteSums, "slopes", slopes_then_death)
    monkeypatch.setattr(RemoteSums, "add_products", death_then_products)
    ranking = bradley_terry(counts, prior_sd=3.0)
    assert len(held_by_the_dead) == 2
    assert any(key.startswith(("getitem", "slopes")) for key in held_by_the_dead[1])
    again = log.read_text().splitlines()
    assert len(again) > len(once)
    np.testing.assert_allclose(ranking.scores, pv.bradley_terry(votes, prior_sd=3.0).scores, atol=1e-8, rtol=0)
    client.wait_for_workers(2)


def test_counts_of_a_cluster_that_was_closed_say_so(votes: pv.Votes) -> None:
    with start_cluster() as started, Client(started):
        counts = count_pairs(in_parts(votes), most_pairs=0)
        ranking = bradley_terry(counts, prior_sd=3.0)
    assert ranking.order() == pv.bradley_terry(votes, prior_sd=3.0).order()
    for ask in (counts.gather, lambda: ranking.standard_errors):
        with pytest.raises(pv.StateError, match="cluster that held these counts was closed"):
            ask()


def test_resampling_and_simulating_on_a_cluster_give_the_same_bits(client: Client, votes: pv.Votes) -> None:
    def bootstrapped() -> pv.Ranking:
        return pv.bootstrap(votes, "tally", n_resamples=300, rng=5, n_jobs=n_jobs)

    def simulated() -> Any:
        return pv.experiment(
            samplers=["balanced", "uniform"],
            methods=["tally"],
            n_items=8,
            n_voters=5,
            votes_each=[4, 8],
            repetitions=20,
            rng=5,
            n_jobs=n_jobs,
        ).to_columns()

    n_jobs = 1
    alone = bootstrapped().covariance, simulated()
    n_jobs = -1
    workers = sorted(client.scheduler_info()["workers"])
    for chosen in (workers[:1], workers):
        with joblib.parallel_config(backend="dask", workers=chosen):
            np.testing.assert_array_equal(bootstrapped().covariance, alone[0])
            assert simulated() == alone[1]
