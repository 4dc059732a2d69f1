"""Whether a program calls this package wrongly, and how that is told. Pure.

What a call of this package refuses while the program is loaded, it refuses at each attempt. What
the program's own code raises may be of the moment, and is no case of these.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

from ..raised import is_ours

PublicName = Callable[[str], Any]
"""Returns what this package has under a public name, or None."""
_MADE = re.compile(r"<attrs generated \w+ cosmonapse\.")  # a method that attrs has made for us
_SIGNATURE = re.compile(r"(\w+)(?:\.__init__)?\(\) (?:got|missing|takes) ")
_UNKNOWN = re.compile(r"(\w+)(?:\.__init__)?(\(\) got an unexpected keyword argument '(\w+)')")


def is_wrong_call(
    error: BaseException, files: Sequence[str], own: Sequence[str], public: PublicName
) -> bool:
    """Return whether this package refused how the program calls it.

    Args:
        error: What was raised while the program was loaded.
        files: The file of each frame of its traceback.
        own: Those of the program among them.
        public: What this package has under a name.
    """
    if not isinstance(error, TypeError | ValueError) or not own:
        return False
    last = max(place for place, file in enumerate(files) if file in own)
    behind = files[last + 1 :]
    if behind:
        return is_ours(behind[0]) or _MADE.match(behind[0]) is not None
    named = _SIGNATURE.match(str(error)) if isinstance(error, TypeError) else None
    return named is not None and public(named[1]) is not None


def meant(text: str, public: PublicName) -> str:
    """Return the text of a wrong call; of an argument that there is not, with what was meant."""
    found = _UNKNOWN.search(text)
    called = None if found is None else public(found[1])
    if found is None or called is None:
        return text
    names = list(inspect.signature(called).parameters)
    near = difflib.get_close_matches(found[3], names, 1)
    guess = f"did you mean {near[0]}?" if near else f"it has {', '.join(names)}"
    return f"{text[: found.start()]}{found[1]}{found[2]}: {guess}"
