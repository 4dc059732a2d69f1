"""What is raised for a file that cannot be used. Pure."""

from __future__ import annotations

from .error_roots import LocalError

_NO_NAME = "''"


class RegistryStoreError(LocalError, OSError):
    """The file of a registry store cannot be used.

    Attributes:
        path: The file.
        reason: The fault.
        may_pass: Whether it may be over by itself, as where another program holds the file.
    """

    def __init__(self, path: str, reason: str, hint: str, may_pass: bool = False) -> None:
        super().__init__(f"cannot use the registry store {path or _NO_NAME}: {reason}; {hint}")
        self.path = path
        self.reason = reason
        self.may_pass = may_pass


class MemoryFileError(LocalError, OSError):
    """The file of a memory or of sessions cannot be used.

    Attributes:
        path: The file.
        reason: The fault.
        hint: What to do about it.
        may_pass: Whether it may be over by itself, as where another program holds the file.
    """

    def __init__(self, path: str, reason: str, hint: str, may_pass: bool = False) -> None:
        super().__init__(f"cannot use the memory {path or _NO_NAME}: {reason}; {hint}")
        self.path = path
        self.reason = reason
        self.hint = hint
        self.may_pass = may_pass
