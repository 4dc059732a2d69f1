# The compiled twin of deadlines.py, which is the specification.

import heapq

cdef double SLOT = deadlines.SLOT_S
cdef object heappush = heapq.heappush
cdef object heappop = heapq.heappop

cdef enum:
    MIN_STALE_SLOTS = 64


cdef class Deadlines:
    cdef readonly dict _slots
    cdef readonly list _order

    def __cinit__(self):
        self._slots = {}
        self._order = []

    def __len__(self):
        return sum([len(keys) for keys in self._slots.values()])

    def set(self, key, double at_s):
        cdef double number = at_s / SLOT
        # Only what fits into 64 bits is cut off by C; infinity raises what it raises in Python.
        slot = <int64_t> number + 1 if -1e15 < number < 1e15 else int(number) + 1
        keys = self._slots.get(slot)
        if keys is None:
            self._slots[slot] = {key: None}
            heappush(self._order, slot)
        else:
            (<dict> keys)[key] = None
        return slot

    def drop(self, key, slot):
        keys = self._slots.get(slot)
        if keys is not None:
            (<dict> keys).pop(key, None)
            if not <dict> keys:
                self._remove_slot(slot)

    def due(self, double now_s):
        cdef list passed = []
        while self._order and self._order[0] * SLOT <= now_s:
            passed.extend(self._slots.pop(heappop(self._order), ()))
        return passed

    def next_at_s(self):
        while self._order and self._order[0] not in self._slots:
            heappop(self._order)
        return self._order[0] * SLOT if self._order else None

    cdef _remove_slot(self, slot):
        del self._slots[slot]
        if len(self._order) > 2 * len(self._slots) + MIN_STALE_SLOTS:
            self._order = sorted(self._slots)
