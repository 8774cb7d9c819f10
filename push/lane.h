/*
 * lane.h - the pace at which one transport is sent to: how much may leave now, and when the next. Pure: time comes in, in milliseconds of a clock that never goes back.
 *
 * One thread at a time; nothing is allocated.
 */
#ifndef PUSH_LANE_H
#define PUSH_LANE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    LANE_BREAK = 5, /* failures in a row that open the breaker */
    LANE_OPEN_LEAST_MS = 1000,
    LANE_OPEN_MOST_MS = 60 * 1000,
    LANE_PROBE_MS = 60 * 1000, /* a trial of which nothing was heard for so long is lost */
    LANE_AFTER_MOST_MS = 3600 * 1000, /* of a Retry-After: nobody signed it */
    LANE_FACTOR_LEAST = 20,           /* thousandths of the pace */
    LANE_RETRY_LEAST_S = 2,
    LANE_RETRY_MOST_S = 900
};

enum lane_news {
    LANE_WENT, /* an answer that says nothing against the vendor: accepted, or refused for a reason of its own */
    LANE_SLOW, /* 429: too fast */
    LANE_DOWN, /* 503: too fast, or out of service */
    LANE_FAILED, /* no answer, or another 5xx */
};

struct lane {
    int64_t pace;      /* messages a second, at least 1 */
    int64_t factor;    /* thousandths of it that are used now */
    int64_t saved;     /* thousandths of a message that may leave; below 0: were taken ahead */
    int64_t filled_ms; /* up to then */
    int64_t risen_ms;  /* since then no second was counted as quiet */
    int64_t halved_ms; /* when the factor fell last */
    int64_t closed_ms; /* nothing leaves before */
    int64_t open_ms;   /* so long the breaker opened last; 0: it is closed */
    int64_t probe_ms;  /* when the trial left; 0: none is under way */
    int failures;      /* in a row */
    uint32_t round;    /* one more at each opening: late news of an earlier one count no more */
};

void lane_init(struct lane *l, int64_t pace, int64_t now_ms);
/* Another day, another limit; whatever was learnt stays. */
void lane_pace(struct lane *l, int64_t pace);
/*
 * Takes `n` messages at once if any may leave now. What one request holds beyond what was saved is waited for afterwards, so that in any time t at most
 * pace * t + pace / 5 + n leave. Returns the round, for lane_told(); 0: not now.
 */
uint32_t lane_take(struct lane *l, int n, int64_t now_ms);
/* How long until lane_take() may say yes; 0: now. With a trial under way: until it counts as lost. */
int64_t lane_wait(const struct lane *l, int64_t now_ms);
/* How it went. `after_ms`: the answer's Retry-After, 0: it had none. */
void lane_told(struct lane *l, uint32_t round, enum lane_news news, int64_t after_ms,
               int64_t now_ms);
/* What lane_take() let go in that round never left: it says nothing of the vendor. If it was the trial, there may be another. */
void lane_unsaid(struct lane *l, uint32_t round);
/*
 * All that one turn of the sender hears of a lane, told at its end as one: two hundred requests that die with a connection are one piece of news for the breaker, else every connection that a
 * vendor ends in good order would stop us for a second.
 */
struct lane_turn {
    bool went, slow, down, failed;
    int64_t after_ms;
};
void lane_hear(struct lane_turn *t, const struct lane *l, uint32_t round, enum lane_news news,
               int64_t after_ms);
/* … and *t is empty again. */
void lane_told_all(struct lane *l, struct lane_turn *t, int64_t now_ms);
/* Whether it is sent to more slowly than at its pace now, or not at all. */
bool lane_is_slowed(const struct lane *l, int64_t now_ms);
/* Whether the vendor counts as out of service: what fails now costs nobody a try. */
bool lane_is_open(const struct lane *l);

/*
 * When (seconds) a message is to be tried again that failed for the `tries`-th time, 1 at first: after 2, 4, 8 … 900 s, of which a half is chance, not before
 * `after_s` from now. `dice`: any random number. -1: it would be after `until`, the end of its ttl.
 */
int64_t lane_retry(int tries, int64_t now, int64_t until, int64_t after_s, uint64_t dice);

/*
 * A Retry-After field (RFC 9110 section 10.2.3), seconds or a date, as milliseconds from `now` (seconds since 1970); at most LANE_AFTER_MOST_MS. 0: it is none.
 */
int64_t lane_after(const char *value, int64_t now);

#endif
