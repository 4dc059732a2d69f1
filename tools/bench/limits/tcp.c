/* The same calls on one bare TCP connection, without a router. `tcp` echoes, `tcp PORT` calls. */
#include "common.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static double sent_s[MOST_OUTSTANDING];

static void write_all(int peer, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t gone = send(peer, bytes, count, MSG_NOSIGNAL);
        must(gone > 0, "send");
        bytes += gone;
        count -= gone;
    }
}

static void at_once(int peer) {
    int on = 1;
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int echo(void) {
    static char buffer[1 << 20];
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t room = sizeof here;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    must(bind(listening, (struct sockaddr *)&here, sizeof here) == 0, "bind");
    must(listen(listening, 1) == 0, "listen");
    getsockname(listening, (struct sockaddr *)&here, &room);
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    end_with_stdin();
    int peer = accept(listening, NULL, NULL);
    at_once(peer);
    for (;;) {
        ssize_t came = recv(peer, buffer, sizeof buffer, 0);
        if (came <= 0)
            return 0;
        write_all(peer, buffer, came);
    }
}

/* Count the whole replies in what came, and call again for each. */
static void round_of(int peer, unsigned outstanding, double seconds, size_t bytes, char *out,
                     char *in, struct samples *all) {
    double end_s = now_s() + seconds;
    size_t had = 0;
    unsigned open = outstanding;
    for (uint64_t slot = 0; slot < outstanding; slot++) {
        memcpy(out + slot * bytes, &slot, sizeof slot);
        sent_s[slot] = now_s();
    }
    write_all(peer, out, outstanding * bytes);
    while (open > 0) {
        ssize_t came = recv(peer, in + had, outstanding * bytes - had, 0);
        must(came > 0, "recv");
        size_t whole = (had + came) / bytes, again = 0;
        double at_s = now_s();
        for (size_t number = 0; number < whole; number++) {
            uint64_t slot;
            memcpy(&slot, in + number * bytes, sizeof slot);
            must(slot < outstanding, "an unknown reply");
            note(all, at_s - sent_s[slot]);
            if (at_s < end_s) {
                memcpy(out + again++ * bytes, &slot, sizeof slot);
                sent_s[slot] = at_s;
            } else {
                open--;
            }
        }
        had = had + came - whole * bytes;
        memmove(in, in + whole * bytes, had);
        write_all(peer, out, again * bytes);
    }
}

static int call(int port) {
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons(port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    struct samples all = {0};
    unsigned outstanding, bytes;
    double seconds;
    must(connect(peer, (struct sockaddr *)&there, sizeof there) == 0, "connect");
    at_once(peer);
    printf("ready\n");
    fflush(stdout);
    while (scanf("%u %lf %u", &outstanding, &seconds, &bytes) == 3) {
        /* Both ends write before they read, so a round must fit into the buffers between them. */
        must(bytes >= 8 && (size_t)outstanding * bytes <= 1 << 16, "too much");
        char *out = calloc(outstanding, bytes), *in = malloc((size_t)outstanding * bytes);
        double begin_s = now_s();
        round_of(peer, outstanding, seconds, bytes, out, in, &all);
        tell(&all, now_s() - begin_s);
        free(out);
        free(in);
    }
    return 0;
}

int main(int count, char **words) {
    return count > 1 ? call(atoi(words[1])) : echo();
}
