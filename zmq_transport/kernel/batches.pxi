# The compiled twin of batches.py, which is the specification.

cdef enum:
    SEQUENCE_AT = 16
    CALLER_AT = 24
    WORKER_AT = 40
    HEADER_BYTES = 56
    MAX_BODIES = 64


cdef list cut_bodies(const uint8_t* sizes, int count, bytes body):
    """Return `count` bodies that follow one another; None if their sizes do not add up."""
    cdef const uint8_t* at = octets(body)
    cdef uint64_t total = 0
    cdef uint32_t size
    cdef int index
    cdef list bodies = []
    for index in range(count):
        total += read_u32(sizes + 4 * index)
    if total != <uint64_t> PyBytes_GET_SIZE(body):
        return None
    for index in range(count):
        size = read_u32(sizes + 4 * index)
        bodies.append(bytes_of(at, size))
        at += size
    return bodies


def read_broadcast(header, body):
    cdef const uint8_t* p
    cdef Py_ssize_t rest
    cdef list bodies
    if type(header) is not bytes or type(body) is not bytes:
        return batches.read_broadcast(header, body)
    p = octets(header)
    rest = PyBytes_GET_SIZE(header) - HEADER_BYTES
    if rest == 0:
        bodies = [body]
    elif rest % 4 == 0 and 2 <= rest // 4 <= MAX_BODIES:
        bodies = cut_bodies(p + HEADER_BYTES, <int> (rest // 4), body)
        if bodies is None:
            return None
    else:
        return None
    return (
        bytes_of(p, ID_BYTES),
        read_u64(p + SEQUENCE_AT),
        bytes_of(p + CALLER_AT, ID_BYTES),
        bytes_of(p + WORKER_AT, ID_BYTES),
        bodies,
    )


def pack_broadcast(bytes publisher, uint64_t sequence, bytes caller, bytes worker, bodies):
    cdef Py_ssize_t count = len(bodies), total = 0, index
    cdef bytes header, body, part
    cdef uint8_t* at
    if not 1 <= count <= MAX_BODIES:
        return batches.pack_broadcast(publisher, sequence, caller, worker, bodies)
    for each in bodies:
        if type(each) is not bytes:
            return batches.pack_broadcast(publisher, sequence, caller, worker, bodies)
        total += PyBytes_GET_SIZE(each)
    header = PyBytes_FromStringAndSize(NULL, HEADER_BYTES + (4 * count if count > 1 else 0))
    at = <uint8_t*> PyBytes_AS_STRING(header)
    write_id(at, publisher)
    write_u64(at + SEQUENCE_AT, sequence)
    write_id(at + CALLER_AT, caller)
    write_id(at + WORKER_AT, worker)
    if count == 1:
        return header, bodies[0]
    at += HEADER_BYTES
    for each in bodies:
        part = each
        write_u32(at, <uint32_t> PyBytes_GET_SIZE(part))
        at += 4
    return header, b"".join(bodies)
