/*
 * slip.c - a few bytes and a tag.
 *
 * The used ones stand in a ring: 16,384 sign-ins in five minutes before one would be refused.
 */
#include "server/identity/slip.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "server/base/be64.h"
#include "server/base/clock.h"
#include "server/base/id.h"
#include "server/base/secret.h"

enum { BODY = 26, TAG = 16, BOOT = 16, USED_MAX = 1 << 14, WORD_MAX = 16 };

static struct {
    uint8_t key[SECRET_BYTES];
    pthread_mutex_t lock;
    uint8_t boot[BOOT];
    struct {
        uint64_t random;
        int64_t ends; /* 0: free */
    } used[USED_MAX];
    int next;
} slips = { .lock = PTHREAD_MUTEX_INITIALIZER };

enum rc slip_open(struct err *e, const char *keys)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/sign-in", keys);
    memset(slips.used, 0, sizeof slips.used);
    secret_random(slips.boot, sizeof slips.boot);
    return secret_load_or_make(e, path, slips.key, sizeof slips.key);
}

void slip_close(void)
{
    secret_wipe(slips.key, sizeof slips.key);
}

static void pack(const struct slip *s, uint8_t out[BODY])
{
    out[0] = (uint8_t)s->kind;
    out[1] = (uint8_t)s->note;
    be64_put(out + 2, s->account);
    be64_put(out + 10, s->at);
    be64_put(out + 18, (int64_t)s->random);
}

static void mac(const char *word, const uint8_t body[BODY], uint8_t out[SLIP_DERIVED])
{
    uint8_t text[WORD_MAX + BOOT + BODY] = { 0 };
    size_t n = strnlen(word, WORD_MAX);

    memcpy(text, word, n);
    if (body[0] != SLIP_DEVICE)
        memcpy(text + n, slips.boot, BOOT);
    memcpy(text + n + BOOT, body, BODY);
    secret_mac(slips.key, text, n + BOOT + BODY, out);
}

struct slip slip_new(enum slip_kind kind, int note, int64_t account)
{
    struct slip s = { .kind = kind, .note = note, .account = account, .at = clock_now() };

    secret_random(&s.random, sizeof s.random);
    s.random |= 1; /* 0 is no device */
    return s;
}

void slip_put(const struct slip *s, char out[SLIP_TEXT])
{
    uint8_t bytes[BODY + TAG], tag[SLIP_DERIVED];

    pack(s, bytes);
    mac("tag", bytes, tag);
    memcpy(bytes + BODY, tag, TAG);
    b64url_text(bytes, sizeof bytes, out, SLIP_TEXT);
}

static bool is_used(uint64_t random)
{
    bool found = false;

    pthread_mutex_lock(&slips.lock);
    for (int i = 0; i < USED_MAX && !found; i++)
        found = slips.used[i].ends && slips.used[i].random == random;
    pthread_mutex_unlock(&slips.lock);
    return found;
}

bool slip_read(const char *text, enum slip_kind kind, int64_t life, struct slip *out)
{
    uint8_t bytes[BODY + TAG], tag[SLIP_DERIVED];
    int64_t now = clock_now();
    struct slip s;

    if (!text ||
        b64url_parse(text, strnlen(text, SLIP_TEXT), bytes, sizeof bytes) != (int)sizeof bytes)
        return false;
    mac("tag", bytes, tag);
    s = (struct slip){ .kind = (enum slip_kind)bytes[0],
                       .note = bytes[1],
                       .account = be64_get(bytes + 2),
                       .at = be64_get(bytes + 10),
                       .random = (uint64_t)be64_get(bytes + 18) };
    if (!secret_equal(tag, bytes + BODY, TAG) || s.kind != kind || s.at > now ||
        now - s.at >= life)
        return false;
    if (kind != SLIP_DEVICE && is_used(s.random))
        return false;
    *out = s;
    return true;
}

void slip_derive(const struct slip *s, const char *word, uint8_t out[SLIP_DERIVED])
{
    uint8_t body[BODY];

    pack(s, body);
    mac(word, body, out);
}

enum rc slip_use(struct work *w, const struct slip *s, int64_t life)
{
    int64_t now = clock_now();
    enum rc rc = RC_OK;

    pthread_mutex_lock(&slips.lock);
    for (int i = 0; i < USED_MAX && !rc; i++)
        if (slips.used[i].ends && slips.used[i].random == s->random)
            rc = RC_CONFLICT;
    if (!rc && slips.used[slips.next].ends > now)
        rc = RC_BUSY;
    if (!rc) {
        slips.used[slips.next].random = s->random;
        slips.used[slips.next].ends = s->at + life;
        slips.next = (slips.next + 1) % USED_MAX;
    }
    pthread_mutex_unlock(&slips.lock);
    if (rc == RC_CONFLICT)
        return err_set(&w->err, RC_UNAUTHORIZED, "this sign-in is over: begin anew");
    return rc ? err_set(&w->err, rc, "too many are signing in at this moment") : RC_OK;
}
