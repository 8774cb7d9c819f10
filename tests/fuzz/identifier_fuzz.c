/*
 * identifier_fuzz.c - what somebody types to be known by: a normal form is one, stays itself, and holds nothing that could get out of a message to the
 * gateway for short messages. The first byte chooses the kind.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/identity/identifier.h"
#include "server/identity/sms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void need(int holds)
{
    if (!holds)
        abort();
}

static void send(const char *phone)
{
    const struct sms_conf c = { .type = "form", .body = "{phone}&{code}" };
    struct arena *mem = arena_new();
    struct buf b = BUF_IN(mem);

    sms_body(&b, &c, phone, "123456");
    need(strcspn(b.p, "&") == b.n - 7);
    arena_free(mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const kinds[] = { "phone", "login", "wechat:wx0", "upstream:x", "none" };
    const char *kind = kinds[n ? data[0] % 5 : 0], *guessed;
    char *text = n ? strndup((const char *)data + 1, n - 1) : strdup("");
    char out[IDENTIFIER_TEXT], again[IDENTIFIER_TEXT];
    struct err e;

    if (!identifier_normal(&e, kind, text, out)) {
        need(strlen(out) > 0 && strlen(out) < IDENTIFIER_TEXT);
        if (!strcmp(kind, "phone")) {
            need(strspn(out, "0123456789") == strlen(out) && *out != '0');
            send(out);
        } else {
            need(!identifier_normal(&e, kind, out, again) && !strcmp(out, again));
        }
    }
    if (!identifier_guess(&e, text, &guessed, out))
        need(!strcmp(guessed, "phone") == (strspn(out, "0123456789") == strlen(out)));
    free(text);
    return 0;
}
