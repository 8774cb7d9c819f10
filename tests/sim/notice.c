/*
 * notice.c - messages, as a plain list. A message is known by its title, "G2", which is its group as well: of that an account has one, ever.
 */
#include "tests/sim/notice.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/folk.h"
#include "tests/sim/mail.h"
#include "tests/sim/reached.h"
#include "tests/sim/turns.h"

enum { NOTICES = 24, MESSAGE_S = 300 * 86400 /* for so long it is surely there */ };

struct notice {
    int64_t account, number, sent;
    bool surely, maybe, gone, maybe_gone, seen, open;
};

struct notices {
    struct notice notice[NOTICES];
    int notices;
};

struct notices *notices_new(void)
{
    struct notices *n = calloc(1, sizeof *n);

    if (!n)
        abort();
    return n;
}

static int64_t now_s(void)
{
    return *turns_now_us / 1000000;
}

/* ---- what the staff and its owner do ---- */

int notice_pick(struct sim *s, int64_t account, bool anew)
{
    struct notices *m = s->notices;
    int found = -1;

    for (int i = 0, n = 0; i < m->notices && !anew; i++)
        if (m->notice[i].account == account && dice_one_in(&s->dice, (uint32_t)++n))
            found = i;
    if (found >= 0 || m->notices == NOTICES)
        return found;
    m->notice[m->notices].account = account;
    return m->notices++;
}

/* Of its group an account gets one message ever. */
void notice_sent(struct sim *s, int notice, int64_t number, bool surely)
{
    struct notice *n = &s->notices->notice[notice];

    n->maybe = true;
    n->sent = n->sent ? n->sent : now_s();
    if (!surely)
        return;
    if (n->surely && !n->open && n->number != number)
        lost(s, "message G%d was number %" PRId64 ", and is %" PRId64, notice, n->number,
             number);
    n->surely = true;
    n->number = number;
}

void notice_withdrawn(struct sim *s, int notice, bool surely)
{
    struct notice *n = &s->notices->notice[notice];

    n->maybe_gone = true;
    n->gone |= surely && n->surely;
}

void notice_drops(struct sim *s, const struct device *p, const char *key)
{
    for (int i = 0; i < s->notices->notices; i++)
        if (s->notices->notice[i].account == folk_account(s, p) &&
            s->notices->notice[i].number == strtoll(key, NULL, 10))
            s->notices->notice[i].maybe_gone = true;
}

void notice_moves(struct sim *s, int notice)
{
    s->notices->notice[notice].open = true;
}

void notice_restored(struct sim *s)
{
    for (int i = 0; i < s->notices->notices; i++)
        s->notices->notice[i].open = true;
}

/* ---- what is seen ---- */

static void take_message(struct sim *s, const char *type, int64_t number, int64_t account)
{
    for (int i = 0; i < s->notices->notices; i++) {
        struct notice *n = &s->notices->notice[i];

        if (n->account != account || n->number != number || !n->surely)
            continue;
        if (strcmp(type, "seen") == 0) {
            reached(PATH_message_read);
            n->seen = true;
        } else
            n->gone = n->maybe_gone = true;
    }
}

bool notice_result(struct sim *s, const struct device *p, const json_t *mutation,
                   const json_t *result)
{
    const char *type = json_string_value(json_object_get(mutation, "type")),
               *key = json_string_value(json_object_get(mutation, "key")),
               *what = json_string_value(json_object_get(result, "result")),
               *code = json_string_value(json_object_get(result, "code"));

    if (strcmp(type, "message.drop") != 0 && strcmp(type, "seen") != 0)
        return false;
    if (strcmp(what, "done") == 0)
        take_message(s, type, strtoll(key, NULL, 10), folk_account(s, p));
    else if (strcmp(what, "refused") == 0 && strcmp(code, "missing") != 0)
        lost(s, "%s is refused: %s", type, code);
    return true;
}

/* What becomes of a letter its writer is told as well, each step once. */
static void check_progress(struct sim *s, const struct device *p, const json_t *o,
                           const char *rest)
{
    const char *letter = json_string_value(json_object_get(o, "letter"));
    char *text = json_dumps(json_object_get(o, "text"), JSON_ENCODE_ANY | JSON_COMPACT);

    if (!letter || !mail_knows(s, letter) || (text && strstr(rest, text)))
        lost(s, "phone %d shows twice, or of no letter: %s", p->no, text);
    free(text);
}

/* Of the staff's own. */
static void check_notice(struct sim *s, const struct device *p, int64_t account,
                         const json_t *o, uint32_t *shown)
{
    const char *title = json_string_value(json_object_get(o, "title"));
    int no = mail_number(title, 'G', s->notices->notices);

    if (no < 0 || !s->notices->notice[no].maybe || *shown & 1u << no)
        lost(s, "phone %d shows a message twice, or one that nobody sent: %s", p->no, title);
    if (s->notices->notice[no].account != account && !s->notices->notice[no].open)
        lost(s, "phone %d of account %" PRId64 " shows G%d, which is another's", p->no, account,
             no);
    *shown |= 1u << no;
}

/* The staff's messages that it shows, as bits; `seen`: those of them that are. */
static uint32_t shown_messages(struct sim *s, const struct device *p, int64_t account,
                               const char *entries, uint32_t *seen)
{
    char *copy = strdup(entries), *lines = copy;
    const char *type, *key, *value;
    uint32_t shown = 0;

    *seen = 0;
    while (folk_line(&lines, &type, &key, &value)) {
        json_t *o = !strcmp(type, "message") ? json_loads(value, 0, NULL) : NULL;

        if (o && json_object_get(o, "letter"))
            check_progress(s, p, o, lines ? lines : "");
        else if (o)
            check_notice(s, p, account, o, &shown);
        json_decref(o);
        for (int i = 0; i < s->notices->notices && !strcmp(type, "seen"); i++)
            if (s->notices->notice[i].number == strtoll(key, NULL, 10))
                *seen |= 1u << i;
    }
    free(copy);
    return shown;
}

void notice_look(struct sim *s, const struct device *p, int64_t account, const char *entries)
{
    uint32_t seen;

    shown_messages(s, p, account, entries, &seen);
}

void notice_settled(struct sim *s, const struct device *p, int64_t account, const char *entries)
{
    uint32_t seen, shown = shown_messages(s, p, account, entries, &seen);

    for (int i = 0; i < s->notices->notices; i++) {
        const struct notice *n = &s->notices->notice[i];
        bool is = shown & 1u << i;

        if (n->account != account || n->open || now_s() - n->sent > MESSAGE_S)
            continue;
        if (is && n->gone)
            lost(s, "phone %d ends with message G%d, which is gone", p->no, i);
        if (!is && n->surely && !n->maybe_gone)
            lost(s, "phone %d ends without message G%d", p->no, i);
        if (is && n->seen && !(seen & 1u << i))
            lost(s, "phone %d ends with G%d unread, and it was read", p->no, i);
    }
}
