"""What a server of metrics answers, read as Prometheus reads it."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


def answer(url):
    """Return the status and the text of an answer."""
    with httpx.Client(trust_env=False, timeout=10.0) as client:
        got = client.get(url)
    return got.status_code, got.text


class Scrape:
    """One look at `/metrics`.

    Args:
        url: Where it is.

    Attributes:
        families: Each metric by its name.
    """

    def __init__(self, url):
        status, text = answer(url)
        assert status == 200, text
        self.families = {each.name: each for each in text_string_to_metric_families(text)}

    @property
    def names(self):
        """The name of each sample, and that of each metric."""
        samples = (sample.name for each in self.families.values() for sample in each.samples)
        return {*samples, *self.families}

    def value(self, name, **labels):
        """Return the sum of the samples of a name that have these labels."""
        found = [
            sample.value
            for family in self.families.values()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None

    def labels(self, name, label):
        """Return the values of a label of a metric."""
        return {each.labels[label] for each in self.families[name].samples}
