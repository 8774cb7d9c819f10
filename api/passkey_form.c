/*
 * passkey_form.c - bytes as base64url, to the page and back.
 */
#include "api/passkey_form.h"

#include <string.h>

#include "api/assets_gen.h"
#include "server/base/id.h"
#include "server/identity/account.h"

static const char *text_of(struct arena *mem, const void *p, size_t n)
{
    size_t room = 4 * n / 3 + 4;
    char *text = arena_zalloc(mem, room);

    (void)b64url_text(p, n, text, room);
    return text;
}

static const char *ids_of(struct arena *mem, const struct passkey_form *f)
{
    struct buf b = BUF_IN(mem);

    buf_adds(&b, "");
    for (int i = 0; i < f->nknown; i++)
        if (f->known[i].kind == FACTOR_PASSKEY)
            buf_printf(&b, "%s ",
                       text_of(mem, f->known[i].passkey.id, f->known[i].passkey.id_n));
    return b.n ? b.p : "";
}

/* In the order in which the script wants them; `more` is escaped already. */
static void open_form(struct sheet *s, const struct passkey_form *f, const char *what,
                      const char *more)
{
    struct arena *mem = s->w->mem;
    uint8_t challenge[PASSKEY_CHALLENGE];
    char ticket[SLIP_TEXT];

    factor_challenge(f->slip, challenge);
    slip_put(f->slip, ticket);
    sheet_form_with(s, f->action,
                    arena_printf(mem,
                                 " hidden data-passkey=\"%s\" data-rp=\"%s\" data-owner=\"%s\" "
                                 "data-challenge=\"%s\" data-ids=\"%s\"%s",
                                 what, factor_rp_id(), f->owner ? "required" : "preferred",
                                 text_of(mem, challenge, sizeof challenge), ids_of(mem, f),
                                 more));
    sheet_hidden(s, "ticket", ticket);
}

static void close_form(struct sheet *s, const struct passkey_form *f,
                       const char *const *answers)
{
    for (; *answers; answers++)
        sheet_hidden(s, *answers, "");
    if (f->put)
        f->put(s, f->arg);
    buf_adds(&s->b, "<p class=\"wrong\" role=\"alert\"></p>\n");
    sheet_button(s, f->button);
    sheet_form_end(s);
    sheet_words(s, f->without);
}

void passkey_form_ask(struct sheet *s, const struct passkey_form *f)
{
    static const char *const answers[] = { "credential", "client", "data",
                                           "signature",  "user",   NULL };

    open_form(s, f, "get", "");
    close_form(s, f, answers);
}

void passkey_form_make(struct sheet *s, const struct passkey_form *f,
                       const uint8_t subject[ACCOUNT_SUBJECT], const char *name)
{
    static const char *const answers[] = { "client", "attestation", NULL };
    struct buf more = BUF_IN(s->w->mem);
    buf_printf(&more, " data-user=\"%s\" data-name=\"",
               text_of(s->w->mem, subject, ACCOUNT_SUBJECT));
    page_text(&more, name);
    buf_addc(&more, '"');
    open_form(s, f, "make", more.p);
    close_form(s, f, answers);
}

/* ---- back ---- */

static bool bytes_of(struct arena *mem, const struct form *f, const char *name,
                     struct passkey_bytes *out)
{
    const char *text = form_text(f, name);
    size_t n = text ? strlen(text) : 0;
    uint8_t *bytes = arena_alloc(mem, n + 1);
    int length = n ? b64url_parse(text, n, bytes, n) : 0;

    *out = (struct passkey_bytes){ bytes, length > 0 ? (size_t)length : 0 };
    return length > 0;
}

bool passkey_form_signed(struct arena *mem, const struct form *f, struct factor_signed *out)
{
    *out = (struct factor_signed){ 0 };
    if (form_text(f, "user") && !bytes_of(mem, f, "user", &out->user))
        return false;
    return bytes_of(mem, f, "credential", &out->credential) &&
           bytes_of(mem, f, "client", &out->client_data) &&
           bytes_of(mem, f, "data", &out->authenticator_data) &&
           bytes_of(mem, f, "signature", &out->signature);
}

bool passkey_form_made(struct arena *mem, const struct form *f, struct factor_proof *out)
{
    return bytes_of(mem, f, "client", &out->client_data) &&
           bytes_of(mem, f, "attestation", &out->attestation);
}

enum rc get_passkey_script(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)w;
    (void)rq;
    reply_body(rp, "text/javascript; charset=utf-8", embed_passkey_js, embed_passkey_js_n);
    rp->cache = "public, max-age=300";
    return RC_OK;
}
