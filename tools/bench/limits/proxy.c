/* `zmq_proxy`, as the guide has it: ROUTER and DEALER, or (with the word `publish`) XSUB and XPUB. */
#include "zeromq.h"

int main(int count, char **words) {
    char front_endpoint[128], back_endpoint[128];
    int publish = count > 1 && strcmp(words[1], "publish") == 0;
    void *context = zmq_ctx_new();
    void *front = bound(context, publish ? ZMQ_XSUB : ZMQ_ROUTER, front_endpoint, 128);
    void *back = bound(context, publish ? ZMQ_XPUB : ZMQ_DEALER, back_endpoint, 128);
    printf("%s %s\n", front_endpoint, back_endpoint);
    fflush(stdout);
    end_with_stdin();
    return zmq_proxy(front, back, NULL);
}
