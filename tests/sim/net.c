/*
 * net.c - the network between phones and the server: a request is lost on its way, or its answer is; it comes twice, or much later; an answer is cut
 * short, or told to be whole when it is not; something in between answers instead, or gives an old answer to a GET that does not
 * ask to pass caches by.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/exchange.h"
#include "tests/sim/folk.h"
#include "tests/sim/reached.h"
#include "tests/sim/session.h"
#include "tests/sim/tally.h"

enum { KEPT = 64, LATE = 4 };

enum mishap {
    NONE,
    LOST_BEFORE, /* the server never sees it */
    LOST_AFTER,  /* it does, and its answer is lost */
    TWICE,       /* it sees it twice; the second answer comes back */
    LATER,       /* lost, and yet it arrives: behind others */
    CUT,         /* the answer ends early */
    SHORT,       /* it does, and says that it is whole */
    BETWEEN,     /* somebody in between answers */
    STALE,       /* a cache does, with what it has */
    MISHAPS
};

struct kept {
    char *url;
    struct message answer;
};

struct net {
    struct kept kept[KEPT];
    unsigned nkept;
    struct message late[LATE];
    struct device *whose[LATE];
    unsigned nlate;
};

struct net *net_new(void)
{
    return calloc(1, sizeof(struct net));
}

static struct message copy_of(const struct message *m)
{
    struct message out = *m;

    for (int i = 0; i < TEXTS; i++) {
        out.text[i] = calloc(1, m->n[i] + 1);
        memcpy(out.text[i], m->text[i] ? m->text[i] : "", m->n[i]);
    }
    return out;
}

void net_free(struct net *n)
{
    for (unsigned i = 0; i < n->nkept && i < KEPT; i++) {
        free(n->kept[i].url);
        message_done(&n->kept[i].answer);
    }
    for (unsigned i = 0; i < n->nlate; i++)
        message_done(&n->late[i]);
    free(n);
}

/* ---- caches ---- */

static void remember(struct net *n, const char *url, const struct message *answer)
{
    struct kept *k = &n->kept[n->nkept % KEPT];

    if (n->nkept >= KEPT) {
        free(k->url);
        message_done(&k->answer);
    }
    *k = (struct kept){ strdup(url), copy_of(answer) };
    n->nkept++;
}

/* Any answer that this URL had once. */
static bool recall(struct sim *s, const char *url, struct message *out)
{
    const struct net *n = s->net;
    unsigned all = n->nkept < KEPT ? n->nkept : KEPT, found = 0;
    const struct kept *it = NULL;

    for (unsigned i = 0; i < all; i++)
        if (strcmp(n->kept[i].url, url) == 0 && dice_one_in(&s->dice, ++found))
            it = &n->kept[i];
    if (it)
        *out = copy_of(&it->answer);
    return it;
}

/* ---- to the server and back ---- */

static enum method method_of(const struct message *ask)
{
    enum method m = GET;

    while (m < METHOD_COUNT && strcmp(method_name(m), ask->text[3]) != 0)
        m++;
    return m;
}

/* It is to change something, and not only to be read. */
static bool does(const struct message *ask)
{
    return method_of(ask) != GET;
}

/* The server has more of a file than this piece of it. */
static bool is_ahead(const struct message *ask, const struct message *answer)
{
    const char *range = strstr(ask->text[1], "bytes ");
    long to = 0, have = 0;

    return range && sscanf(range, "bytes %*d-%ld", &to) == 1 &&
           sscanf(answer->text[1], "{\"have\":%ld", &have) == 1 && have > to + 1;
}

/* False: the server ended over it. */
static bool reach(struct sim *s, struct device *p, const struct message *ask,
                  struct message *answer)
{
    const char *path = strstr(ask->text[0], "/v1/");
    bool refresh = strstr(ask->text[0], "/v1/auth/refresh"),
         reads = strstr(ask->text[0], "/v1/counts");

    if (strstr(ask->text[0], "/v1/me/adopt") || strstr(ask->text[0], "/v1/auth/sign-out"))
        folk_ends(s, p);
    if (!server_request(s, method_of(ask), path ? path : "/", ask->text[1], ask->text[2],
                        ask->n[2], p->no, answer)) {
        if (refresh)
            session_refresh(s, p, ask, 0);
        if (reads)
            tally_answered(s, ask, 0, "");
        return false;
    }
    if (refresh)
        session_refresh(s, p, ask, answer->number);
    if (reads)
        tally_answered(s, ask, answer->number, answer->text[1]);
    if (answer->n[2])
        snprintf(p->code, sizeof p->code, "%s", answer->text[2]);
    if (strstr(ask->text[0], "/v1/me/adopt") && answer->number == 204) {
        reached(PATH_adopted);
        folk_adopted(s, p);
    }
    if (strstr(ask->text[0], "/v1/me/blobs/") && is_ahead(ask, answer))
        reached(PATH_file_resumed);
    if (strstr(ask->text[0], "/v1/me/sync") && answer->number == 200)
        exchange_answered(s, p, ask, answer);
    if (method_of(ask) == GET && answer->number == 200 && !strstr(ask->text[1], "Range:"))
        remember(s->net, ask->text[0], answer);
    return true;
}

static void deliver_late(struct sim *s)
{
    struct message m;

    while (s->net->nlate && dice_one_in(&s->dice, 2)) {
        struct message late = s->net->late[--s->net->nlate];

        note(s, "late: %s", late.text[0]);
        if (reach(s, s->net->whose[s->net->nlate], &late, &m)) {
            if (does(&late) && m.number / 100 == 2)
                reached(PATH_later);
            message_done(&m);
        }
        message_done(&late);
    }
}

/* ---- what goes wrong ---- */

static enum mishap choose(struct sim *s, const struct message *ask)
{
    bool passes_caches = strcasestr(ask->text[1], "no-cache");
    enum mishap m;

    if (!s->faults || !dice_one_in(&s->dice, strstr(ask->text[0], "/v1/counts") ? 2 : 4))
        return NONE; /* reports of reads are few */
    m = (enum mishap)(1 + dice_roll(&s->dice, MISHAPS - 1));
    if (m == STALE && (method_of(ask) != GET || passes_caches))
        return NONE;
    return m;
}

static void say_nothing(struct message *answer)
{
    struct message nothing = { 0 };

    *answer = copy_of(&nothing);
}

static void cut(struct sim *s, struct message *answer, bool whole)
{
    answer->n[1] = dice_roll(&s->dice, (uint32_t)answer->n[1] + 1);
    answer->more = whole;
}

static void answer_between(struct sim *s, struct message *answer)
{
    static const int statuses[] = { 400, 401, 403, 404, 409, 410, 413,
                                    422, 429, 500, 502, 503, 504 };

    say_nothing(answer);
    answer->number = statuses[dice_roll(&s->dice, sizeof statuses / sizeof *statuses)];
    answer->more = true;
}

/* Another phone is sending the same file: as the server says it, and as it once did. */
static bool is_busy(struct sim *s, const struct message *ask)
{
    return s->faults && strstr(ask->text[0], "/v1/me/blobs/") && dice_one_in(&s->dice, 8);
}

static void answer_busy(struct sim *s, struct message *answer)
{
    bool now = dice_one_in(&s->dice, 2);

    reached(PATH_file_busy);
    say_nothing(answer);
    answer->number = now ? 503 : 409;
    for (int i = 0; i < 2; i++)
        free(answer->text[i]);
    answer->text[0] = strdup(now ? "Retry-After: 2\n" : "");
    answer->text[1] = strdup(now ? "{\"status\":503}" : "{\"status\":409}");
    for (int i = 0; i < 2; i++)
        answer->n[i] = strlen(answer->text[i]);
    answer->more = true;
}

/* What came of it where it counts: what was sent was taken, what was to be read was in its midst. */
static void count(const struct message *ask, enum mishap m, int status, size_t whole, size_t n)
{
    bool taken = does(ask) && status / 100 == 2;

    if (m == LOST_AFTER && taken)
        reached(PATH_lost_after);
    if (m == TWICE && taken)
        reached(PATH_twice);
    if (m == CUT && n && n < whole)
        reached(PATH_cut);
    if (m == SHORT && n && n < whole)
        reached(PATH_shortened);
}

/* What the phone gets if the server is reached at all. */
static void exchange(struct sim *s, struct device *p, const struct message *ask,
                     struct message *answer, enum mishap m)
{
    struct message first;
    int status;
    size_t whole;

    if (m == TWICE) {
        if (!reach(s, p, ask, &first)) {
            say_nothing(answer);
            return;
        }
        message_done(&first);
    }
    if (!reach(s, p, ask, answer)) {
        say_nothing(answer);
        return;
    }
    answer->more = true;
    status = answer->number;
    whole = answer->n[1];
    if (m == LOST_AFTER) {
        message_done(answer);
        say_nothing(answer);
    }
    if (m == CUT || m == SHORT)
        cut(s, answer, m == SHORT);
    count(ask, m, status, whole, answer->n[1]);
}

/* It ends while it takes that in. */
static void end_soon(struct sim *s, struct message *answer)
{
    char text[8];

    if (!s->faults || !dice_one_in(&s->dice, 10))
        return;
    snprintf(text, sizeof text, "%s%u", dice_one_in(&s->dice, 2) ? "0" : "",
             1 + dice_roll(&s->dice, 16));
    free(answer->text[3]);
    answer->text[3] = strdup(text);
    answer->n[3] = strlen(text);
}

void net_carry(struct sim *s, struct device *p, const struct message *ask,
               struct message *answer)
{
    static const char *const names[MISHAPS] = { "",       " lost before", " lost after",
                                                " twice", " later",       " cut",
                                                " short", " between",     " stale" };
    enum mishap m = choose(s, ask);

    pass(s, 20 + dice_roll(&s->dice, 200));
    if (strstr(ask->text[0], "/v1/guest"))
        folk_introduces(s, p);
    if (strstr(ask->text[0], "/v1/me/sync"))
        exchange_asked(s, p, ask);
    if (strstr(ask->text[0], "/v1/counts"))
        tally_asked(s, p, ask);
    deliver_late(s);
    if (m == LATER && s->net->nlate < LATE) {
        s->net->whose[s->net->nlate] = p;
        s->net->late[s->net->nlate++] = copy_of(ask);
    }
    if (m == STALE && !recall(s, ask->text[0], answer))
        m = NONE;
    if (m == STALE)
        reached(PATH_stale);
    if (m == LOST_BEFORE && does(ask))
        reached(PATH_lost_before);
    if (m == BETWEEN)
        reached(PATH_between);
    if (m == STALE)
        answer->more = true;
    else if (m == LOST_BEFORE || m == LATER)
        say_nothing(answer);
    else if (m == BETWEEN)
        answer_between(s, answer);
    else if (is_busy(s, ask))
        answer_busy(s, answer);
    else
        exchange(s, p, ask, answer, m);
    if (strstr(ask->text[0], "/v1/me/sync") && answer->number == 200)
        end_soon(s, answer);
    if (s->verbose && strstr(ask->text[0], "/v1/me"))
        printf("    > %.*s\n    < %.*s\n", (int)(ask->n[2] < 700 ? ask->n[2] : 700),
               ask->text[2], (int)(answer->n[1] < 900 ? answer->n[1] : 900), answer->text[1]);
    note(s, "  %d asks %s:%s %d, %zu bytes", p->no,
         ask->text[0] + strlen("https://sim.example"), names[m], answer->number, answer->n[1]);
}
