"""Ratios of CPU time are taken within a round, so that a slow minute hits both alike."""

import os
import time

import pytest

from tools.bench.javascript import Cost, cpu_s, ratios_within_rounds


def test_each_round_has_a_ratio_of_its_own():
    ours = [Cost(100, (10, 5, 5)), Cost(10, (100, 50, 50))]
    theirs = [Cost(50, (20, 10, 10)), Cost(5, (200, 50, 50))]

    assert ratios_within_rounds(ours, theirs) == [2.0, 1.5]
    assert ratios_within_rounds(ours, []) == []


def test_the_cpu_time_of_a_process_grows_with_its_work_and_not_with_time():
    before_s, process_s = cpu_s(os.getpid()), time.process_time()
    while time.process_time() - process_s < 0.1:
        sum(range(10_000))

    assert cpu_s(os.getpid()) - before_s == pytest.approx(0.1, rel=0.3)
