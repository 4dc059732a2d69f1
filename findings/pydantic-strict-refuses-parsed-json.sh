#!/usr/bin/env bash
# Guess:  A strict model of pydantic takes a JSON text, so it takes what json.loads makes of that text.
# Truth:  It takes the text and refuses the parsed value: a date is no str then, a tuple no list, a UUID no
#         str, and the keys of dict[int, str] are no ints. Strictness depends on the way in.
# Matters: Whoever parses messages first and checks them after, as every server does, refuses each input of
#         such a model. Check the JSON text itself, or the parsed value and then its JSON.
# Seen:   pydantic 2.14.4: model_validate_json accepts, model_validate(json.loads(text)) has four errors.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check pydantic==2.14.4

"$folder/venv/bin/python" - <<'PYTHON'
import datetime
import json
import sys
import uuid

import pydantic


class Booking(pydantic.BaseModel, strict=True):
    day: datetime.date
    id: uuid.UUID
    rooms: tuple[int, int]
    names: dict[int, str]


text = """{"day": "2030-01-31", "id": "00000000-0000-4000-8000-000000000001",
           "rooms": [1, 2], "names": {"7": "Zoe"}}"""
print("pydantic", pydantic.VERSION)
print("the text:         ", Booking.model_validate_json(text))
try:
    print("the parsed value: ", Booking.model_validate(json.loads(text)))
    refused = []
except pydantic.ValidationError as error:
    refused = [str(each["loc"][0]) for each in error.errors()]
    print("the parsed value:  refused for", refused)
sys.exit(0 if refused == ["day", "id", "rooms", "names"] else 1)
PYTHON
