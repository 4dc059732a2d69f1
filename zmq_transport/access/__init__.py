"""Who belongs here, and what each may do: keys, origins and rights, the same at both ends."""
