/*
 * push_city.h - a campaign from its draft to the screens, with the writer and the push thread at work, and a sender that a test answers for (fake_sender.h): forty phones, of which the odd are Huawei's
 * and the even Xiaomi's; the first is the tester's.
 */
#ifndef TESTS_PUSH_CITY_H
#define TESTS_PUSH_CITY_H

#include <inttypes.h>
#include <stdatomic.h>

#include "push/campaign_step.h"
#include "push/run.h"
#include "server/health/judge.h"
#include "tests/lib/fake_sender.h"
#include "tests/lib/people.h"

enum { CITY_PHONES = 40, CITY_WAIT_MS = 60000 };

extern struct fake_sender city_sender;
extern atomic_int city_shown[CITY_PHONES]; /* how often the campaign came on each screen */
extern atomic_int city_taken_back[CITY_PHONES];
extern atomic_int
    city_says; /* enum push_verdict_kind, of all; PUSH_DOUBT: it came, and nobody said so */
extern char city_told[600]; /* to the tester, the last time */
extern struct person city_people[CITY_PHONES];
extern const char
    *city_column; /* of the records: 通知公告; of a column of news it were 资讯营销 */

extern struct person city_approvers[2];
/* What the log calls them. */
#define FIRST  URL("account:%" PRId64, city_approvers[0].account)
#define SECOND URL("account:%" PRId64, city_approvers[1].account)

int city_set_up(void **state); /* cmocka's; a struct world. The thread of push runs */
int city_tear_down(void **state);
void city_start(struct world *t); /* the thread, after push_thread_stop() */

/* ---- on the writer, as somebody ---- */
struct city_order {
    const char *who;
    unsigned rights;
    int64_t no;
    const char *item, *more, *text;
    enum campaign_step step;
    struct campaign c; /* as it is then */
};
enum rc city_go(struct world *t, struct city_order *d,
                enum rc (*job)(struct work *w, void *arg));
enum rc city_does(struct world *t, int64_t no, const char *who, enum campaign_step step,
                  const char *text);
#define DOES_TO(no, who, step, text) \
    assert_int_equal(city_does(t, no, who, CAMPAIGN_DO_##step, text), RC_OK)
#define DOES(who, step, text) \
    assert_int_equal(city_does(t, no, who, CAMPAIGN_DO_##step, text), RC_OK)

/* Of a record that is published for it; `more`: ",\"start\":\"…\"" or "". */
int64_t city_drafted(struct world *t, const char *more);
int64_t city_scheduled(struct world *t, const char *more);
void city_settle(struct world *t, struct campaign_conf *settled);
/* Time passes until then (seconds); clock_set() is somebody who sets the clock. */
void city_pass(int64_t to);
/* Nothing of this server's writes that: a disk does, or somebody with the file. */
void city_vandalise(struct world *t, const char *sql);

/* ---- what is so ---- */
struct city_seen {
    int64_t no;
    struct campaign c;
    struct run_counts n;
    bool runs;
};
struct city_seen city_see(struct world *t, int64_t no); /* of a run, and its campaign */
int64_t city_outcomes(const struct run_counts *n, enum run_what what);
void city_until(struct world *t, int64_t no, enum campaign_state state);
void city_until_tested(struct world *t, int64_t no);
void city_until_sent(struct world *t, int64_t no); /* all of it is on its way */
bool city_took(struct world *t, int64_t no, const char *step);
enum finding city_looks(struct world *t, enum finding (*judge)(struct health *h));

#endif
