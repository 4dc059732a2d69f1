# The compiled twin of entries.py, which is the specification.

cdef enum:
    SETTLES = 1
    KEEP = 2


@cython.freelist(256)
cdef class Entry:
    cdef public bytes key, caller, task, trace, address
    cdef public object seat
    cdef public double expires_at_s
    cdef public bint keep, cancelled

    def __init__(
        self, bytes caller, bytes task, bytes trace, bytes address, seat,
        double expires_at_s, bint keep,
    ):
        self.key = caller + task
        self.caller = caller
        self.task = task
        self.trace = trace
        self.address = address
        self.seat = seat
        self.expires_at_s = expires_at_s
        self.keep = keep
        self.cancelled = False


cdef bytes key_of(const uint8_t* caller, Py_ssize_t caller_bytes, const uint8_t* task):
    """Return caller and task id together."""
    cdef bytes key = PyBytes_FromStringAndSize(NULL, caller_bytes + ID_BYTES)
    cdef uint8_t* at = <uint8_t*> PyBytes_AS_STRING(key)
    memcpy(at, caller, caller_bytes)
    memcpy(at + caller_bytes, task, ID_BYTES)
    return key


cdef inline bint is_wanted(const uint8_t* item, object kinds, object traces) except -1:
    """Return whether an item is of a subscribed kind or trace."""
    if kinds and item[KIND_AT] in kinds:
        return True
    return bool(traces) and bytes_of(item + TRACE_AT, ID_BYTES) in traces


cdef bytes passed_on(bytes head, bytes peer, Py_ssize_t end, bytes address):
    """Return the head up to `end` with another peer, and `address` behind it."""
    cdef Py_ssize_t peer_bytes = PyBytes_GET_SIZE(peer), address_bytes = PyBytes_GET_SIZE(address)
    cdef Py_ssize_t middle = end - COUNT_AT
    cdef bytes made = PyBytes_FromStringAndSize(NULL, PEER_AT + peer_bytes + middle + address_bytes)
    cdef uint8_t* at = <uint8_t*> PyBytes_AS_STRING(made)
    memcpy(at, octets(head), PEER_AT)
    memcpy(at + PEER_AT, octets(peer), peer_bytes)
    memcpy(at + PEER_AT + peer_bytes, octets(head) + COUNT_AT, middle)
    memcpy(at + PEER_AT + peer_bytes + middle, octets(address), address_bytes)
    return made


def enter_tasks(
    bytes head, int64_t body_bytes, bytes caller, seat, bytes seat_address, dict entries,
    kinds, traces, double overdue_at_s,
):
    cdef uint64_t total
    cdef int count = count_of_verb(head, TASK, &total), index
    cdef const uint8_t* p = octets(head)
    cdef const uint8_t* item
    cdef Py_ssize_t end = ITEMS_AT + ITEM_BYTES * count
    cdef list keys = []
    cdef dict held
    cdef bytes address
    cdef Entry entry
    if count == 0 or total != <uint64_t> body_bytes:
        return None
    for index in range(count):
        item = item_of(p, index)
        if read_u32(item + NUMBER_AT) == 0:
            return None
        if is_wanted(item, kinds, traces):
            return None
        key = key_of(octets(caller), PyBytes_GET_SIZE(caller), item + TASK_AT)
        if key in entries:
            return None
        keys.append(key)
    if count > 1 and len(set(keys)) != count:
        return None
    held = seat.open
    address = bytes_of(p + end, PyBytes_GET_SIZE(head) - end)
    for index in range(count):
        item = item_of(p, index)
        entry = Entry.__new__(Entry)
        entry.key = keys[index]
        entry.caller = caller
        entry.task = bytes_of(item + TASK_AT, ID_BYTES)
        entry.trace = bytes_of(item + TRACE_AT, ID_BYTES)
        entry.address = address
        entry.seat = seat
        entry.expires_at_s = overdue_at_s + read_u32(item + NUMBER_AT) / 1000.0
        entry.keep = item[FLAGS_AT] & KEEP != 0
        entry.cancelled = False
        entries[entry.key] = entry
        held[entry.key] = entry
    return passed_on(head, caller, end, seat_address)


def settle_replies(
    bytes head, int64_t body_bytes, bytes worker, peer, dict entries, kinds, traces
):
    cdef uint64_t total
    cdef int count = count_of_verb(head, REPLY, &total), index
    cdef const uint8_t* p = octets(head)
    cdef const uint8_t* item
    cdef list settled = []
    cdef set ended = None
    cdef dict held
    cdef Entry entry
    seat = None
    if count == 0 or total != <uint64_t> body_bytes:
        return None
    for index in range(count):
        item = item_of(p, index)
        key = key_of(p + PEER_AT, ID_BYTES, item + TASK_AT)
        known = entries.get(key)
        if known is None:
            return None
        entry = <Entry?> known
        if entry.cancelled or is_wanted(item, kinds, traces):
            return None
        if entry.seat is not seat:
            if seat is not None or entry.seat.peer is not peer:
                return None
            seat = entry.seat
        if settled:
            if ended is None:
                ended = set(settled)
            if key in ended:
                return None
        if item[FLAGS_AT] & SETTLES:
            settled.append(key)
            if ended is not None:
                ended.add(key)
    if seat is None:
        return None
    held = seat.open
    for key in settled:
        del entries[key]
        del held[key]
    return passed_on(head, worker, PyBytes_GET_SIZE(head), b""), seat, len(settled)
