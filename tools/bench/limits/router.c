/* A ROUTER that sends what callers say to the worker and what it says to the caller it names. */
#include "zeromq.h"

#define ID_BYTES 256

int main(void) {
    char endpoint[128], worker[ID_BYTES];
    int worker_bytes = 0;
    void *router = bound(zmq_ctx_new(), ZMQ_ROUTER, endpoint, sizeof endpoint);
    printf("%s\n", endpoint);
    fflush(stdout);
    end_with_stdin();
    for (;;) {
        char from[ID_BYTES];
        zmq_msg_t first, body;
        int from_bytes = zmq_recv(router, from, sizeof from, 0);
        must(from_bytes >= 0, "zmq_recv");
        zmq_msg_init(&first);
        must(zmq_msg_recv(&first, router, 0) >= 0, "zmq_msg_recv");
        if (from_bytes == worker_bytes && memcmp(from, worker, from_bytes) == 0) {
            zmq_msg_init(&body);
            must(zmq_msg_recv(&body, router, 0) >= 0, "zmq_msg_recv");
            zmq_msg_send(&first, router, ZMQ_SNDMORE); /* to this caller */
            zmq_msg_send(&body, router, 0);
        } else if (worker_bytes == 0) { /* the first one to speak is the worker */
            memcpy(worker, from, worker_bytes = from_bytes);
            zmq_msg_close(&first);
        } else {
            zmq_send(router, worker, worker_bytes, ZMQ_SNDMORE);
            zmq_send(router, from, from_bytes, ZMQ_SNDMORE);
            zmq_msg_send(&first, router, 0);
        }
    }
}
