"""`@neuron`: a function becomes a Neuron with an Axon of its own. Pure."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from .axon import Axon
from .schemas import ReadyMade, TypeCheck, check_of_parameters
from .schemas.hinted import Hinted, called_of, hinted

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


class DecoratedNeuron(Protocol[P, R_co]):
    """A function that `@neuron` has decorated.

    Attributes:
        axon: Its Axon.
    """

    axon: Axon

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function itself, as before."""


@overload
def neuron(function: Callable[P, R_co], /) -> DecoratedNeuron[P, R_co]: ...


@overload
def neuron(
    *, id: str | None = None, **settings: Any
) -> Callable[[Callable[P, R_co]], DecoratedNeuron[P, R_co]]: ...


def neuron(function: Any = None, /, *, id: str | None = None, **settings: Any) -> Any:
    """Put an Axon on a function, and leave the function as it is.

    Use it bare or with arguments. The function is called as before, in tests for example. Its Axon
    is in its attribute `axon`, for `attach_axon`; `cosmo worker` finds it by itself.

    A function of `(input, context)` takes its input whole; a class with fields as the hint of
    `input` is the type of its input, and it receives what the class makes of it. Any other function
    has a parameter for each key of its input: their hints are the type of the input, the hint of
    the return value that of the output, and a parameter `context`, or one with the hint
    `TaskContext`, receives the `TaskContext`.

    Args:
        function: The function, when it is used bare.
        id: The id of the Neuron; by default the name of the function.
        settings: All other arguments of `Axon`, such as `capabilities`. `description` is by default
            the first paragraph of the docstring; `input` and `output` replace the hints.

    Raises:
        InvalidName: The id or a capability is invalid.
        TypeError: A hint cannot be read, no schema can be made of one, a parameter cannot be given
            by name, a setting is unknown, or it is a method.
        ValueError: A setting is out of range.
        MissingExtra: The hints are types, and neither pydantic nor msgspec is installed.
    """
    if function is None:
        return lambda decorated: _decorated(decorated, id, settings, _names_around())
    return _decorated(function, id, settings, _names_around())


def _names_around() -> Mapping[str, Any]:
    """Return the local names where the decorator is used: hints may name them."""
    frame = inspect.currentframe()
    for _ in range(2):
        frame = None if frame is None else frame.f_back
    return {} if frame is None else dict(frame.f_locals)


def _decorated(
    function: Any, id: str | None, settings: dict[str, Any], names: Mapping[str, Any]
) -> DecoratedNeuron[..., Any]:
    if not callable(function):
        raise TypeError(
            f"write @neuron, or @neuron(id=...) with names, not @neuron({function!r:.100})"
        )
    unwanted = settings.keys() & {"neuron_id", "neuron_fn"}
    if unwanted:
        raise TypeError(
            "@neuron takes id=..., and the function that it decorates; leave out "
            f"{' and '.join(sorted(unwanted))}"
        )
    name = getattr(function, "__name__", "") if id is None else id
    told = {"description": _first_paragraph(function)}
    axon = Axon(
        neuron_id=name, **{**told, **settings, **_of_hints(function, name, names, settings)}
    )
    try:
        function.axon = axon
    except AttributeError:
        raise TypeError(
            f"an Axon cannot be put on {function!r:.100}: decorate a function that calls it"
        ) from None
    return cast(DecoratedNeuron[..., Any], function)


def _first_paragraph(function: Any) -> str:
    text = inspect.getdoc(function) if inspect.isroutine(function) else None
    return " ".join((text or "").partition("\n\n")[0].split())


def _of_hints(
    function: Any, name: str, names: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments of the Axon that follow from the hints of a function."""
    hints = hinted(function, names)
    found: dict[str, Any] = {"neuron_fn": function}
    if "output" not in settings:
        found["output"] = hints.output
    if hints.parameters is not None:
        found["neuron_fn"] = _given_by_name(function, hints)
        found["as_model"] = "input" not in settings
        if found["as_model"]:
            found["input"] = ReadyMade(_check_of(hints.parameters, name))
    elif hints.input is not None and "input" not in settings:
        found.update(input=hints.input, as_model=settings.get("as_model", True))
    return found


def _check_of(parameters: Iterable[inspect.Parameter], name: str) -> TypeCheck:
    try:
        return check_of_parameters(parameters)
    except TypeError as error:
        raise TypeError(f"the parameters of {name}: {error}") from None


def _given_by_name(function: Any, hints: Hinted) -> Any:
    """Return a function of (input, context) that calls another one with the keys of its input."""
    called = called_of(function)
    names = [each.name for each in hints.parameters or ()]

    def keyed(given: dict[str, Any], context: Any) -> dict[str, Any]:
        keys = {name: given[name] for name in names if name in given}
        return {**keys, hints.context: context} if hints.context else keys

    async def coroutine(input: Any, context: Any) -> Any:
        return await function(**keyed(input, context))

    def whole(input: Any, context: Any) -> Any:
        return function(**keyed(input, context))

    async def stream(input: Any, context: Any) -> Any:
        async with contextlib.aclosing(function(**keyed(input, context))) as values:
            async for value in values:
                yield value

    if inspect.isasyncgenfunction(called):
        chosen: Any = stream
    else:
        chosen = coroutine if inspect.iscoroutinefunction(called) else whole
    return _told_as(chosen, function)


def _told_as(chosen: Any, function: Any) -> Any:
    """Give a function the name and the place of another one, for texts of errors."""
    for each in ("__name__", "__qualname__", "__module__", "__doc__"):
        if hasattr(function, each):
            setattr(chosen, each, getattr(function, each))
    chosen.__wrapped_neuron__ = function
    return chosen
