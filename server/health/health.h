/*
 * health.h - what may be wrong with an instance: checks that look, and say what they found.
 *
 * `tjzw doctor` makes them once, beside a server or without one; the server itself makes those that it can answer for again and
 * again (alert.h). What is found is said in English, with the way to mend it; `value` is the figure it is about.
 */
#ifndef HEALTH_HEALTH_H
#define HEALTH_HEALTH_H

#include "server/base/conf.h"
#include "server/base/work.h"

enum finding { FINE, WARN, WRONG };

struct health {
    const struct conf *c;
    struct work *w;      /* a read connection; NULL: the library cannot be opened */
    struct running *run; /* the server that looks at itself (judge.h); NULL: a command does */
    char text[1200];     /* what was found */
    char mend[300];      /* "" or the way out */
    const char
        *which; /* in Chinese, of several things it may be about the one that it is; NULL */
    int64_t value;
};

/* Keeps what is said, and returns what was found. */
enum finding health_say(struct health *h, enum finding found, const char *mend, const char *fmt,
                        ...) PRINTF_LIKE(4, 5);

/* Space and files of the data directory's disk; the values are bytes and files that are free. */
enum finding health_disk(struct health *h);
enum finding health_files(struct health *h);
/* Whether the server that runs beside takes changes, or is read only (store/disk.h); for the doctor. */
enum finding health_changes(struct health *h);
/* The certificate that is shown, or would be. Seconds until it ends. */
enum finding health_certificate(struct health *h);
/* The clock against what was written with it. Seconds that it is behind. */
enum finding health_clock(struct health *h);
/* URLs that the caches before us have not been told of (setting purge_hook). Seconds that the oldest waits. */
enum finding health_purges(struct health *h);
/* The streams of other servers. Seconds since the one that is worst off was as it should be. */
enum finding health_mirrors(struct health *h);

/* What is derived from the log (derived.db). Seconds that the oldest change that is missing there waits. */
enum finding health_derived(struct health *h);

/* Accounts on other platforms. Posts of which nobody knows whether they are out. */
enum finding health_channels(struct health *h);
/* What is to be done there and has come to no end. Seconds that the oldest waits. */
enum finding health_channel_late(struct health *h);

/* A command need not be told what `tjzw serve --mirror URL` was told: the library says it too. */
bool health_is_edge(const struct health *h);

/* What the checks make of figures. */
struct health_room {
    int64_t free, all;
    int64_t least,
        least_percent; /* below either is WARN, below a tenth or a third of it WRONG */
};
enum finding health_room(const struct health_room *r);
enum finding health_days_left(int64_t seconds);

#endif
