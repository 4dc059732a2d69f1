/* A DEALER that keeps a number of calls in the air. A line on stdin: outstanding, seconds, bytes. */
#include "zeromq.h"

static double sent_s[MOST_OUTSTANDING];

static void call(void *socket, char *body, size_t bytes, uint64_t slot) {
    memcpy(body, &slot, sizeof slot);
    sent_s[slot] = now_s();
    must(zmq_send(socket, body, bytes, 0) >= 0, "zmq_send");
}

int main(int count, char **words) {
    must(count == 2, "usage: caller ENDPOINT");
    void *socket = connected(zmq_ctx_new(), ZMQ_DEALER, words[1]);
    char *body = calloc(1, LARGEST);
    struct samples all = {0};
    unsigned outstanding, bytes;
    double seconds;
    printf("ready\n");
    fflush(stdout);
    while (scanf("%u %lf %u", &outstanding, &seconds, &bytes) == 3) {
        must(outstanding <= MOST_OUTSTANDING && bytes >= 8 && bytes <= LARGEST, "too much");
        double begin_s = now_s(), end_s = begin_s + seconds;
        for (uint64_t slot = 0; slot < outstanding; slot++)
            call(socket, body, bytes, slot);
        for (unsigned open = outstanding; open > 0;) {
            uint64_t slot;
            must(zmq_recv(socket, body, LARGEST, 0) == (int)bytes, "zmq_recv");
            memcpy(&slot, body, sizeof slot);
            must(slot < outstanding, "an unknown reply");
            double at_s = now_s();
            note(&all, at_s - sent_s[slot]);
            if (at_s < end_s)
                call(socket, body, bytes, slot);
            else
                open--;
        }
        tell(&all, now_s() - begin_s);
    }
    _exit(0);
}
