# cython: language_level=3, binding=False, allow_none_for_extension_args=False
# cython: boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The compiled twin of the modules beside; those are the specification.

A function declines, and leaves to its twin, whatever is not as usual. What is kept between two
calls is complete at any moment at which code of Python may run, in this thread or in another.
"""

from types import MemberDescriptorType

from ..errors import BadSignal
from ..ids import lease
from ..runtime.clock import after_fork
from ..signals import TYPE_OF_CODE, Directed, Signal, SignalType, directed_of
from . import deadlines, runs, signal_bytes, task_ends

cdef extern from *:
    """
    #ifndef COSMO_SOURCES
    #define COSMO_SOURCES 0
    #endif
    """
    const unsigned long long COSMO_SOURCES

SOURCES = COSMO_SOURCES  # of setup.py; see zmq_transport.kernel_sources

include "../../zmq_transport/kernel/octets.pxi"
include "../../zmq_transport/kernel/buffer.pxi"
include "values.pxi"
include "ids.pxi"
include "signal_bytes.pxi"
include "runs.pxi"
include "deadlines.pxi"
include "task_ends.pxi"
