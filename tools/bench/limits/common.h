/* What the C programs of the bench share: time, samples, and an end when the bench ends. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MOST_OUTSTANDING 4096
#define LARGEST (32u << 20)

static inline void must(int holds, const char *what) {
    if (!holds) {
        perror(what);
        exit(1);
    }
}

static inline double now_s(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec + at.tv_nsec * 1e-9;
}

/* -- the latencies of one round -------------------------------------------------------------- */

struct samples {
    float *took_s;
    size_t count, room;
};

static inline void note(struct samples *all, double took_s) {
    if (all->count == all->room) {
        all->room = all->room ? 2 * all->room : 1 << 16;
        all->took_s = realloc(all->took_s, all->room * sizeof *all->took_s);
        must(all->took_s != NULL, "realloc");
    }
    all->took_s[all->count++] = (float)took_s;
}

static int by_size(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static inline double percentile(const struct samples *all, unsigned percent) {
    size_t rank = (all->count * percent + 99) / 100;
    return all->count ? all->took_s[rank ? rank - 1 : 0] : 0;
}

/* Print calls, elapsed, p50, p90, p99 and the longest, and forget them. */
static inline void tell(struct samples *all, double elapsed_s) {
    qsort(all->took_s, all->count, sizeof *all->took_s, by_size);
    printf("%zu %.9f %.9f %.9f %.9f %.9f\n", all->count, elapsed_s, percentile(all, 50),
           percentile(all, 90), percentile(all, 99), percentile(all, 100));
    fflush(stdout);
    all->count = 0;
}

/* -- the end --------------------------------------------------------------------------------- */

static void *until_stdin_ends(void *unused) {
    char nothing[64];
    while (read(0, nothing, sizeof nothing) > 0) {
    }
    _exit(0);
    return unused;
}

/* For programs that read no commands: stdin ends when the bench does. */
static inline void end_with_stdin(void) {
    pthread_t thread;
    must(pthread_create(&thread, NULL, until_stdin_ends, NULL) == 0, "pthread_create");
}

#endif
