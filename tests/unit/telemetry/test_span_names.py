"""The names of spans: one table, the same in both languages and on the page."""

import re

from cosmonapse.telemetry import span_names
from house import source

JAVASCRIPT = source.ROOT / "clients" / "javascript" / "src" / "tracing" / "span-names.js"
PAGE = (source.ROOT / "docs" / "tracing.md").read_text()
CONSTANT = re.compile(r"^export const ([A-Z_]+) = '([^']+)'$", re.MULTILINE)
NAMES = {name: value for name, value in vars(span_names).items() if isinstance(value, str)}


def test_the_client_in_javascript_has_the_same_names():
    found = dict(CONSTANT.findall(JAVASCRIPT.read_text()))

    assert len(found) > 20
    assert not {name for name, value in found.items() if NAMES.get(name) != value}


def test_the_page_has_every_name():
    told = {value for name, value in NAMES.items() if name.isupper() and name != "SCHEMA_URL"}
    attributes = {value for value in told if "." in value and not value[0].isdigit()}

    assert len(attributes) > 25
    assert not {value for value in attributes if f"`{value}`" not in PAGE}
    assert span_names.CONVENTIONS_VERSION in PAGE
