"""`@neuron`: a function becomes a Neuron with an Axon of its own. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from .axon import Axon

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
    """Put an Axon on a function of `(input, context)`, and leave the function as it is.

    Use it bare or with arguments. The function is called as before, in tests for example. Its Axon
    is in its attribute `axon`, for `attach_axon`; `cosmo worker` finds it by itself.

    Args:
        function: The function, when it is used bare.
        id: The id of the Neuron; by default the name of the function.
        settings: All other arguments of `Axon`, such as `capabilities`.

    Raises:
        InvalidName: The id or a capability is invalid.
        TypeError: The function does not accept (input, context), or a setting is unknown.
        ValueError: A setting is out of range.
    """
    if function is None:
        return lambda decorated: _decorated(decorated, id, settings)
    return _decorated(function, id, settings)


def _decorated(
    function: Any, id: str | None, settings: dict[str, Any]
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
    function.axon = Axon(neuron_id=name, neuron_fn=function, **settings)
    return cast(DecoratedNeuron[..., Any], function)
