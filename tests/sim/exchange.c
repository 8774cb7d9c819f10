/*
 * exchange.c - a body is taken apart, and what is in it handed on: entries to folk.c, letters to mail.c, messages to notice.c, answers to surveys to poll.c.
 */
#include "tests/sim/exchange.h"

#include <jansson.h>
#include <string.h>
#include <zstd.h>

#include "tests/sim/folk.h"
#include "tests/sim/mail.h"
#include "tests/sim/notice.h"
#include "tests/sim/poll.h"
#include "tests/sim/reached.h"

/* A body, packed or not. */
static json_t *body_of(const struct message *ask)
{
    static char room[1 << 20];
    size_t n = ZSTD_decompress(room, sizeof room, ask->text[2], ask->n[2]);

    return ZSTD_isError(n) ? json_loadb(ask->text[2], ask->n[2], 0, NULL)
                           : json_loadb(room, n, 0, NULL);
}

/* What a guest says of his messages before he is merged, under a device of its own: whoever is on the phone by then, it is nothing of his (clients/c/adopt.c). */
static bool is_a_farewell(const json_t *asked)
{
    return !json_object_get(asked, "acked");
}

void exchange_asked(struct sim *s, const struct device *p, const struct message *ask)
{
    json_t *asked = body_of(ask);
    const char *device = json_string_value(json_object_get(asked, "device"));
    const json_t *m;
    size_t i;

    if (is_a_farewell(asked))
        reached(PATH_farewell);
    else if (device)
        folk_device(s, p, device);
    json_array_foreach(json_object_get(asked, "mutations"), i, m)
    {
        mail_asked(s, p, m);
        poll_asked(s, p, m);
    }
    json_decref(asked);
}

/* All that there is came, to somebody who held something. */
static bool is_reset(const json_t *asked, const json_t *said)
{
    return json_is_string(json_object_get(asked, "cursor")) &&
           json_is_true(json_object_get(said, "reset"));
}

static void take(struct sim *s, const struct device *p, const char *device, const json_t *m,
                 const json_t *r)
{
    if (!mail_result(s, m, r) && !notice_result(s, p, m, r) && !poll_result(s, p, device, m, r))
        folk_took(s, p, device, m, r);
}

void exchange_answered(struct sim *s, const struct device *p, const struct message *ask,
                       const struct message *answer)
{
    json_t *asked = body_of(ask), *said = json_loadb(answer->text[1], answer->n[1], 0, NULL);
    const char *device = json_string_value(json_object_get(asked, "device"));
    const json_t *m, *r;
    size_t i, k;

    folk_heard(s, p);
    if (is_reset(asked, said))
        reached(PATH_reset);
    if (!is_a_farewell(asked))
        json_array_foreach(json_object_get(asked, "mutations"), i, m)
            json_array_foreach(json_object_get(said, "results"), k,
                               r) if (json_integer_value(json_object_get(m, "n")) ==
                                      json_integer_value(json_object_get(r, "n")))
                take(s, p, device, m, r);
    json_decref(asked);
    json_decref(said);
}
