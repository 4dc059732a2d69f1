"""A Dendrite that is written in JavaScript, behind the methods of ours; its Neurons run here."""

import asyncio
import functools
import inspect
import itertools

from cosmonapse import NeuronError, Question, SignalType

from .transport import ms

_OPTIONS = {
    "neuron": "neuron",
    "capabilities": "capabilities",
    "input": "input",
    "trace_id": "traceId",
    "parent_id": "parentId",
    "meta": "meta",
    "finalize": "finalize",
    "context_ref": "contextRef",
    "keep": "keep",
}
_TYPE_OF_VERB = {
    "on_task_signal": "TASK",
    "on_error_signal": "ERROR",
    "on_register_signal": "REGISTER",
    "on_heartbeat_signal": "HEARTBEAT",
    "on_deregister_signal": "DEREGISTER",
}


class JsDendrite:
    """See `cosmonapse.Dendrite`. It beats as often as its Synapse asks for.

    Args:
        synapse: A `JsSynapse`, or one who holds it as `inner` and learns of this as `made`.
    """

    def __init__(self, *, synapse, namespace, dendrite_id="dendrite", heartbeat_s=None):
        self.synapse = getattr(synapse, "inner", synapse)
        synapse.made = self
        self._channel = self.synapse.channel
        self._handle = self._channel.new_handle(self)
        self._numbers = itertools.count(1)
        self._handlers, self._axons, self._jobs = {}, {}, {}
        options = {"namespace": namespace, "dendriteId": dendrite_id}
        self._channel.call(0, "dendrite", self._handle, self.synapse.handle, options)

    async def _call(self, name, *arguments):
        return await self._channel.begin(self._handle, "call", name, *arguments)

    # -- life ------------------------------------------------------------------------------------

    @property
    def counts(self):
        return self._channel.call(self._handle, "get", "counts")

    async def start(self, timeout_s=5.0):
        await self._call("start", {"timeoutMs": ms(timeout_s)})

    async def stop(self, reason=None, *, drain_s=10.0):
        if self._channel.is_killed:
            return
        named = {} if reason is None else {"reason": reason}
        await self._call("stop", {**named, "drainMs": ms(drain_s)})

    async def sync(self, timeout_s):
        """Return when every handler is in force; as the connection of a Dendrite, which this is."""
        await asyncio.wait_for(self._call("sync"), timeout_s)

    async def __aenter__(self):
        await self.start()
        return self

    async def __aexit__(self, *exc_info):
        await self.stop()

    # -- dispatching -----------------------------------------------------------------------------

    async def ask(self, **options):
        return await self._cancellable("ask", options)

    async def dispatch_and_wait(self, **options):
        return await self._cancellable("dispatchAndWait", options)

    async def dispatch_task(self, **options):
        return await self._call("dispatchTask", _camel_options(options))

    async def wait_for_neuron(self, *, timeout_s=30.0, **options):
        return await self._call("waitForNeuron", {**options, "timeoutMs": ms(timeout_s)})

    async def _cancellable(self, name, options):
        number = next(self._numbers)
        arguments = (number, name, _camel_options(options))
        try:
            return await self._channel.begin(self._handle, "cancellable", *arguments)
        except asyncio.CancelledError:
            self._channel.begin_alone(self._handle, "cancel", number)
            raise

    # -- watching --------------------------------------------------------------------------------

    def __getattr__(self, name):
        if not name.startswith("on_"):
            raise AttributeError(name)
        type_ = _TYPE_OF_VERB.get(name) or name.removeprefix("on_").upper()
        return functools.partial(self._decorated, (SignalType[type_],))

    def on_signal(self, *types, **filters):
        return functools.partial(self._on, types, filters)

    def on_trace(self, trace_id, *types):
        return functools.partial(self._on, types, {"trace_id": trace_id})

    def _decorated(self, types, function=None, **filters):
        if function is not None:
            return self._on(types, {}, function)
        return functools.partial(self._on, types, filters)

    def _on(self, types, filters, function):
        named = {_OPTIONS.get(key, key): value for key, value in filters.items()}
        number = next(self._numbers)
        self._handlers[number] = function
        self._channel.call(self._handle, "on", number, list(map(str, types)), named)
        return function

    def signal(self, number, signal):
        """An event of the subject: a handler gets a Signal."""
        self._alone(self._handlers[number](signal))

    # -- Axons -----------------------------------------------------------------------------------

    def attach_axon(self, axon):
        self._axons[axon.neuron_id] = axon
        function = axon.neuron_fn
        options = {
            "neuronId": axon.neuron_id,
            "capabilities": list(axon.capabilities),
            "concurrency": axon.concurrency,
            "maxQueued": axon.max_queued,
            "streams": _is_stream(function),
        }
        self._channel.call(self._handle, "axon", "attachAxon", options)

    def invoke(self, number, neuron_id, input, facts):
        """An event of the subject: a Neuron gets a task."""
        function = self._axons[neuron_id].neuron_fn
        runs = self._stream if _is_stream(function) else self._run
        job = self._alone(self._job(runs, function, number, input, facts))
        self._jobs[number] = job
        job.add_done_callback(lambda _: self._jobs.pop(number))

    def abort(self, number):
        """An event of the subject: a task is to end."""
        if job := self._jobs.get(number):
            job.cancel()

    def _tell(self, method, *arguments):
        self._channel.begin_alone(self._handle, method, *arguments)

    async def _job(self, runs, function, number, input, facts):
        try:
            value = await runs(function, number, input, facts)
        except asyncio.CancelledError:
            self._tell("fail", number, {"name": "CancelledError", "isCancelled": True})
        except Exception as error:  # noqa: BLE001  # whatever a Neuron raises is its outcome
            self._tell("fail", number, _raised(error))
        else:
            self._tell("done", number, value)

    async def _run(self, function, number, input, facts):
        return await function(input, facts)

    async def _stream(self, function, number, input, facts):
        async for piece in function(input, facts):
            self._tell("put", number, piece)

    @staticmethod
    def _alone(coroutine):
        task = asyncio.ensure_future(coroutine)
        _ALIVE.add(task)
        task.add_done_callback(_ALIVE.discard)
        return task


_ALIVE = set()


def _is_stream(function):
    return inspect.isasyncgenfunction(function) or inspect.isasyncgenfunction(
        getattr(function, "__call__", None)  # noqa: B004  # an object with a generator method
    )


def _camel_options(options):
    named = {_OPTIONS[key]: value for key, value in options.items() if key != "timeout_s"}
    if "timeout_s" in options:
        named["timeoutMs"] = ms(options["timeout_s"])
    return named


def _raised(error):
    if isinstance(error, NeuronError):
        facts = {"code": error.code, "recoverable": error.recoverable}
        return {"name": "NeuronError", "message": str(error.args[0]), **facts}
    if isinstance(error, Question):
        return {"name": type(error).__name__, "payload": error.payload}
    return {"name": type(error).__name__, "message": str(error)}
