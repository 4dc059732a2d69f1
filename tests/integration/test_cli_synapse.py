"""`cosmo synapse start`: the URLs that it prints can be typed elsewhere."""

import signal

import pytest

from support.processes import free_ports


def test_each_url_for_others_of_a_synapse_on_every_interface_leads_to_it(children):
    synapse, _ = children.synapse("--host", "0.0.0.0", "--insecure", port=(port := free_ports()))
    assert "INSECURE: whoever reaches this port" in synapse.line("  who  ").text

    found = [each for each in synapse.lines("  for others  ", 1) if each.startswith("cosmo://")]

    assert all(each.endswith(f":{port}") and "0.0.0.0" not in each for each in found)
    for url in found:
        assert children.cosmo("registry", "--url", url).wait() == 0


def test_a_synapse_on_one_interface_prints_no_other_url(children):
    synapse, url = children.synapse()
    synapse.line(f"  connect     await connect_synapse('{url}')")

    synapse.send(signal.SIGTERM)

    assert synapse.wait() == 0
    assert "for others" not in synapse.said


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address_may_stand_in_brackets_as_in_a_url(children, host):
    child = children.cosmo("synapse", "start", "--host", host, "--port", 0)

    assert child.line("Synapse listening on").text.startswith("cosmo://[::1]:")
    child.send(signal.SIGINT)
    assert child.wait() == 130
    assert child.line("  who  ").text == "every program on this machine"


def test_a_synapse_with_a_peer_says_so_and_tells_when_it_leads(children):
    port, other = free_ports(), free_ports()
    peer = f"cosmo://127.0.0.1:{other}"
    synapse, url = children.synapse("--peer", peer, port=port)

    assert synapse.line("  role  ").text == f"standby of {peer}"
    synapse.line(f"  connect     await connect_synapse('{url},127.0.0.1:{other}')")
    assert children.cosmo("registry", "--url", url).wait() == 0
    # Quiet is said of Signals; who leads is told all the same.
    assert synapse.says("ROLE                 this Synapse leads from now on (term 1)")
    assert synapse.says(f"WARNING              this Synapse has no standby: {peer} is not running")


def test_a_peer_that_is_the_synapse_itself_is_a_mistake(children):
    synapse = children.cosmo("synapse", "start", "--port", 7070, "--peer", "cosmo://127.0.0.1")

    assert synapse.wait() == 2
    assert "it is this Synapse itself; name the others" in synapse.said
