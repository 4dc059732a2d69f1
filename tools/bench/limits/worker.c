/* A DEALER that sends every message back to the caller it came from. */
#include "zeromq.h"

int main(int count, char **words) {
    must(count == 2, "usage: worker ENDPOINT");
    void *socket = connected(zmq_ctx_new(), ZMQ_DEALER, words[1]);
    zmq_send(socket, "ready", 5, 0);
    printf("ready\n");
    fflush(stdout);
    end_with_stdin();
    for (;;) {
        zmq_msg_t caller, body;
        zmq_msg_init(&caller);
        zmq_msg_init(&body);
        must(zmq_msg_recv(&caller, socket, 0) >= 0, "zmq_msg_recv");
        must(zmq_msg_recv(&body, socket, 0) >= 0, "zmq_msg_recv");
        zmq_msg_send(&caller, socket, ZMQ_SNDMORE);
        zmq_msg_send(&body, socket, 0);
    }
}
