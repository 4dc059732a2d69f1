# The compiled twin of signal_bytes.py, which is the specification.

cdef extern from "Python.h":
    ctypedef struct PyTypeObject
    object PyType_GenericAlloc(PyTypeObject*, Py_ssize_t)
    int PyUnicode_IS_ASCII(object)
    Py_ssize_t PyUnicode_GET_LENGTH(object)
    void* PyUnicode_DATA(object)
    object PyUnicode_New(Py_ssize_t, uint32_t)


cdef extern from "structmember.h":
    enum: T_OBJECT_EX
    ctypedef struct PyMemberDef:
        int type
        Py_ssize_t offset
    ctypedef struct PyMemberDescrObject:
        PyMemberDef* d_member

cdef enum:
    KNOWN_PRODUCERS = 1024
    MAX_KNOWN_PRODUCER_BYTES = 512
    CODES = 128

# The types by their codes, None where there is none.
cdef list types = [TYPE_OF_CODE.get(code) for code in range(CODES)]
cdef dict codes = {each: each.code for each in SignalType}
cdef dict known_producers = {}
cdef tuple last_producer = (b"\xc0", None)


cdef inline bint is_id(object text) noexcept:
    """Return whether a value is text of 30 ASCII characters."""
    return isinstance(text, str) and PyUnicode_GET_LENGTH(text) == ID_TEXT and PyUnicode_IS_ASCII(text)


cdef inline int put_id(Buffer* buffer, object text) except -1:
    """Append what `is_id` took."""
    need(buffer, 1 + ID_TEXT)
    buffer.at[buffer.size] = 0xBE
    memcpy(buffer.at + buffer.size + 1, PyUnicode_DATA(text), ID_TEXT)
    buffer.size += 1 + ID_TEXT
    return 0


encode_directed = signal_bytes.encode_directed


def encode_value(value):
    cdef Buffer buffer
    open_buffer(&buffer)
    try:
        if put_value(&buffer, value, MAX_DEPTH):
            return None
        return bytes_of(buffer.at, buffer.size)
    finally:
        close_buffer(&buffer)


def encode_task(bytes directed, given, double ts):
    cdef Buffer buffer
    cdef uint8_t* id_text
    open_buffer(&buffer)
    try:
        put_bytes(&buffer, <const uint8_t*> b"\x99\xa11\xbeevt_", 8)
        buffer.size += ID_DIGITS
        put_bytes(&buffer, <const uint8_t*> b"\xbetrc_", 5)
        buffer.size += ID_DIGITS
        put_bytes(&buffer, <const uint8_t*> b"\xc0\x01", 2)
        put_bytes(&buffer, octets(directed), PyBytes_GET_SIZE(directed))
        put_float(&buffer, ts)
        put_bytes(&buffer, <const uint8_t*> b"\x81\xa5input", 7)
        if put_value(&buffer, given, MAX_DEPTH):
            return None
        put_octet(&buffer, 0x80)
        id_text = buffer.at + 8
        new_id(id_text)
        memcpy(id_text + ID_DIGITS + 5, id_text, ID_DIGITS)
        return digits_as_bytes(id_text), bytes_of(buffer.at, buffer.size)
    finally:
        close_buffer(&buffer)


def encode_reply(
    uint8_t code, trace_id, parent_id, bytes producer, bytes key, value, bytes meta, double ts
):
    cdef Buffer buffer
    if not is_id(trace_id) or not is_id(parent_id):
        return None
    open_buffer(&buffer)
    try:
        put_bytes(&buffer, <const uint8_t*> b"\x99\xa11\xbeevt_", 8)
        buffer.size += ID_DIGITS
        put_id(&buffer, trace_id)
        put_id(&buffer, parent_id)
        put_octet(&buffer, code)
        put_bytes(&buffer, octets(producer), PyBytes_GET_SIZE(producer))
        put_float(&buffer, ts)
        put_octet(&buffer, 0x81)
        put_bytes(&buffer, octets(key), PyBytes_GET_SIZE(key))
        if put_value(&buffer, value, MAX_DEPTH):
            return None
        put_bytes(&buffer, octets(meta), PyBytes_GET_SIZE(meta))
        new_id(buffer.at + 8)
        return bytes_of(buffer.at, buffer.size)
    finally:
        close_buffer(&buffer)


def encode_signal(signal):
    cdef Buffer buffer
    if type(signal) is not Signal:
        return signal.encode()
    open_buffer(&buffer)
    try:
        if not put_signal(&buffer, signal):
            return bytes_of(buffer.at, buffer.size)
    finally:
        close_buffer(&buffer)
    return signal.encode()


cdef int put_signal(Buffer* buffer, object signal) except -1:
    """Write a Signal whose fields are as usual."""
    id_, trace_id, parent_id = signal.id, signal.trace_id, signal.parent_id
    code, ts, payload, meta = codes.get(signal.type), signal.ts, signal.payload, signal.meta
    if (
        not is_id(id_)
        or not is_id(trace_id)
        or not (parent_id is None or is_id(parent_id))
        or code is None
        or type(ts) is not float
        or type(payload) is not dict
        or type(meta) is not dict
        or signal.v != "1"
    ):
        return DECLINED
    put_bytes(buffer, <const uint8_t*> b"\x99\xa11", 3)
    put_id(buffer, id_)
    put_id(buffer, trace_id)
    if parent_id is None:
        put_octet(buffer, 0xC0)
    else:
        put_id(buffer, parent_id)
    put_octet(buffer, code)
    if put_directed(buffer, signal.directed):
        return DECLINED
    put_float(buffer, PyFloat_AS_DOUBLE(ts))
    # One level more than the value of a key.
    return put_map(buffer, payload, MAX_DEPTH + 1) or put_map(buffer, meta, MAX_DEPTH + 1)


cdef int put_directed(Buffer* buffer, object directed) except -1:
    if directed is None:
        return put_octet(buffer, 0xC0)
    if type(directed) is not Directed:
        return DECLINED
    put_octet(buffer, 0x93)
    return (
        put_value(buffer, directed.id, 0)
        or put_value(buffer, directed.type, 0)
        or put_value(buffer, directed.capabilities, 1)
    )


def decode_signal(body):
    if type(body) is bytes:
        try:
            return take_signal(body)
        except (Declined, UnicodeDecodeError, BadSignal):
            pass
    return signal_bytes.decode_signal(body)


cdef const uint8_t* take_id_text(Reader* reader) except NULL:
    """Take an id of 30 ASCII characters; return where they are."""
    cdef const uint8_t* at = take(reader, 1 + ID_TEXT)
    cdef uint8_t all_bits = 0
    cdef int index
    for index in range(1, 1 + ID_TEXT):
        all_bits |= at[index]
    if at[0] != 0xBE or all_bits & 0x80:
        raise Declined
    return at + 1


cdef inline object take_id(Reader* reader):
    cdef const uint8_t* at = take_id_text(reader)
    text = PyUnicode_New(ID_TEXT, 127)
    memcpy(PyUnicode_DATA(text), at, ID_TEXT)
    return text


cdef double take_float(Reader* reader) except? -1.0:
    """Take a float of 64 bits."""
    cdef uint64_t bits
    cdef double number
    if take(reader, 1)[0] != 0xCB:
        raise Declined
    bits = take_number(reader, 8)
    memcpy(&number, &bits, sizeof(number))
    return number


cdef object take_directed(Reader* reader):
    """Take a destination or a producer: the same object for the same bytes."""
    cdef const uint8_t* start = reader.at
    cdef Py_ssize_t size
    cdef bytes spelled
    global last_producer
    if left(reader) and start[0] == 0xC0:
        reader.at += 1
        return None
    # The last one comes again most of the time. An encoding ends by itself, so its bytes in front
    # of others are that value.
    spelled, known = last_producer
    size = PyBytes_GET_SIZE(spelled)
    if size <= left(reader) and memcmp(start, octets(spelled), size) == 0:
        reader.at += size
        return known
    values = take_value(reader, 2)
    size = reader.at - start
    if size > MAX_KNOWN_PRODUCER_BYTES:
        return directed_of(values)
    spelled = bytes_of(start, size)
    known = known_producers.get(spelled)
    if known is None:
        known = directed_of(values)
        if len(known_producers) >= KNOWN_PRODUCERS:
            known_producers.clear()
        known_producers[spelled] = known
    last_producer = (spelled, known)
    return known


cdef object take_signal(bytes body):
    cdef Reader reader
    cdef int code
    reader.at = octets(body)
    reader.end = reader.at + PyBytes_GET_SIZE(body)
    if memcmp(take(&reader, 3), b"\x99\xa11", 3) != 0:
        raise Declined
    id_ = take_id(&reader)
    trace_id = take_id(&reader)
    parent_id = None
    if left(&reader) and reader.at[0] == 0xC0:
        reader.at += 1
    else:
        parent_id = take_id(&reader)
    code = take(&reader, 1)[0]
    signal_type = types[code] if code < CODES else None
    if signal_type is None:
        raise Declined
    directed = take_directed(&reader)
    ts = take_float(&reader)
    payload = take_value(&reader, MAX_DEPTH + 1)
    meta = take_value(&reader, MAX_DEPTH + 1)
    if type(payload) is not dict or type(meta) is not dict or left(&reader):
        raise Declined
    return filled(signal_type, payload, directed, trace_id, parent_id, meta, id_, ts)


# A Signal is frozen and has slots: its fields are set past `__setattr__`, by where they are in it.
cdef enum:
    FIELDS = 10

cdef Py_ssize_t field_at[FIELDS]


cdef Py_ssize_t place_of(str field) except -1:
    """Return where a slot of a Signal is, in bytes from the start of the object."""
    descriptor = Signal.__dict__[field]
    cdef PyMemberDef* member
    if type(descriptor) is not MemberDescriptorType:
        raise ImportError(f"the field {field} of a Signal is no slot")
    member = (<PyMemberDescrObject*> descriptor).d_member
    if member.type != T_OBJECT_EX or member.offset <= 0:
        raise ImportError(f"the field {field} of a Signal is no slot of an object")
    return member.offset


for number, name in enumerate(
    ("type", "payload", "directed", "trace_id", "parent_id", "meta", "id", "ts", "v", "origin")
):
    field_at[number] = place_of(name)


cdef inline void set_field(object signal, int number, object value) noexcept:
    """Set a field that was never set before."""
    Py_INCREF(value)
    (<PyObject**> (<char*> <void*> signal + field_at[number]))[0] = <PyObject*> value


cdef object filled(signal_type, payload, directed, trace_id, parent_id, meta, id_, ts):
    """Return a Signal of checked values."""
    signal = PyType_GenericAlloc(<PyTypeObject*> Signal, 0)
    set_field(signal, 0, signal_type)
    set_field(signal, 1, payload)
    set_field(signal, 2, directed)
    set_field(signal, 3, trace_id)
    set_field(signal, 4, parent_id)
    set_field(signal, 5, meta)
    set_field(signal, 6, id_)
    set_field(signal, 7, ts)
    set_field(signal, 8, "1")
    set_field(signal, 9, None)
    return signal
