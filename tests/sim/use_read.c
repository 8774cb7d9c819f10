/*
 * use_read.c - what people do with items on their phones: read one, answer a survey, keep one, say how useful it was, hold fewer of them, fetch an older one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/tjzw.h"
#include "tests/sim/folk.h"
#include "tests/sim/poll.h"
#include "tests/sim/reached.h"
#include "tests/sim/tally.h"

enum { DEAR = 6 /* items that people care for, so that they meet at them */ };

bool use_find(struct sim *s, struct device *p, char id[40], int *item)
{
    const char *title;
    struct message m;

    *item = (int)dice_roll(&s->dice, DEAR);
    title = truth_title(s, *item);
    if (!title[0] || !phone_tell(s, p, PHONE_FIND, (const char *[TEXTS]){ title }, &m))
        return false;
    if (m.number)
        lost(s, "phone %d does not look for %s: %d %s", p->no, title, m.number, m.text[0]);
    snprintf(id, 40, "%s", m.text[1]);
    message_done(&m);
    return id[0];
}

/* ---- reading ---- */

static bool count(struct sim *s, struct device *p, const char *id)
{
    struct message m;
    bool done;

    if (!phone_tell(s, p, PHONE_COUNT, (const char *[TEXTS]){ id }, &m))
        return false;
    done = !m.number;
    if (m.number && m.number != TJZW_NOT_FOUND)
        lost(s, "phone %d does not count a read: %d %s", p->no, m.number, m.text[0]);
    message_done(&m);
    return done;
}

void use_read(struct sim *s, struct device *p)
{
    bool agrees = !dice_one_in(&s->dice, 8);
    int item, times = 1 + (int)dice_roll(&s->dice, 3);
    char id[40];

    if (!use_find(s, p, id, &item))
        return;
    use_put(s, p, "consent", "counts", agrees ? "true" : "");
    note(s, "phone %d reads item %d %d times", p->no, item, times);
    for (int i = 0; i < times; i++) {
        tally_read(s, id);
        count(s, p, id);
    }
}

/* Nothing goes wrong any more: it will be told of. */
void use_read_last(struct sim *s, struct device *p)
{
    int item;
    char id[40];

    if (!use_find(s, p, id, &item))
        return;
    use_put(s, p, "consent", "counts", "true");
    note(s, "phone %d reads item %d at last", p->no, item);
    if (count(s, p, id))
        tally_last(s, id);
}

/* ---- a survey ---- */

/* One that can be answered. False: there is none, or the phone ended over it. */
static bool pick(struct sim *s, struct device *p, char id[40])
{
    struct message m;
    char *rest;
    int n = 0;

    id[0] = '\0';
    if (!phone_do(s, p, PHONE_SURVEYS, &m))
        return false;
    if (m.number)
        lost(s, "phone %d does not show surveys: %d %s", p->no, m.number, m.text[0]);
    rest = m.text[1];
    for (char *line; (line = strsep(&rest, "\n")) && *line;)
        if (dice_one_in(&s->dice, (uint32_t)++n))
            snprintf(id, 40, "%s", line);
    message_done(&m);
    return id[0];
}

void use_answer(struct sim *s, struct device *p)
{
    char id[40], answers[40];
    struct message m;
    int no;

    if (!pick(s, p, id) || (no = poll_begins(s, p, id)) < 0)
        return;
    snprintf(answers, sizeof answers, "[%d,\"Q%d\"]", poll_choice(no), no);
    note(s, "phone %d answers Q%d", p->no, no);
    if (!phone_tell(s, p, PHONE_ANSWER, (const char *[TEXTS]){ id, answers }, &m))
        return;
    if (m.number)
        lost(s, "phone %d does not answer %s: %d %s", p->no, id, m.number, m.text[0]);
    message_done(&m);
}

/* ---- what one thinks of an item ---- */

void use_favour(struct sim *s, struct device *p)
{
    bool votes = dice_one_in(&s->dice, 2), back = dice_one_in(&s->dice, 3);
    char id[40], key[80], value[40] = "";
    int item;

    if (!use_find(s, p, id, &item))
        return;
    snprintf(key, sizeof key, "main/%s", id);
    s->written++;
    if (votes && !back)
        strcpy(value, dice_one_in(&s->dice, 2) ? "1" : "-1");
    else if (!back)
        snprintf(value, sizeof value, "{\"at\":%u}", 1000 + s->written);
    use_put(s, p, votes ? "vote" : "fav", key, value);
}

/* ---- how much is held ---- */

void use_horizon(struct sim *s, struct device *p)
{
    static const int horizons[] = { 0, 5, 20 };
    int before = p->horizon, to = horizons[dice_roll(&s->dice, 3)];
    char text[16];
    struct message m;

    snprintf(text, sizeof text, "%d", to);
    note(s, "phone %d is to hold %d", p->no, to);
    p->horizon = -1;
    if (!phone_tell(s, p, PHONE_HORIZON, (const char *[TEXTS]){ text }, &m))
        return;
    if (m.number && m.number != TJZW_NOT_FOUND)
        lost(s, "phone %d does not hold %d: %d %s", p->no, to, m.number, m.text[0]);
    p->horizon = m.number ? before : to;
    message_done(&m);
}

void use_fetch(struct sim *s, struct device *p)
{
    const char *title = truth_title(s, ITEMS + (int)dice_roll(&s->dice, 20));
    bool beyond = !p->all;
    char id[40];
    struct message m;

    if (!title[0] || !staff_find_id(s, title, id))
        return;
    if (!phone_tell(s, p, PHONE_FETCH, (const char *[TEXTS]){ id }, &m))
        return;
    note(s, "phone %d fetches %s: %d", p->no, title, m.number);
    if (!m.number && beyond)
        reached(PATH_fetched);
    message_done(&m);
}
