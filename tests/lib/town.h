/*
 * town.h - runs without a server: a town of ninety devices in three blocks, a vendor that refuses, is slow, lies down and forgets to answer, and books in which, after each commit, everyone
 * stands in exactly one place (push/run.h).
 *
 * A third lives in each of the districts 120101 and 120102, every fifth sleeps from ten to seven; every seventh has Xiaomi, which is off here, and of the others each second Huawei or Apple. The
 * vendor counts what it put on which screen. A crash forgets all that was not committed: what was taken, sent or answered.
 */
#ifndef TESTS_TOWN_H
#define TESTS_TOWN_H

#include "push/run.h"
#include "tests/lib/library_world.h"

enum {
    TOWN_PEOPLE = 90,
    TOWN_NUMBERS = 3 * BITS, /* of devices; they stand in the first three blocks */
    TOWN_HOUR = 3600
};
extern const unsigned town_on;           /* transports, bits */
extern int64_t town_device[TOWN_PEOPLE]; /* their numbers; account i + 1 has device i */

int town_set_up(void **state); /* cmocka's; a struct library_world */
int town_tear_down(void **state);
int town_roll(int below); /* the same numbers each time */

/* On the writer, committed: a citizen's entry; his device says how it is reached. */
void town_put(struct library_world *t, int64_t account, const char *type, const char *key,
              const char *value);
void town_tells(struct library_world *t, int64_t account, const char *name, enum transport by,
                int token);

/* By the number of a device. */
struct town_books { /* by the number of a device */
    uint8_t audience[TOWN_NUMBERS], places[TOWN_NUMBERS], outcome[TOWN_NUMBERS],
        resent[TOWN_NUMBERS];
    int64_t ticks; /* in audience and places */
};
/* Everyone of the audience is in one place; and the numbers that are kept beside the sets say the same. */
void town_book(struct library_world *t, int64_t campaign, struct town_books *b);
/* People by their outcome; [0]: they have none. */
void town_count(const struct town_books *b, int64_t out[RUN_WHATS]);

struct town_vendor {
    uint8_t shown[TOWN_NUMBERS]; /* how often the campaign came on this screen */
    int percent[RUN_WHATS];      /* of which answer; [0]: not now. The rest is taken */
    bool down;
};

/* For world_do(). */
struct town_taking {
    enum transport by;
    struct run_limits limits;
    struct run_batch b;
};
struct town_writing {
    struct run_batch *b;
    int64_t again_ms;
};
enum rc town_begin(struct library_world *t, void *run_new);
enum rc town_open(struct library_world *t, void *on);       /* unsigned */
enum rc town_take(struct library_world *t, void *taking);   /* struct town_taking */
enum rc town_write(struct library_world *t, void *writing); /* struct town_writing */
enum rc town_drop(struct library_world *t, void *on);       /* unsigned; NULL: town_on */
enum rc town_stop(struct library_world *t, void *campaign);
enum rc town_finish(struct library_world *t, void *campaign); /* int64_t: which it was */
/* A start after a kill -9. */
void town_recover(struct library_world *t);

struct town_plan {
    struct run_new run;
    struct town_vendor *vendor;
    int kills, stops; /* of a hundred steps */
    int a_day, a_person, batch;
    struct town_books *after; /* each step; NULL: none */
};
struct town_plan town_plan_of(int64_t campaign, struct town_vendor *v);
/* One batch, killed or not. False: there was nothing to do for this transport. */
bool town_send_one(struct library_world *t, const struct town_plan *p, enum transport by);
/* Until it is over. Returns at how many seconds. */
int64_t town_go(struct library_world *t, struct town_plan *p);
/* Begun, opened, and nothing of it sent. */
void town_opened(struct library_world *t, struct town_plan *p);
/* All that is left. */
void town_send_all(struct library_world *t, struct town_plan *p);

#endif
