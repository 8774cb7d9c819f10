/*
 * session.c - a refresh is refused only if its token was exchanged too long ago, or the session has ended by that, by a restore, by a long silence, or
 * because it was asked to.
 */
#include "tests/sim/session.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/sim/folk.h"
#include "tests/sim/mail.h"
#include "tests/sim/reached.h"

enum {
    REPEAT_S = 10, /* a lost answer may be fetched again for so long: docs/protocol/auth.md */
    SPENT = 1024,
    TOKEN = 96
};

/* A token that was exchanged, and when first; 0: it was refused. */
struct spent {
    char token[TOKEN];
    int64_t at;
};

struct sessions {
    struct spent spent[SPENT];
    int n;
};

struct sessions *sessions_new(void)
{
    struct sessions *all = calloc(1, sizeof *all);

    if (!all)
        abort();
    return all;
}

static struct spent *find(struct sessions *all, const char *token)
{
    for (int i = 0; i < all->n; i++)
        if (strcmp(all->spent[i].token, token) == 0)
            return &all->spent[i];
    return NULL;
}

static void spend(struct sessions *all, const char *token, int64_t at)
{
    if (all->n == SPENT)
        return;
    snprintf(all->spent[all->n].token, TOKEN, "%s", token);
    all->spent[all->n++].at = at;
}

void session_refresh(struct sim *s, const struct device *p, const struct message *ask,
                     int status)
{
    json_t *asked = json_loadb(ask->text[2], ask->n[2], 0, NULL);
    const char *token = json_string_value(json_object_get(asked, "refresh"));
    const struct spent *before = token ? find(s->sessions, token) : NULL;

    if ((status == 401 || !status) && before && time(NULL) - before->at >= REPEAT_S)
        folk_excuse(s, p);
    if (status == 401) {
        reached(PATH_session_ended);
        mail_cut(s, p, folk_contact(s, p));
    }
    if (status == 200 && before)
        reached(PATH_refresh_repeated);
    if (status == 401 && !folk_is_excused(s, p) && !folk_is_ending(s, p))
        lost(s, "phone %d may not refresh its session", p->no);
    if (!before && token)
        spend(s->sessions, token, status == 401 ? 0 : time(NULL));
    json_decref(asked);
}
