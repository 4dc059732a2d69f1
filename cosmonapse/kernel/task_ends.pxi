# The compiled twin of task_ends.py, which is the specification.

from collections import Counter

cdef object OUTPUT_TYPE = SignalType.AGENT_OUTPUT
cdef tuple DEFAULT_BOUNDS = task_ends.SECONDS

cdef enum:
    MAX_BOUNDS = 31


cdef class Histogram:
    cdef readonly tuple bounds
    cdef public double total
    cdef int _size
    cdef double _bounds[MAX_BOUNDS]
    cdef int64_t _counts[MAX_BOUNDS + 1]

    def __init__(self, bounds=DEFAULT_BOUNDS):
        if len(bounds) > MAX_BOUNDS:
            raise ValueError(f"a histogram has at most {MAX_BOUNDS} bounds, not {len(bounds)}")
        self.bounds = tuple([float(each) for each in bounds])
        self.total = 0.0
        self._size = len(self.bounds)
        for place in range(self._size):
            self._bounds[place] = self.bounds[place]
            self._counts[place] = 0
        self._counts[self._size] = 0

    cpdef add(self, double value):
        cdef int place = 0
        while place < self._size and value > self._bounds[place]:
            place += 1
        self._counts[place] += 1
        self.total += value

    def counts(self):
        return [self._counts[place] for place in range(self._size + 1)]

    def cumulative(self):
        cdef int64_t count = 0
        cdef list found = []
        for place in range(self._size + 1):
            count += self._counts[place]
            found.append(count)
        return found

    def merge(self, other):
        if self.bounds != other.bounds:
            raise ValueError("only histograms with the same bounds can be merged")
        for place, count in enumerate(other.counts()):
            self._counts[place] += count
        self.total += other.total

    @property
    def count(self):
        return sum(self.counts())


cdef class Ends:
    cdef public int64_t ok
    cdef readonly object others
    cdef readonly Histogram took
    cdef readonly Histogram waited
    cdef readonly Histogram first

    def __init__(self):
        self.ok = 0
        self.others = Counter()
        self.took = Histogram()
        self.waited = Histogram()
        self.first = Histogram()


cdef class TaskEnds:
    cdef readonly dict neurons
    cdef readonly dict addresses
    cdef object _now_s
    cdef object _ended
    cdef object _settled

    def __init__(self, now_s, ended, settled):
        self._now_s = now_s
        self._ended = ended
        self._settled = settled
        self.neurons = {}
        self.addresses = {}

    def on_end(self, job, signal_type, payload):
        started_at_s = job.started_at_s
        found = self.neurons.get(job.slots.axon.neuron_id)
        if found is None or signal_type is not OUTPUT_TYPE or started_at_s is None:
            self._ended(job, signal_type, payload)
            return
        cdef Ends ends = <Ends?> found
        cdef double started_s = started_at_s
        ends.ok += 1
        ends.took.add(<double> self._now_s() - started_s)
        ends.waited.add(started_s - <double> job.arrived_at_s)

    def on_settled(self, opened, signal):
        found = self.addresses.get(opened.address)
        if found is None or type(signal) is str or signal.type is not OUTPUT_TYPE:
            self._settled(opened, signal)
            return
        cdef Ends ends = <Ends?> found
        ends.ok += 1
        ends.took.add(
            <double> self._now_s() - <double> opened.expires_at_s + <double> opened.timeout_s
        )
