/*
 * truth.c - what was published, as a plain list of changes, and whether phones show that and nothing else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

struct truth *truth_now(struct sim *s)
{
    return &s->past[s->npast - 1];
}

void truth_add(struct sim *s, int item, const char *title)
{
    struct truth *t = truth_now(s);

    if (++t->seq > CHANGES)
        lost(s, "too many changes");
    t->change[t->seq].item = item;
    snprintf(t->change[t->seq].title, sizeof t->change[t->seq].title, "%s", title);
}

enum {
    OLD = 1024 /* the first horizon of all that is allowed: docs/protocol/sync.md section 11 */
};

/* What item has which title at `seq`; "" for none. */
static void at_seq(const struct truth *t, uint64_t seq, const char *title[ITEMS_MOST])
{
    for (int i = 0; i < ITEMS_MOST; i++)
        title[i] = "";
    for (uint64_t n = 1; n <= seq; n++)
        title[t->change[n].item] = t->change[n].title;
}

const char *truth_title(struct sim *s, int item)
{
    const struct truth *t = truth_now(s);
    const char *title = "";

    for (uint64_t n = 1; n <= t->seq; n++)
        if (t->change[n].item == item)
            title = t->change[n].title;
    return title;
}

/* In which order items were published first: those below `OLD` are marked. How many there are of all. */
static int find_old(const struct truth *t, uint64_t seq, bool old[ITEMS_MOST])
{
    bool born[ITEMS_MOST] = { false };
    int size = 0;

    memset(old, 0, ITEMS_MOST * sizeof *old);
    for (uint64_t n = 1; n <= seq; n++) {
        int item = t->change[n].item;

        if (born[item])
            continue;
        born[item] = true;
        old[item] = size++ < OLD;
    }
    return size;
}

bool truth_is_beyond(struct sim *s, int horizon)
{
    bool old[ITEMS_MOST];

    return horizon && find_old(truth_now(s), truth_now(s)->seq, old) - horizon >= OLD;
}

static uint64_t number_in(const char *note, const char *name)
{
    const char *at = strstr(note, name);

    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* What the server itself says of its stream, past the network. */
static void head(struct sim *s, uint64_t *epoch, uint64_t *seq)
{
    struct message m;

    if (!server_request(s, GET, "/v1/sync/main/head", "", NULL, 0, OPERATOR, &m))
        lost(s, "the server ended without a reason");
    if (m.number != 200)
        lost(s, "the head is %d after a start: %s", m.number, m.text[1]);
    *epoch = number_in(m.text[1], "\nepoch ");
    *seq = number_in(m.text[1], "\nseq ");
    message_done(&m);
}

void truth_settle(struct sim *s, bool under_way, int item, const char *title)
{
    struct truth *t = truth_now(s);
    uint64_t epoch, seq;

    head(s, &epoch, &seq);
    t->epoch = t->epoch ? t->epoch : epoch;
    if (epoch != t->epoch)
        lost(s, "the epoch is another one after a restart: %" PRIu64 " was %" PRIu64, epoch,
             t->epoch);
    if (seq != t->seq && !(under_way && seq == t->seq + 1))
        lost(s, "after a restart the log ends at %" PRIu64 ", and %" PRIu64 " were answered%s",
             seq, t->seq, under_way ? ", one was under way" : "");
    if (seq == t->seq + 1)
        truth_add(s, item, title);
    note(s, "the log ends at %" PRIu64, seq);
}

/* A new epoch begins with what the backup held; what was taken away since is taken away again. */
void truth_restored(struct sim *s)
{
    struct truth *t = &s->past[s->npast], *before = truth_now(s);
    const char *title[ITEMS_MOST];
    uint64_t epoch, seq;

    if (s->npast == EPOCHS)
        lost(s, "too many epochs");
    s->npast++;
    *t = *before;
    t->seq = s->backup_seq;
    at_seq(t, t->seq, title);
    for (uint64_t n = s->backup_seq + 1; n <= before->seq; n++)
        if (!before->change[n].title[0] && title[before->change[n].item][0]) {
            truth_add(s, before->change[n].item, "");
            title[before->change[n].item] = "";
        }
    head(s, &epoch, &seq);
    if (epoch <= before->epoch || seq != t->seq)
        lost(s,
             "restored to %" PRIu64 ".%" PRIu64 ", expected %" PRIu64
             " in a later epoch than %" PRIu64,
             epoch, seq, t->seq, before->epoch);
    t->epoch = epoch;
    note(s, "restored: the log ends at %" PRIu64, seq);
}

static const struct truth *of_epoch(const struct sim *s, uint64_t epoch)
{
    for (int i = s->npast; i-- > 0;)
        if (s->past[i].epoch == epoch)
            return &s->past[i];
    return NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What a phone shows: a line each, sorted. */
struct shown {
    char *text;
    const char *line[ITEMS_MOST + 1];
    int n;
};

static void sort(const char *lines, struct shown *out)
{
    char *rest = out->text = strdup(lines);

    out->n = 0;
    for (char *one; (one = strsep(&rest, "\n")) && *one && out->n <= ITEMS_MOST;)
        out->line[out->n++] = one;
    qsort(out->line, (size_t)out->n, sizeof *out->line, by_text);
}

/* Whether it shows that; then it is a line less. */
static bool take_line(struct shown *shown, const char *title)
{
    const char **at = bsearch(&title, shown->line, (size_t)shown->n, sizeof title, by_text);

    if (!at)
        return false;
    memmove(at, at + 1, (size_t)(&shown->line[--shown->n] - at) * sizeof *at);
    return true;
}

/* Whoever does not hold everything may lack what is old, and nothing else. */
static void check_lines(struct sim *s, const struct device *p, const struct truth *t,
                        struct shown *shown)
{
    const char *title[ITEMS_MOST];
    bool old[ITEMS_MOST];

    at_seq(t, p->seq, title);
    find_old(t, p->seq, old);
    for (int i = 0; i < ITEMS_MOST; i++)
        if (title[i][0] && !take_line(shown, title[i]) && (p->all || !old[i]))
            lost(s, "phone %d at %" PRIu64 " does not show %s", p->no, p->seq, title[i]);
}

void truth_check(struct sim *s, struct device *p, const char *cursor, const char *lines)
{
    const struct truth *t;
    struct shown shown;
    uint64_t epoch = 0, seq = 0;

    sscanf(cursor, "%" SCNu64 ".%" SCNu64, &epoch, &seq);
    t = of_epoch(s, epoch);
    note(s, "phone %d shows %" PRIu64 "%s", p->no, seq, p->all ? "" : ", not all");
    if (epoch && (!t || seq > t->seq))
        lost(s, "phone %d is at %s, which was never signed", p->no, cursor);
    if (epoch < p->epoch || (epoch == p->epoch && seq < p->seq))
        lost(s, "phone %d went back from %" PRIu64 ".%" PRIu64 " to %s", p->no, p->epoch,
             p->seq, cursor);
    p->epoch = epoch;
    p->seq = seq;
    sort(lines, &shown);
    if (epoch)
        check_lines(s, p, t, &shown);
    if (shown.n)
        lost(s, "phone %d at %s shows besides: %s", p->no, cursor, shown.line[0]);
    free(shown.text);
}
