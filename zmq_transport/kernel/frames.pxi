# The compiled twin of frames.py, which is the specification.

cdef enum:
    MORE = 1
    LONG = 2
    COMMAND = 4
    SHORT_MAX = 255
    MAX_COMMAND_BYTES = 8 * 1024


cdef inline Py_ssize_t framed_bytes(Py_ssize_t size) noexcept:
    """Return how long a frame with a body of `size` bytes is."""
    return size + (2 if size <= SHORT_MAX else 9)


cdef inline uint8_t* write_frame(uint8_t* at, int flags, bytes body) noexcept:
    """Write a frame into `framed_bytes` bytes; return where it ends."""
    cdef Py_ssize_t size = PyBytes_GET_SIZE(body)
    if size <= SHORT_MAX:
        at[0] = <uint8_t> flags
        at[1] = <uint8_t> size
        at += 2
    else:
        at[0] = <uint8_t> (flags | LONG)
        write_u64(at + 1, <uint64_t> size)
        at += 9
    memcpy(at, octets(body), size)
    return at + size


def encode_message(bytes head, bytes body):
    cdef Py_ssize_t size = (
        framed_bytes(PyBytes_GET_SIZE(head)) + framed_bytes(PyBytes_GET_SIZE(body))
    )
    cdef bytes message = PyBytes_FromStringAndSize(NULL, size)
    cdef uint8_t* at = <uint8_t*> PyBytes_AS_STRING(message)
    write_frame(write_frame(at, MORE, head), 0, body)
    return message


def decode_frames(
    bytes data,
    Py_ssize_t start,
    list frames,
    Py_ssize_t max_frames,
    int64_t max_bytes,
    list messages,
    list commands,
):
    cdef const uint8_t* p = octets(data)
    cdef Py_ssize_t at = start, end = PyBytes_GET_SIZE(data), begin
    cdef uint64_t size
    cdef int64_t open_bytes = 0
    cdef int flags
    cdef bytes frame
    for each in frames:
        open_bytes += len(each)
    while at >= 0 and end - at >= 2:
        flags = p[at]
        if flags & LONG:
            begin = at + 9
            if begin > end:
                break
            size = read_u64(p + at + 1)
        else:
            begin = at + 2
            size = p[at + 1]
        if size > <uint64_t> (end - begin):
            break
        if flags & COMMAND:
            if flags & MORE or size > MAX_COMMAND_BYTES:
                break
            commands.append(bytes_of(p + begin, size))
            return begin + <Py_ssize_t> size
        if open_bytes + <int64_t> size > max_bytes or len(frames) + (flags & MORE) >= max_frames:
            break
        if flags & MORE:
            frames.append(bytes_of(p + begin, size))
            open_bytes += size
        else:
            frame = bytes_of(p + begin, size)
            if len(frames) == 1:
                messages.append((frames[0], frame))
                frames.clear()
            elif frames:
                messages.append((*frames, frame))
                frames.clear()
            else:
                messages.append((frame,))
            open_bytes = 0
        at = begin + <Py_ssize_t> size
    return at
