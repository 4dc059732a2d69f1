/* A PUB that is never more than a window ahead of its slowest SUB. A line on stdin: seconds, and a
 * burst that means nothing here: it has no loop with turns. */
#include "zeromq.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define ACK_EVERY 50
#define WINDOW 500
#define BODY_BYTES 113
#define MOST 1024

static uint32_t had[MOST];

static uint32_t least(unsigned processes) {
    uint32_t least = had[0];
    for (unsigned number = 1; number < processes; number++)
        if (had[number] < least)
            least = had[number];
    return least;
}

/* Read what the processes of subscribers tell until each of them had that many. */
static void all_had(int acks, unsigned processes, int64_t count) {
    while ((int64_t)least(processes) < count) {
        uint32_t told[2];
        must(recv(acks, told, sizeof told, 0) == sizeof told, "nothing came for 10 s");
        must(told[0] < processes, "an unknown process");
        had[told[0]] = told[1];
    }
}

int main(int count, char **words) {
    must(count == 3, "usage: publisher ENDPOINT PROCESSES");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval timeout = {.tv_sec = 10};
    socklen_t room = sizeof here;
    unsigned processes = atoi(words[2]);
    int acks = socket(AF_INET, SOCK_DGRAM, 0);
    must(processes > 0 && processes <= MOST, "too many processes");
    must(bind(acks, (struct sockaddr *)&here, sizeof here) == 0, "bind");
    getsockname(acks, (struct sockaddr *)&here, &room);
    setsockopt(acks, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    void *socket = connected(zmq_ctx_new(), ZMQ_PUB, words[1]);
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    char body[BODY_BYTES] = {0};
    int64_t published = 0;
    double seconds;
    while (scanf("%lf %*d", &seconds) == 1) {
        int64_t before = published;
        double begin_s = now_s();
        while (now_s() < begin_s + seconds) {
            all_had(acks, processes, published + ACK_EVERY - WINDOW);
            for (int number = 0; number < ACK_EVERY; number++)
                must(zmq_send(socket, body, sizeof body, 0) >= 0, "zmq_send");
            published += ACK_EVERY;
        }
        all_had(acks, processes, published);
        printf("%lld %.9f\n", (long long)(published - before), now_s() - begin_s);
        fflush(stdout);
    }
    _exit(0);
}
