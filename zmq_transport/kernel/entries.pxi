# The compiled twin of entries.py, which is the specification.

cdef enum:
    SETTLES = 1
    KEEP = 2
    MAX_TTL_MS = 86400000


cdef int64_t made_count = 0


cdef inline int64_t next_number() noexcept:
    global made_count
    made_count += 1
    return made_count


@cython.freelist(256)
cdef class Entry:
    cdef public bytes caller, task, trace, address
    cdef public object seat
    cdef public double expires_at_s
    cdef public int64_t body_bytes, ttl_ms, number
    cdef public bint keep, cancelled

    def __init__(
        self, bytes caller, bytes task, bytes trace, bytes address, seat,
        double expires_at_s, bint keep, int64_t body_bytes, int64_t ttl_ms,
    ):
        self.caller = caller
        self.task = task
        self.trace = trace
        self.address = address
        self.seat = seat
        self.expires_at_s = expires_at_s
        self.keep = keep
        self.body_bytes = body_bytes
        self.ttl_ms = ttl_ms
        self.number = next_number()
        self.cancelled = False


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
    cdef list tasks = []
    cdef dict held
    cdef bytes address, task
    cdef uint32_t ttl_ms
    cdef Entry entry
    if count == 0 or total != <uint64_t> body_bytes:
        return None
    for index in range(count):
        item = item_of(p, index)
        ttl_ms = read_u32(item + NUMBER_AT)
        if ttl_ms == 0 or ttl_ms > MAX_TTL_MS:
            return None
        if is_wanted(item, kinds, traces):
            return None
        task = bytes_of(item + TASK_AT, ID_BYTES)
        if task in entries:
            return None
        tasks.append(task)
    if count > 1 and len(set(tasks)) != count:
        return None
    held = seat.open
    address = bytes_of(p + end, PyBytes_GET_SIZE(head) - end)
    for index in range(count):
        item = item_of(p, index)
        entry = Entry.__new__(Entry)
        entry.caller = caller
        entry.task = tasks[index]
        entry.trace = bytes_of(item + TRACE_AT, ID_BYTES)
        entry.address = address
        entry.seat = seat
        entry.ttl_ms = read_u32(item + NUMBER_AT)
        entry.number = next_number()
        entry.expires_at_s = overdue_at_s + entry.ttl_ms / 1000.0
        entry.keep = item[FLAGS_AT] & KEEP != 0
        entry.body_bytes = read_u32(item + SIZE_AT)
        entry.cancelled = False
        entries[entry.task] = entry
        held[entry] = None
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
    cdef int64_t ended_bytes = 0
    cdef Entry entry
    seat = None
    if count == 0 or total != <uint64_t> body_bytes:
        return None
    for index in range(count):
        item = item_of(p, index)
        known = entries.get(bytes_of(item + TASK_AT, ID_BYTES))
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
            if entry in ended:
                return None
        if item[FLAGS_AT] & SETTLES:
            settled.append(entry)
            if ended is not None:
                ended.add(entry)
    if seat is None:
        return None
    held = seat.open
    for entry in settled:
        del entries[entry.task]
        del held[entry]
        ended_bytes += entry.body_bytes
    return passed_on(head, worker, PyBytes_GET_SIZE(head), b""), seat, len(settled), ended_bytes
