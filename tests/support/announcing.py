"""Announces what is not there: `python announcing.py OWN_ADDRESS JSON`.

The JSON is a list of `{instance, addresses, port, texts}`. It prints `announced`, and withdraws
nothing when it is killed, or when its stdin ends.
"""

import json
import os
import sys

from zeroconf import ServiceInfo, Zeroconf

from cosmonapse.lan.lan_record import SERVICE

own, listed = sys.argv[1:]
zeroconf = Zeroconf(interfaces=[own])
for number, each in enumerate(json.loads(listed)):
    zeroconf.register_service(
        ServiceInfo(
            SERVICE,
            f"{each['instance']}.{SERVICE}",
            port=each["port"],
            properties=each["texts"],
            server=f"stale-{number}.local.",
            parsed_addresses=each["addresses"],
        ),
        cooperating_responders=True,
    )
sys.stdout.write("announced\n")
sys.stdout.flush()
sys.stdin.read()
os._exit(0)
