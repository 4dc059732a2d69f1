# The compiled twin of items.py, which is the specification.

cdef enum:
    TASK = 10
    REPLY = 11
    MAX_ITEMS = 64
    MAX_GATHERED_ITEMS = 63
    MAX_GATHERED_BYTES = 256 * 1024
    VERSION = 1
    PEER_AT = 2
    COUNT_AT = 18
    ITEMS_AT = 19
    # within an item
    FLAGS_AT = 1
    KIND_AT = 2
    NUMBER_AT = 3
    TASK_AT = 7
    TRACE_AT = 23
    SIZE_AT = 39
    ITEM_BYTES = 43
    ID_BYTES = 16


cdef inline const uint8_t* item_of(const uint8_t* head, int index) noexcept:
    """Return where an item of a valid head is."""
    return head + ITEMS_AT + ITEM_BYTES * index


cdef int count_of(bytes head) noexcept:
    """Return how many items a head has; 0 if it is invalid."""
    cdef const uint8_t* p = octets(head)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(head)
    if size < ITEMS_AT + ITEM_BYTES or p[0] != VERSION or p[COUNT_AT] > MAX_ITEMS:
        return 0
    return p[COUNT_AT] if size >= ITEMS_AT + ITEM_BYTES * p[COUNT_AT] else 0


cdef int count_of_verb(bytes head, int verb, uint64_t* body_bytes) noexcept:
    """Return how many items a head has, and the length of their body; 0 if one has another verb."""
    cdef int count = count_of(head), index
    cdef const uint8_t* item
    body_bytes[0] = 0
    for index in range(count):
        item = item_of(octets(head), index)
        if item[0] != verb:
            return 0
        body_bytes[0] += read_u32(item + SIZE_AT)
    return count


def read_target(bytes head):
    cdef int count = count_of(head)
    cdef const uint8_t* p = octets(head)
    cdef Py_ssize_t end = ITEMS_AT + ITEM_BYTES * count
    if count == 0:
        return None
    return (
        p[ITEMS_AT],
        bytes_of(p + PEER_AT, ID_BYTES),
        bytes_of(p + end, PyBytes_GET_SIZE(head) - end),
    )


def split_items(bytes head, bytes body):
    cdef const uint8_t* p = octets(head)
    cdef const uint8_t* content = octets(body)
    cdef const uint8_t* item
    cdef uint64_t body_bytes
    cdef Py_ssize_t end = PyBytes_GET_SIZE(head), size
    cdef int verb, count, index
    cdef list items
    verb = p[ITEMS_AT] if end > ITEMS_AT else 0
    if verb != TASK and verb != REPLY:
        return None
    count = count_of_verb(head, verb, &body_bytes)
    if count == 0 or body_bytes != <uint64_t> PyBytes_GET_SIZE(body):
        return None
    items = []
    for index in range(count):
        item = item_of(p, index)
        size = read_u32(item + SIZE_AT)
        items.append((
            bytes_of(item + TASK_AT, ID_BYTES),
            bytes_of(item + TRACE_AT, ID_BYTES),
            item[KIND_AT],
            read_u32(item + NUMBER_AT),
            item[FLAGS_AT],
            body if size == PyBytes_GET_SIZE(body) else bytes_of(content, size),
        ))
        content += size
    item = item_of(p, count)
    return verb, bytes_of(p + PEER_AT, ID_BYTES), bytes_of(item, p + end - item), items


cdef void write_id(uint8_t* at, bytes id_) noexcept:
    """Write 16 bytes; an id of another length as `struct` does, cut off or filled up."""
    cdef Py_ssize_t size = PyBytes_GET_SIZE(id_)
    if size < ID_BYTES:
        memset(at, 0, ID_BYTES)
    memcpy(at, octets(id_), size if size < ID_BYTES else ID_BYTES)


cdef void write_item(
    uint8_t* at, uint8_t verb, uint8_t flags, uint8_t kind, uint32_t number,
    bytes task, bytes trace, uint32_t size,
) noexcept:
    """Write an item into 43 bytes."""
    at[0] = verb
    at[FLAGS_AT] = flags
    at[KIND_AT] = kind
    write_u32(at + NUMBER_AT, number)
    write_id(at + TASK_AT, task)
    write_id(at + TRACE_AT, trace)
    write_u32(at + SIZE_AT, size)


def pack_single(
    uint8_t verb, uint8_t flags, uint8_t kind, uint32_t number,
    bytes task, bytes trace, bytes peer, bytes address, uint32_t size,
):
    cdef Py_ssize_t address_bytes = PyBytes_GET_SIZE(address)
    cdef bytes head = PyBytes_FromStringAndSize(NULL, ITEMS_AT + ITEM_BYTES + address_bytes)
    cdef uint8_t* at = <uint8_t*> PyBytes_AS_STRING(head)
    at[0] = VERSION
    at[1] = 0
    write_id(at + PEER_AT, peer)
    at[COUNT_AT] = 1
    write_item(at + ITEMS_AT, verb, flags, kind, number, task, trace, size)
    memcpy(at + ITEMS_AT + ITEM_BYTES, octets(address), address_bytes)
    return head


@cython.final
cdef class Gathered:
    """The items for one target, and their bodies; a lone body as it came."""

    cdef uint8_t verb
    cdef bytes peer, address, lone
    cdef int count
    cdef Py_ssize_t body_bytes
    cdef Buffer items, bodies

    def __cinit__(self, verb, bytes peer, bytes address):
        self.verb = verb
        self.peer = peer
        self.address = address
        self.lone = b""
        self.count = 0
        self.body_bytes = 0
        open_buffer(&self.items)
        open_buffer(&self.bodies)

    def __dealloc__(self):
        close_buffer(&self.items)
        close_buffer(&self.bodies)

    cdef bint is_for(self, uint8_t verb, bytes peer, bytes address):
        return verb == self.verb and peer == self.peer and address == self.address

    cdef int add(
        self, uint8_t flags, uint8_t kind, uint32_t number, bytes task, bytes trace, bytes body
    ) except -1:
        cdef Py_ssize_t size = PyBytes_GET_SIZE(body)
        need(&self.items, ITEM_BYTES)
        if self.count == 0:
            self.lone = body
        else:
            need(&self.bodies, self.body_bytes + size)  # all that may fail is behind us then
            if self.count == 1:
                put_bytes(&self.bodies, octets(self.lone), self.body_bytes)
            put_bytes(&self.bodies, octets(body), size)
        write_item(
            self.items.at + self.items.size,
            self.verb, flags, kind, number, task, trace, <uint32_t> size,
        )
        self.items.size += ITEM_BYTES
        self.body_bytes += size
        self.count += 1
        return 0

    cdef tuple message(self):
        """Return head and body, and begin anew."""
        cdef Py_ssize_t peer_bytes = PyBytes_GET_SIZE(self.peer)
        cdef Py_ssize_t address_bytes = PyBytes_GET_SIZE(self.address)
        cdef bytes head = PyBytes_FromStringAndSize(
            NULL, 3 + peer_bytes + self.items.size + address_bytes
        )
        cdef uint8_t* at = <uint8_t*> PyBytes_AS_STRING(head)
        at[0] = VERSION
        at[1] = 0
        memcpy(at + PEER_AT, octets(self.peer), peer_bytes)
        at += PEER_AT + peer_bytes
        at[0] = <uint8_t> self.count
        memcpy(at + 1, self.items.at, self.items.size)
        memcpy(at + 1 + self.items.size, octets(self.address), address_bytes)
        message = (
            head, self.lone if self.count == 1 else bytes_of(self.bodies.at, self.bodies.size)
        )
        self.count = 0
        self.body_bytes = 0
        self.lone = b""
        self.items.size = 0
        self.bodies.size = 0
        return message


cdef class Outgoing:
    cdef readonly Py_ssize_t count
    cdef list full
    cdef dict open
    cdef Gathered last

    def __cinit__(self):
        self.count = 0
        self.full = []
        self.open = {}
        self.last = None

    def add(
        self, uint8_t verb, uint8_t flags, uint8_t kind, uint32_t number,
        bytes task, bytes trace, bytes peer, bytes address, bytes body,
    ):
        cdef Gathered gathered = self.last
        if gathered is None or not gathered.is_for(verb, peer, address):
            target = (verb, peer, address)
            gathered = self.open.get(target)
            if gathered is None:
                gathered = Gathered.__new__(Gathered, verb, peer, address)
                self.open[target] = gathered
            self.last = gathered
        if (
            gathered.count == MAX_GATHERED_ITEMS
            or gathered.body_bytes + PyBytes_GET_SIZE(body) > MAX_GATHERED_BYTES
        ):
            self.full.append(gathered.message())
        gathered.add(flags, kind, number, task, trace, body)
        self.count += 1

    def take(self):
        cdef list messages = self.full
        cdef dict targets = self.open
        self.full, self.open, self.last, self.count = [], {}, None, 0
        for gathered in targets.values():
            messages.append((<Gathered> gathered).message())
        return messages
