# The compiled twin of runs.py, which is the specification.

cdef enum:
    MAX_RUN_TEXTS = 128
    THOUGHT_CODE = 10

cdef const uint8_t* DELTA = b"\x82\xa5delta"
cdef const uint8_t* SEQ = b"\xa3seq"
cdef uint64_t MAX_SEQ = 1 << 53
cdef object THOUGHT_DELTA = SignalType.THOUGHT_DELTA


def encode_thoughts(id_, trace_id, parent_id, bytes producer, double ts, seq, list texts):
    cdef Buffer buffer
    if is_id(id_) and is_id(trace_id) and is_id(parent_id) and texts and type(seq) is int:
        open_buffer(&buffer)
        try:
            if not put_thoughts(&buffer, id_, trace_id, parent_id, producer, ts, seq, texts):
                return bytes_of(buffer.at, buffer.size)
        finally:
            close_buffer(&buffer)
    return runs.encode_thoughts(id_, trace_id, parent_id, producer, ts, seq, texts)


cdef int put_thoughts(
    Buffer* buffer, id_, trace_id, parent_id, bytes producer, double ts, seq, list texts
) except -1:
    cdef Py_ssize_t count = PyList_GET_SIZE(texts), index
    put_bytes(buffer, <const uint8_t*> (b"\x9a\xa11" if count > 1 else b"\x99\xa11"), 3)
    put_id(buffer, id_)
    put_id(buffer, trace_id)
    put_id(buffer, parent_id)
    put_octet(buffer, THOUGHT_CODE)
    put_bytes(buffer, octets(producer), PyBytes_GET_SIZE(producer))
    put_float(buffer, ts)
    put_bytes(buffer, DELTA, 7)
    for index in range(count):
        text = texts[index]
        if type(text) is not str or put_text(buffer, text):
            return DECLINED
        if index == 0:
            put_bytes(buffer, SEQ, 4)
            if put_int(buffer, seq):
                return DECLINED
            put_octet(buffer, 0x80)
            if count > 1:
                put_size(buffer, 0x90, 16, 0xDC, <uint64_t> (count - 1))
    return 0


cdef struct Thought:
    # What is read of a THOUGHT_DELTA, and where its ids are.
    const uint8_t* id_text
    const uint8_t* trace_text
    const uint8_t* parent_text  # NULL for nil
    uint64_t seq
    double ts


cdef inline object id_of(const uint8_t* at):
    """Return the text of 30 ASCII characters."""
    text = PyUnicode_New(ID_TEXT, 127)
    memcpy(PyUnicode_DATA(text), at, ID_TEXT)
    return text


cdef tuple take_thought(Reader* reader, Thought* thought, int fields):
    """Take nine fields of a THOUGHT_DELTA with the payload of a run's first.

    Returns:
        Its producer and its text.
    """
    cdef const uint8_t* at
    if take(reader, 1)[0] != 0x90 + fields or memcmp(take(reader, 2), b"\xa11", 2) != 0:
        raise Declined
    thought.id_text = take_id_text(reader)
    thought.trace_text = take_id_text(reader)
    thought.parent_text = NULL
    if left(reader) and reader.at[0] == 0xC0:
        reader.at += 1
    else:
        thought.parent_text = take_id_text(reader)
    if take(reader, 1)[0] != THOUGHT_CODE:
        raise Declined
    directed = take_directed(reader)
    thought.ts = take_float(reader)
    if memcmp(take(reader, 7), DELTA, 7) != 0:
        raise Declined
    text = take_value(reader, 0)
    if type(text) is not str or memcmp(take(reader, 4), SEQ, 4) != 0:
        raise Declined
    thought.seq = take_seq(reader)
    if take(reader, 1)[0] != 0x80:
        raise Declined
    return directed, text


cdef uint64_t take_seq(Reader* reader) except? 0xFFFFFFFFFFFFFFFF:
    """Take a number from 0 to 2^53 - 1."""
    cdef uint8_t code = take(reader, 1)[0]
    cdef uint64_t seq = code
    if code >= 0x80:
        if code < 0xCC or code > 0xCF:
            raise Declined
        seq = take_number(reader, 1 << (code - 0xCC))
    if seq >= MAX_SEQ:
        raise Declined
    return seq


cdef list take_texts(Reader* reader, object first):
    """Take the further texts of a run up to the end of the bytes; return them behind the first."""
    cdef uint8_t code = take(reader, 1)[0]
    cdef uint64_t count
    cdef list texts = [first]
    if 0x90 <= code <= 0x9F:
        count = code & 15
    elif code == 0xDC:
        count = take_number(reader, 2)
    else:
        raise Declined
    if not 0 < count < MAX_RUN_TEXTS:
        raise Declined
    for _ in range(count):
        text = take_value(reader, 0)
        if type(text) is not str:
            raise Declined
        texts.append(text)
    if left(reader):
        raise Declined
    return texts


cdef int check_id(const uint8_t* text) except -1:
    """Decline an id that is not spelled as ids are."""
    cdef int index
    cdef uint8_t digit
    if text[3] != c"_" or text[4] > c"7":
        raise Declined
    for index in range(4, ID_TEXT):
        digit = text[index]
        if not (c"0" <= digit <= c"9" or c"a" <= digit <= c"v"):
            raise Declined
    return 0


cdef inline Reader reader_of(bytes body) noexcept:
    """Return a reader of bytes that live as long as `body` does."""
    cdef Reader reader
    reader.at = octets(body)
    reader.end = reader.at + PyBytes_GET_SIZE(body)
    return reader


def thought_text(body):
    cdef Reader reader
    cdef Thought thought
    if type(body) is bytes:
        reader = reader_of(body)
        try:
            _, text = take_thought(&reader, &thought, 9)
            if not left(&reader):
                return text
        except (Declined, UnicodeDecodeError, BadSignal):
            pass
    return runs.thought_text(body)


def run_texts(body):
    cdef Reader reader
    cdef Thought thought
    if type(body) is bytes:
        reader = reader_of(body)
        try:
            _, text = take_thought(&reader, &thought, 10)
            check_id(thought.id_text)
            return take_texts(&reader, text)
        except (Declined, UnicodeDecodeError, BadSignal):
            pass
    return runs.run_texts(body)


def run_signals(body):
    if type(body) is bytes:
        try:
            return take_run(body)
        except (Declined, UnicodeDecodeError, BadSignal):
            pass
    return runs.run_signals(body)


def heard_signals(body):
    if type(body) is bytes and PyBytes_GET_SIZE(body):
        try:
            if octets(body)[0] == 0x99:
                return [take_signal(body)]
            if octets(body)[0] == 0x9A:
                return take_run(body)
        except (Declined, UnicodeDecodeError, BadSignal):
            pass
    return runs.heard_signals(body)


cdef list take_run(bytes body):
    """Return the Signals of a run."""
    cdef Reader reader = reader_of(body)
    cdef Thought thought
    cdef uint8_t id_text[ID_TEXT]
    cdef list signals = []
    cdef int k = 0
    directed, first = take_thought(&reader, &thought, 10)
    check_id(thought.id_text)
    trace_id = id_of(thought.trace_text)
    parent_id = id_of(thought.parent_text) if thought.parent_text != NULL else None
    ts = thought.ts
    for text in take_texts(&reader, first):
        write_id_after(thought.id_text, k, id_text)
        payload = {"delta": text, "seq": thought.seq + k}
        signals.append(
            filled(THOUGHT_DELTA, payload, directed, trace_id, parent_id, {}, id_of(id_text), ts)
        )
        k += 1
    return signals


def thought(id_, trace_id, parent_id, directed, ts, seq, text):
    payload = {"delta": text, "seq": seq}
    return filled(THOUGHT_DELTA, payload, directed, trace_id, parent_id, {}, id_, ts)
