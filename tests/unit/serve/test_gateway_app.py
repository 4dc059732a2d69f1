"""The app of a gateway: what it answers to paths and methods that no face has, and to a failure."""

import contextlib

import httpx
import pytest
from starlette.responses import JSONResponse
from starlette.routing import Route

from cosmonapse.serve.gateway_app import make_app
from cosmonapse.telemetry.liveness import Judgement

pytestmark = pytest.mark.asyncio


class Things:
    """A face with one path for each of two methods, and one that fails."""

    def routes(self):
        return [
            Route("/things/{name}", self._told, methods=["GET"]),
            Route("/things/{name}", self._told, methods=["POST"]),
            Route("/v1/broken", self._broken),
            Route("/unlisted", self._told, include_in_schema=False),
        ]

    @contextlib.asynccontextmanager
    async def running(self):
        yield

    async def _told(self, request):
        return JSONResponse({"method": request.method, "path": request.url.path})

    async def _broken(self, request):
        raise KeyError("a secret")


async def ask(method, path, base="https://agents.example", is_ready=True, **settings):
    ready = Judgement(is_ready, "it is at cosmo://10.0.0.5:7070")
    app = make_app(None, [Things()], lambda: ready)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=base) as client:
        return await client.request(method, path, **settings)


@pytest.mark.parametrize("path", ["/things/a", "/things/a/", "/things/a//"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_slash_at_the_end_changes_nothing_and_redirects_nobody(method, path):
    answer = await ask(method, path)

    assert answer.json() == {"method": method, "path": "/things/a"}


async def test_a_wrong_method_is_told_all_that_the_path_takes():
    answer = await ask("PUT", "/things/a")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert answer.json()["error"] == "/things/a takes GET, HEAD, POST, not PUT"


async def test_a_wrong_method_for_what_no_list_names_has_what_its_route_takes():
    answer = await ask("PUT", "/unlisted")

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_what_is_not_there_names_what_is():
    answer = await ask("GET", "/")

    assert answer.json()["error"].endswith("this gateway serves /healthz, /readyz, /things, /v1")


async def test_a_failure_has_the_form_of_its_face_and_is_not_to_be_repeated():
    answer = await ask("GET", "/v1/broken")

    assert (answer.status_code, answer.headers["x-should-retry"]) == (500, "false")
    assert answer.json()["error"]["code"] == "INTERNAL_ERROR"
    assert "secret" not in answer.text


@pytest.mark.parametrize(("is_ready", "status"), [(True, 200), (False, 503)])
async def test_a_probe_that_anybody_may_send_is_not_told_where_the_fabric_is(is_ready, status):
    answer = await ask("GET", "/readyz", is_ready=is_ready)

    assert (answer.status_code, answer.json()["ok"]) == (status, is_ready)
    assert "cosmo://" not in answer.text
