/* Opening a socket of libzmq for the bench. */
#ifndef BENCH_ZEROMQ_H
#define BENCH_ZEROMQ_H

#include "common.h"
#include <zmq.h>

static inline void *opened(void *context, int type) {
    int none = 0, high_water_mark = 100000;
    void *socket = zmq_socket(context, type);
    must(socket != NULL, "zmq_socket");
    zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &high_water_mark, sizeof high_water_mark);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &high_water_mark, sizeof high_water_mark);
    return socket;
}

static inline void *connected(void *context, int type, const char *endpoint) {
    void *socket = opened(context, type);
    must(zmq_connect(socket, endpoint) == 0, "zmq_connect");
    return socket;
}

/* Bind to a free port of the loopback device; the endpoint is written to `endpoint`. */
static inline void *bound(void *context, int type, char *endpoint, size_t room) {
    void *socket = opened(context, type);
    must(zmq_bind(socket, "tcp://127.0.0.1:*") == 0, "zmq_bind");
    must(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &room) == 0, "zmq_getsockopt");
    return socket;
}

#endif
