# cython: language_level=3, binding=False, allow_none_for_extension_args=False
# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The compiled twins of the modules beside; those are the specification.

Nothing here keeps memory between two calls: several threads may run it, each on objects of its own.
A function whose input is special returns what its twin returns, or raises what it raises.
"""

include "octets.pxi"
include "frames.pxi"
