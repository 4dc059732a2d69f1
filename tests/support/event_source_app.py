"""A page with an EventSource for each prompt: `python event_source_app.py FRAMEWORK URL`.

It serves the page at `/` and a stream at `/stream?prompt=...`.
"""

import socketserver
import sys
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIServer, make_server

import flask
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from cosmonapse.edge import fastapi as fastapi_edge
from cosmonapse.edge import flask as flask_edge
from cosmonapse.edge import wsgi as wsgi_edge

PAGE = """<!doctype html>
<title>stream</title>
<script>
    window.seen = {};
    for (const prompt of new URLSearchParams(location.search).getAll("prompt")) {
        const source = new EventSource("/stream?prompt=" + encodeURIComponent(prompt));
        const mine = (seen[prompt] = []);
        for (const name of ["open", "thought", "output", "question"]) {
            source.addEventListener(name, () => mine.push(name));
        }
        source.addEventListener("error", (event) => {
            mine.push(event.data ? "error" : ["again", "", "closed"][source.readyState]);
        });
    }
</script>
"""
NAMESPACE = "api-demo"


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


def task_for(prompt):
    return {"neuron": "worker", "input": {"prompt": prompt}}


def flask_app(url):
    app = flask.Flask("page")
    cosmo = flask_edge.Cosmo(app, url, namespace=NAMESPACE)
    app.get("/")(lambda: PAGE)

    @app.get("/stream")
    def stream():
        return cosmo.stream_response(**task_for(flask.request.args["prompt"]))

    return app


def wsgi_app(url):
    cosmo = wsgi_edge.Cosmo(url, namespace=NAMESPACE)

    @cosmo.application
    def streaming(environ):
        (prompt,) = parse_qs(environ["QUERY_STRING"])["prompt"]
        return cosmo.stream(environ, **task_for(prompt))

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/stream":
            return streaming(environ, start_response)
        start_response("200 OK", [("Content-Type", "text/html")])
        return [PAGE.encode()]

    return application


def serve_fastapi(url):
    import uvicorn

    app = FastAPI()
    cosmo = fastapi_edge.Cosmo(app, url, namespace=NAMESPACE)

    @app.get("/", response_class=HTMLResponse)
    async def page():
        return PAGE

    @app.get("/stream")
    async def stream(prompt: str):
        return await cosmo.stream_response(**task_for(prompt))

    uvicorn.run(app, port=0)


def main(framework, url):
    if framework == "fastapi":
        serve_fastapi(url)
        return
    application = {"flask": flask_app, "wsgi": wsgi_app}[framework](url)
    with make_server("127.0.0.1", 0, application, server_class=Server) as server:
        sys.stdout.write(f"Running on http://127.0.0.1:{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
