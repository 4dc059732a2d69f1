"""ZMTP 3.1 without a socket: bytes in, messages and bytes out. Spec: docs/spec/10-zmtp.md."""
