"""The rules of the soak for what runs beside the load: probes, metrics, traces and Prism."""

import pytest

from tools.soak.check import violations
from tools.soak.explain import RESYNC
from tools.soak.history import read


def probe(status=200, path="/readyz", name="worker-2", at=20.0, asked=""):
    facts = {"name": name, "path": path, "status": status, "took_s": 0.01, "asked": asked}
    return {"what": "probe", "who": "harness", "at": at, "text": "", **facts}


def scrape(at=20.0, name="worker-2", back=(), text="", took_s=0.01, tasks=0.0, pid=7):
    status = 0 if text else 200
    facts = {"name": name, "status": status, "took_s": took_s, "growing": 9, "back": list(back)}
    counted = {"pid": pid, "tasks": tasks, "asked_at_s": at}
    return {"what": "scrape", "who": "harness", "at": at, "text": text, **facts, **counted}


def span(own, parent=None, trace="t1", who="worker-2"):
    facts = {"trace": trace, "id": own, "parent": parent, "name": "invoke_agent work"}
    return {"what": "span", "who": who, "at": 20.0, **facts}


def prism_wrong(text="number 7 after 5", code="", at=20.0):
    return {"what": "prism_wrong", "who": "reader", "at": at, "text": text, "code": code}


def fault(kind, at=19.0, mended=21.0, target="worker-2", **hit):
    hit = {"callers": [], "workers": [], "sole": [], **hit}
    begin = {"what": "fault", "who": "harness", "at": at, "number": 1, "kind": kind}
    end = {"what": "mended", "who": "harness", "at": mended, "number": 1}
    return [{**begin, "target": target, **hit}, end]


def found(*lines):
    """Return the names of the rules that were broken."""
    flat = [each for line in lines for each in (line if isinstance(line, list) else [line])]
    quiet = {"what": "quiet", "who": "harness", "at": 22.0}  # so nobody need be served again
    return [violation.rule for violation in violations(read([*flat, quiet]), RESYNC)]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_says_yes_unless_a_fault_is_felt(path):
    assert found(probe(200, path)) == []
    assert found(probe(503, path)) == ["probe"]
    assert found(probe(0, path)) == ["probe"]
    assert found(probe(0, path), fault("worker_kill", workers=["worker-2"])) == []
    assert found(probe(0, path), fault("worker_kill", target="worker-3")) == ["probe"]
    assert found(probe(0, path, at=30.0), fault("worker_kill", workers=["worker-2"])) == ["probe"]


def test_a_worker_is_alive_though_its_link_is_cut_or_its_loop_blocked_and_need_not_be_ready():
    for kind in ("link_stall", "worker_block"):
        hit = fault(kind, workers=["worker-2"])

        assert found(probe(503), hit) == []
        assert found(probe(503, "/healthz"), hit) == ["probe"]
        assert found(probe(0), hit) == ["probe"]


def test_while_no_synapse_leads_a_worker_is_alive_and_not_ready():
    hit = fault("failover", target="synapse", callers=["caller-1"])

    assert found(probe(503), hit) == []
    assert found(probe(503, "/healthz"), hit) == ["probe"]
    assert found(probe(503, "/healthz", name="synapse"), hit) == []
    assert found(probe(0, "/healthz", name="synapse-2"), hit) == ["probe"]


def test_a_reload_keeps_nobody_from_answering():
    hit = fault("reload", target="reloaded", workers=["reloaded"])

    assert found(probe(503, name="runner"), hit) == ["probe"]
    assert found(scrape(name="runner", text="refused"), hit) == ["scrape"]


def test_a_process_that_ends_is_not_ready_and_one_that_says_so_is():
    hit = fault("rolling_restart", workers=["worker-2"])

    assert found(probe(200, asked="ending"), hit) == ["probe"]
    assert found(probe(503, asked="ending"), hit) == []
    assert found(probe(0, asked="ending"), hit) == []
    assert found(probe(503, asked="ready"), hit) == ["probe"]
    assert found(probe(200, asked="ready"), hit) == []


def test_a_scrape_that_fails_or_is_slow_without_a_fault_is_found():
    frozen = fault("worker_freeze", workers=["worker-2"])

    assert found(scrape()) == []
    assert found(scrape(text="no answer within 10 s")) == ["scrape"]
    assert found(scrape(took_s=10.1)) == ["scrape"]
    assert found(scrape(text="no answer within 10 s"), frozen) == []
    assert found(scrape(name="worker-1", text="no answer within 10 s"), frozen) == ["scrape"]


def test_a_counter_that_goes_back_is_found_but_for_a_runner_with_new_processes():
    back = ["cosmonapse_tasks_total{} from 5 to 3"]
    reload = fault("reload", at=18.0, mended=18.5, target="reloaded", workers=["reloaded"])

    assert found(scrape(back=back)) == ["went_back"]
    assert found(scrape(at=15.0, name="runner"), scrape(name="runner", back=back), reload) == []
    later = scrape(at=20.5, name="runner"), scrape(at=25.5, name="runner", back=back)
    assert found(*later, reload) == ["went_back"]


def test_a_worker_that_counts_more_or_fewer_tasks_than_it_ran_is_found():
    at_s = [10.0 + number / 20 for number in range(200)]
    start = {"what": "start", "who": "worker-2", "attempt": "evt_1"}
    ran = [{**start, "at": each, "task": f"c-{n}/child"} for n, each in enumerate(at_s)]
    first = scrape(at=10.0, tasks=5.0)

    assert found(*ran, first, scrape(tasks=205.0)) == []
    assert found(*ran, first, scrape(tasks=150.0)) == ["miscounted"]
    assert found(*ran, first, scrape(tasks=250.0)) == ["miscounted"]
    assert found(*ran, first, scrape(tasks=5.0, pid=8)) == []


def test_a_span_below_one_that_nobody_started_is_found():
    assert found(span("a"), span("b", "a", who="caller-2")) == []
    assert found(span("b", "a")) == ["orphan"]
    assert found(span("a", trace="t2"), span("b", "a")) == ["orphan"]


def test_prism_tells_one_story():
    assert found(prism_wrong()) == ["two_stories"]
    assert found(prism_wrong(), fault("link_reset")) == ["two_stories"]


def test_an_output_may_be_seen_of_a_task_that_was_lost_for_its_caller_alone_by_a_fault():
    both = prism_wrong("evt_1 ended twice: AGENT_OUTPUT and ERROR WORKER_LOST", "WORKER_LOST")
    refused = prism_wrong("evt_1 ended twice: AGENT_OUTPUT and ERROR BAD_INPUT", "BAD_INPUT")

    assert found(both) == ["two_stories"]
    assert found(both, fault("link_reset")) == []
    assert found(both, fault("reload")) == ["two_stories"]
    assert found(refused, fault("link_reset")) == ["two_stories"]


def test_what_was_on_did_something():
    on = {"what": "features", "who": "harness", "at": 1.0, "missing": []}

    assert found({**on, "names": ["keys", "standby"]}) == []
    for name in ("metrics", "traces", "prism", "reloads"):
        assert found({**on, "names": [name]}) == ["missing"]
    assert found({**on, "names": ["metrics"]}, scrape()) == []
