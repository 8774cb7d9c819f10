/*
 * count_report.h - what a phone tells of one day: which items were read on it how often, and nothing of whose phone it is.
 *
 *     {"day":"2026-11-21","reads":[{"item":"0190…","reads":3}],"report":"22 characters of base64url"}
 *
 * The report's name is drawn at random for that day alone, and is what makes it count once: it is kept, as a hash, for as long as
 * the day may still be told of, and leads to no other day and no account. docs/counts.md.
 */
#ifndef CITIZEN_COUNT_REPORT_H
#define CITIZEN_COUNT_REPORT_H

#include "server/base/id.h"
#include "server/base/work.h"

enum {
    COUNT_LATE = 3 * 86400,        /* a day may be told of until three days later */
    COUNT_REPORT_KEPT = 5 * 86400, /* then nothing knows of the report */
    COUNT_ENTRIES = 500,           /* items in a report */
    COUNT_READS = 100,             /* a person's reads of an item in a day that are believed */
    COUNT_TOTAL = 2000,            /* … of all items */
    COUNT_READS_MOST = 1000000,    /* what is more is no number of reads at all */
    COUNT_BODY_MAX = 64 * 1024
};

enum count_verdict { COUNT_GOOD, COUNT_UNKNOWN /* no such item */, COUNT_IMPLAUSIBLE };

struct count_entry {
    struct id item;
    int64_t reads;
    enum count_verdict verdict;
};

struct count_report {
    uint8_t name[ID_BYTES];
    int64_t day;
    struct count_entry *entries;
    int n;
};

/* RC_INVALID says what; such a report is never good. */
enum rc count_report_read(struct err *e, struct arena *mem, const char *text, size_t n,
                          int64_t now, struct count_report *out);
/* On a worker: which of its items there are. */
enum rc count_report_check(struct work *w, struct count_report *r);

struct count_taken {
    bool known; /* it was taken before */
    int64_t counted, apart;
};
/* On the writer. `client`: who sent it, as a number that says nothing by itself. */
enum rc count_report_take(struct work *w, const struct count_report *r, uint64_t client,
                          struct count_taken *out);

/* How many reports of one address a day are believed; 0: all. */
void count_report_open(int64_t per_address);

#endif
