# cython: language_level=3, binding=False, allow_none_for_extension_args=False
# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The compiled twins of the modules beside; those are the specification.

Nothing here keeps memory between two calls: several threads may run it, each on objects of its own.
What is special is left to the twin, and decided by the rules of the twin alone.
"""

cimport cython

from . import batches

cdef extern from *:
    """
    #ifndef COSMO_SOURCES
    #define COSMO_SOURCES 0
    #endif
    """
    const unsigned long long COSMO_SOURCES

SOURCES = COSMO_SOURCES  # of setup.py; see zmq_transport.kernel_sources

include "octets.pxi"
include "buffer.pxi"
include "frames.pxi"
include "items.pxi"
include "entries.pxi"
include "batches.pxi"
