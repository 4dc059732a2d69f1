"""`python -m cosmonapse.cli` is `cosmo`."""

from . import main

main()
