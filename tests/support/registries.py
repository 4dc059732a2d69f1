"""Collectors of prometheus-client for tests."""

from prometheus_client.registry import Collector


class Fixed(Collector):
    """Gives the same metrics each time; raises what it is given in their place.

    Args:
        given: Metrics, or one exception.
    """

    def __init__(self, *given):
        self.given = given

    def describe(self):
        """Return nothing."""
        return ()

    def collect(self):
        """Return what was given."""
        for each in self.given:
            if isinstance(each, Exception):
                raise each
            yield each
