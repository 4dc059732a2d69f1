"""The helpers of Flask in front of the Neuron "worker": `python edge_flask_app.py URL`."""

import sys

import flask

from cosmonapse.edge.flask import Cosmo, json_body

app = flask.Flask("edge")
cosmo = Cosmo(app, sys.argv[1], namespace="api-demo", dendrite_id="edge-flask")


def task():
    given = json_body("prompt")
    return {
        "neuron": given.pop("neuron", "worker"),
        "timeout_s": given.pop("timeout_ms", 10_000) / 1000,
        "input": given,
    }


@app.post("/ask")
def ask():
    return cosmo.ask(**task())


@app.post("/stream")
def stream():
    return cosmo.stream_response(**task())


@app.post("/text")
def text():
    return cosmo.stream_response(as_text=True, **task())


@app.get("/events")
def events():
    prompt = flask.request.args["prompt"]
    return cosmo.stream_response(neuron="worker", input={"prompt": prompt})


app.run(port=0)
