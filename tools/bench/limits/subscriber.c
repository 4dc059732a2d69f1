/* SUB sockets, of which the publisher is told how many messages the slowest had. */
#include "zeromq.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define ACK_EVERY 50
#define MOST 256

int main(int count, char **words) {
    must(count == 5, "usage: subscriber ENDPOINT PORT PROCESS SOCKETS");
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(atoi(words[2])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int sockets = atoi(words[4]), acks = socket(AF_INET, SOCK_DGRAM, 0);
    uint32_t had[MOST] = {0}, told[2] = {atoi(words[3]), 0};
    zmq_pollitem_t items[MOST];
    void *context = zmq_ctx_new();
    must(sockets > 0 && sockets <= MOST, "too many sockets");
    must(connect(acks, (struct sockaddr *)&there, sizeof there) == 0, "connect");
    for (int number = 0; number < sockets; number++) {
        void *subscriber = connected(context, ZMQ_SUB, words[1]);
        zmq_setsockopt(subscriber, ZMQ_SUBSCRIBE, "", 0);
        items[number] = (zmq_pollitem_t){.socket = subscriber, .events = ZMQ_POLLIN};
    }
    printf("ready\n");
    fflush(stdout);
    end_with_stdin();
    for (;;) {
        must(zmq_poll(items, sockets, -1) >= 0, "zmq_poll");
        uint32_t least = UINT32_MAX;
        for (int number = 0; number < sockets; number++) {
            char body[256];
            if (items[number].revents & ZMQ_POLLIN)
                while (zmq_recv(items[number].socket, body, sizeof body, ZMQ_DONTWAIT) >= 0)
                    had[number]++;
            least = had[number] < least ? had[number] : least;
        }
        least -= least % ACK_EVERY;
        if (least > told[1]) {
            told[1] = least;
            must(send(acks, told, sizeof told, 0) == sizeof told, "send");
        }
    }
}
