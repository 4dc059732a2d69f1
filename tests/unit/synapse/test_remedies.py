"""What to do when no Synapse is reached: each remedy names the hosts and ports it is about."""

import pytest

from cosmonapse import synapse_from_url
from zmq_transport import Cause

LIST = "cosmo://10.0.0.1:7070,10.0.0.2:7171"


@pytest.mark.parametrize("cause", Cause)
def test_each_cause_has_a_remedy_for_a_place_and_for_a_list(cause):
    for url in ("cosmo://10.0.0.1:7070", LIST):
        remedy = synapse_from_url(url).where.hint(cause)

        assert remedy
        assert "{" not in remedy


def test_where_nobody_listens_the_first_of_a_list_is_told_of_the_others():
    remedy = synapse_from_url(LIST).where.hint(Cause.NOBODY)

    assert (
        "on 10.0.0.1 run 'cosmo synapse start --keys --host 10.0.0.1 --port 7070 "
        "--peer cosmo://10.0.0.2:7171', on the others likewise"
    ) in remedy


def test_every_host_of_a_list_is_to_be_checked():
    remedy = synapse_from_url(LIST).where.hint(Cause.NO_ANSWER)

    assert "check that 10.0.0.1 or 10.0.0.2 is on" in remedy
