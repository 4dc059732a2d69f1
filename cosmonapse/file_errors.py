"""What is raised for a file that cannot be used. Pure."""

from __future__ import annotations

from .error_roots import LocalError


class RegistryStoreError(LocalError, OSError):
    """The file of a registry store cannot be used.

    Attributes:
        path: The file.
        reason: The fault.
    """

    def __init__(self, path: str, reason: str, hint: str) -> None:
        super().__init__(f"cannot use the registry store {path}: {reason}; {hint}")
        self.path = path
        self.reason = reason


class MemoryFileError(LocalError, OSError):
    """The file of a memory or of sessions cannot be used.

    Attributes:
        path: The file.
        reason: The fault.
    """

    def __init__(self, path: str, reason: str, hint: str) -> None:
        super().__init__(f"cannot use the memory {path}: {reason}; {hint}")
        self.path = path
        self.reason = reason
