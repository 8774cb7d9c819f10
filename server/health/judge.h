/*
 * judge.h - what only the running server can find of itself. One function a row of alert.def, like those of health.h.
 */
#ifndef HEALTH_JUDGE_H
#define HEALTH_JUDGE_H

#include "server/health/health.h"

struct pool;
struct patrol;

enum { JUDGE_SIGNS_MAX = 32 };

/* The server that looks at itself, and what its judges remember from one look to the next. */
struct running {
    int64_t now_us; /* of this look (clock_mono_us) */
    struct pool *workers;
    int64_t certificate_end;          /* seconds: of the one that is shown; 0: none is */
    int (*deaths)(int64_t within_ms); /* of servers before this one; NULL: nobody counts */
    const struct patrol *patrol;

    int64_t seen_us, seen[JUDGE_SIGNS_MAX]; /* of the signs of an attack */
    int64_t clock_ms;                       /* wall clock less the other, while all was well */
    int jumped;                             /* looks since it moved */
    int64_t failures, groups, failing;      /* of writes */
    int64_t sms_failures, sms_sent, sms_failing;
    int64_t reuse_us, reuses; /* of refresh tokens, and when that was seen */
};

enum finding judge_attack(struct health *h);
enum finding judge_crash_loop(struct health *h);
enum finding judge_chain(struct health *h);
enum finding judge_reload(struct health *h);
enum finding judge_clock(struct health *h);
enum finding judge_clock_sync(struct health *h);
enum finding judge_backup(struct health *h);
enum finding judge_oldest_job(struct health *h);
enum finding judge_writing(struct health *h);
enum finding judge_derived(struct health *h);
enum finding judge_letters(struct health *h);
enum finding judge_scanner(struct health *h);
enum finding judge_holidays(struct health *h);
enum finding judge_push_missing(struct health *h);
enum finding judge_push_unscheduled(struct health *h);
enum finding judge_push_overdue(struct health *h);
enum finding judge_push_stalled(struct health *h);
enum finding judge_push_damaged(struct health *h);
enum finding judge_sms(struct health *h);
enum finding judge_token_reuse(struct health *h);

/* How the last attempt to read the certificate again went. On any thread. */
void judge_reloaded(bool well);

#endif
