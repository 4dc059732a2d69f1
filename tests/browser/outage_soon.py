"""`cosmo demo --scene` whose Synapse dies after 15 s, not after 45: nothing else is waited for."""

import attrs

from cosmonapse.cli import main
from cosmonapse.demo import scene_script

AT_S = 15.0

scene_script.STEPS = tuple(
    attrs.evolve(step, at_s=min(step.at_s, AT_S)) for step in scene_script.STEPS
)
main()
