/*
 * tally.c - reports of reads as a plain list, and sums over it; sums over the votes of folk.c.
 *
 *     counted   the server said so: its reads are in the sums, once, but for a restore to a time before
 *     maybe     the server ended over it: once or not at all, until it comes again
 *
 * A report says not whose it is. So what can be known is: no name stands for two contents, all of them together tell of no more reads than there were, and the server's sums are those of what it
 * counted.
 */
#include "tests/sim/tally.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/folk.h"
#include "tests/sim/reached.h"

enum { TALLIED = 96, REPORTS = 160, ID = 40, NAME = 24 };

struct tallied {
    char id[ID];
    int read;       /* on phones, so often at most */
    int told;       /* in reports */
    int last, base; /* read since the faults stopped; counted until then */
};

struct report {
    char name[NAME];
    json_t *body;
    bool counted, maybe, backed_up;
    bool refused[TALLIED];
};

struct tallies {
    struct tallied item[TALLIED];
    struct report report[REPORTS];
    int n, reports;
};

struct tallies *tallies_new(void)
{
    struct tallies *t = calloc(1, sizeof *t);

    if (!t)
        abort();
    return t;
}

void tallies_free(struct tallies *t)
{
    for (int i = 0; i < t->reports; i++)
        json_decref(t->report[i].body);
    free(t);
}

static int find_item(const struct tallies *t, const char *id)
{
    for (int i = 0; i < t->n; i++)
        if (!strcmp(t->item[i].id, id))
            return i;
    return -1;
}

static struct report *find_report(struct tallies *t, const json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "report"));

    for (int i = 0; i < t->reports && name; i++)
        if (!strcmp(t->report[i].name, name))
            return &t->report[i];
    return NULL;
}

/* ---- phones ---- */

void tally_read(struct sim *s, const char *item)
{
    struct tallies *t = s->tallies;
    int i = find_item(t, item);

    if (i < 0) {
        if (t->n == TALLIED)
            lost(s, "too many items are read");
        snprintf(t->item[i = t->n++].id, ID, "%s", item);
    }
    t->item[i].read++;
}

/* Its reads of that item. */
static int reads_of(const struct report *r, const char *id)
{
    const json_t *one;
    size_t i;

    json_array_foreach(
        json_object_get(r->body, "reads"), i,
        one) if (!strcmp(json_string_value(json_object_get(one, "item")),
                         id)) return (int)json_integer_value(json_object_get(one, "reads"));
    return 0;
}

static void add_told(struct sim *s, const json_t *one)
{
    const char *id = json_string_value(json_object_get(one, "item"));
    int i = find_item(s->tallies, id);
    struct tallied *it = i < 0 ? NULL : &s->tallies->item[i];

    if (it)
        it->told += (int)json_integer_value(json_object_get(one, "reads"));
    if (!it || it->told > it->read)
        lost(s, "phones tell of %d reads of %s, which was read %d times", it ? it->told : 1, id,
             it ? it->read : 0);
}

void tally_asked(struct sim *s, const struct device *p, const struct message *ask)
{
    struct tallies *t = s->tallies;
    json_t *body = json_loadb(ask->text[2], ask->n[2], 0, NULL);
    struct report *r = find_report(t, body);
    const json_t *one;
    size_t i;

    if (strcasestr(ask->text[1], "authorization:") || strcasestr(ask->text[1], "cookie:"))
        lost(s, "phone %d says who it is in a report of reads", p->no);
    if (r && !json_equal(r->body, body))
        lost(s, "phone %d sends another report by the name of %s", p->no, r->name);
    if (r) {
        json_decref(body);
        return;
    }
    if (t->reports == REPORTS)
        lost(s, "too many reports");
    r = &t->report[t->reports++];
    r->body = body;
    snprintf(r->name, NAME, "%s", json_string_value(json_object_get(body, "report")));
    json_array_foreach(json_object_get(body, "reads"), i, one) add_told(s, one);
}

static void take(struct sim *s, struct report *r, const json_t *answer)
{
    const struct tallies *t = s->tallies;
    const json_t *one;
    size_t i;

    if (r->counted)
        lost(s, "the server counts %s twice", r->name);
    if (json_integer_value(json_object_get(answer, "apart")))
        lost(s, "the server does not believe %s", r->name);
    r->counted = true;
    memset(r->refused, 0, sizeof r->refused);
    json_array_foreach(json_object_get(answer, "refused"), i, one)
    {
        int item = find_item(t, json_string_value(json_object_get(one, "item")));

        if (item >= 0)
            r->refused[item] = true;
    }
    reached(PATH_reads_counted);
}

void tally_answered(struct sim *s, const struct message *ask, int status, const char *answer)
{
    json_t *body = json_loadb(ask->text[2], ask->n[2], 0, NULL),
           *said = status == 200 ? json_loads(answer, 0, NULL) : NULL;
    struct report *r = find_report(s->tallies, body);
    const char *result = json_string_value(json_object_get(said, "result"));

    if (!status)
        r->maybe = true;
    if (result && !strcmp(result, "counted"))
        take(s, r, said);
    if (result && !strcmp(result, "known")) {
        if (!r->counted && !r->maybe)
            lost(s, "the server has counted %s, which it never saw", r->name);
        reached(PATH_reads_again);
    }
    json_decref(said);
    json_decref(body);
}

void tally_backed_up(struct sim *s)
{
    for (int i = 0; i < s->tallies->reports; i++)
        s->tallies->report[i].backed_up = s->tallies->report[i].counted;
}

/* What was counted since is not any more, and comes again only if its phone has not heard of it. */
void tally_restored(struct sim *s)
{
    for (int i = 0; i < s->tallies->reports; i++)
        s->tallies->report[i].counted &= s->tallies->report[i].backed_up;
}

/* ---- in the end ---- */

static void sum_up(const struct tallies *t, int item, int *least, int *most)
{
    *least = *most = 0;
    for (int i = 0; i < t->reports; i++) {
        const struct report *r = &t->report[i];
        int n = reads_of(r, t->item[item].id);

        *least += r->counted && !r->refused[item] ? n : 0;
        *most += (r->counted && !r->refused[item]) || r->maybe ? n : 0;
    }
}

void tally_last(struct sim *s, const char *item)
{
    struct tallies *t = s->tallies;
    int i, most;

    tally_read(s, item);
    i = find_item(t, item);
    if (!t->item[i].last++)
        sum_up(t, i, &t->item[i].base, &most);
}

static json_t *fetch(struct sim *s, const char *target)
{
    struct message m;
    json_t *out;

    if (!server_request(s, GET, target, "", NULL, 0, OPERATOR, &m) || m.number != 200)
        lost(s, "%s is answered %d", target, m.number);
    out = json_loadb(m.text[1], m.n[1], 0, NULL);
    message_done(&m);
    return out;
}

/* What a list of the server's says of an item under that name. */
static int said_of(const json_t *list, const char *id, const char *name)
{
    const json_t *one;
    size_t i;

    json_array_foreach(
        list, i,
        one) if (!strcmp(json_string_value(json_object_get(one, "item")),
                         id)) return (int)json_integer_value(json_object_get(one, name));
    return 0;
}

static void audit_reads(struct sim *s, const json_t *list)
{
    const struct tallies *t = s->tallies;

    for (int i = 0; i < t->n; i++) {
        const struct tallied *it = &t->item[i];
        int least, most, phone = said_of(list, it->id, "phone");

        sum_up(t, i, &least, &most);
        if (phone < least || phone > most || said_of(list, it->id, "apart"))
            lost(s, "%s was read %d times, says the server, and it has counted %d to %d",
                 it->id, phone, least, most);
        if (least - it->base < it->last)
            lost(s, "%s was read %d times in the end, and %d of these were counted", it->id,
                 it->last, least - it->base);
    }
}

static void audit_votes(struct sim *s, const json_t *list)
{
    static const struct {
        const char *name, *value;
    } sides[] = { { "useful", "1" }, { "useless", "-1" } };
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one) for (size_t k = 0; k < sizeof sides / sizeof *sides; k++)
    {
        const char *id = json_string_value(json_object_get(one, "item"));
        int n = (int)json_integer_value(json_object_get(one, sides[k].name)), least, most;

        folk_votes(s, id, sides[k].value, &least, &most);
        if (n < least || n > most)
            lost(s, "%s is %s to %d, says the server, and %d to %d said so", id, sides[k].name,
                 n, least, most);
        reached(PATH_votes);
    }
}

void tally_audit(struct sim *s)
{
    json_t *reads = fetch(s, "/v1/staff/counts?since=2020-01-01&until=2100-01-01&n=500"),
           *votes = fetch(s, "/v1/staff/votes?n=500");

    audit_reads(s, json_object_get(reads, "counts"));
    audit_votes(s, json_object_get(votes, "votes"));
    json_decref(reads);
    json_decref(votes);
}
