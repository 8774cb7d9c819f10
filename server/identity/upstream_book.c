/*
 * upstream_book.c - a page an upstream.
 *
 * Several who sign in at the same moment may fetch the same twice; the last one counts. That costs less than making them wait for each other.
 */
#include "server/identity/upstream_book.h"

#include <pthread.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"

struct page {
    struct arena *mem; /* of the endpoints; NULL: not known */
    struct upstream_endpoints at;
    int64_t at_since, keys_since; /* seconds */
    struct arena *keys_mem;       /* NULL: not known */
    struct jwk *keys;
    int nkeys;
};

static struct {
    pthread_mutex_t lock;
    struct page pages[UPSTREAMS_MAX];
} book = { .lock = PTHREAD_MUTEX_INITIALIZER };

void upstream_book_close(void)
{
    for (int i = 0; i < UPSTREAMS_MAX; i++) {
        arena_free(book.pages[i].mem);
        arena_free(book.pages[i].keys_mem);
        book.pages[i] = (struct page){ 0 };
    }
}

/* Seconds since then; a time that seems to lie in the future is long ago. */
static int64_t age_of(int64_t since)
{
    int64_t age = clock_now() - since;

    return age < 0 ? BOOK_LIFE : age;
}

/* ---- where ---- */

static void copy(struct arena *mem, const struct upstream_endpoints *from,
                 struct upstream_endpoints *out)
{
    *out = (struct upstream_endpoints){ .authorize = arena_strdup(mem, from->authorize),
                                        .token = arena_strdup(mem, from->token),
                                        .keys = arena_strdup(mem, from->keys),
                                        .userinfo = arena_strdup(mem, from->userinfo),
                                        .says_iss = from->says_iss };
}

bool upstream_book_where(const struct upstream *u, struct arena *mem,
                         struct upstream_endpoints *out, const char **url)
{
    const struct page *p = &book.pages[u->no];
    size_t n = u->issuer ? strlen(u->issuer) : 0;
    bool known;

    if (u->at.token) {
        *out = u->at;
        return true;
    }
    pthread_mutex_lock(&book.lock);
    known = p->mem && age_of(p->at_since) < BOOK_LIFE;
    if (known)
        copy(mem, &p->at, out);
    pthread_mutex_unlock(&book.lock);
    *url = arena_printf(mem, "%s%s.well-known/openid-configuration", u->issuer,
                        n && u->issuer[n - 1] == '/' ? "" : "/");
    return known;
}

static enum rc read_document(struct err *e, const struct upstream *u, const json_t *o,
                             struct upstream_endpoints *out)
{
    const struct {
        const char *name, **to;
        bool required;
    } urls[] = { { "authorization_endpoint", &out->authorize, true },
                 { "token_endpoint", &out->token, true },
                 { "jwks_uri", &out->keys, true },
                 { "userinfo_endpoint", &out->userinfo, u->userinfo } };
    const char *issuer = jx_text(o, "issuer");

    if (!issuer || strcmp(issuer, u->issuer) != 0)
        return err_set(e, RC_INVALID, "its discovery document is another issuer's");
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        const char *url = jx_text(o, urls[i].name);

        if (url ? !upstream_is_url(url) : urls[i].required)
            return err_set(e, RC_INVALID, "its discovery document has no good %s",
                           urls[i].name);
        *urls[i].to = url;
    }
    out->says_iss = jx_bool(o, "authorization_response_iss_parameter_supported", false);
    return RC_OK;
}

enum rc upstream_book_learn(struct err *e, const struct upstream *u, const json_t *document)
{
    struct page *p = &book.pages[u->no];
    struct upstream_endpoints at = { 0 };
    enum rc rc = read_document(e, u, document, &at);

    if (rc)
        return rc;
    pthread_mutex_lock(&book.lock);
    arena_free(p->mem);
    p->mem = arena_new();
    copy(p->mem, &at, &p->at);
    p->at_since = clock_now();
    pthread_mutex_unlock(&book.lock);
    return RC_OK;
}

/* ---- keys ---- */

static bool has(const struct page *p, const char *kid)
{
    for (int i = 0; kid && i < p->nkeys; i++)
        if (!strcmp(p->keys[i].kid, kid))
            return true;
    return !kid;
}

bool upstream_book_keys(const struct upstream *u, struct arena *mem, const char *kid,
                        struct jwk **out, int *n)
{
    const struct page *p = &book.pages[u->no];
    int64_t age;
    bool good;

    pthread_mutex_lock(&book.lock);
    age = age_of(p->keys_since);
    good = p->keys_mem && age < BOOK_LIFE && (has(p, kid) || age < BOOK_PAUSE);
    if (good) {
        *out = arena_dup(mem, p->keys, (size_t)p->nkeys * sizeof *p->keys);
        *n = p->nkeys;
    }
    pthread_mutex_unlock(&book.lock);
    return good;
}

enum rc upstream_book_learn_keys(struct err *e, const struct upstream *u, const char *text,
                                 size_t n)
{
    struct page *p = &book.pages[u->no];
    struct arena *mem = arena_new();
    struct jwk *keys;
    int count;
    enum rc rc;

    if ((rc = jwk_read_set(e, mem, text, n, &keys, &count))) {
        arena_free(mem);
        return rc;
    }
    pthread_mutex_lock(&book.lock);
    arena_free(p->keys_mem);
    p->keys_mem = mem;
    p->keys = keys;
    p->nkeys = count;
    p->keys_since = clock_now();
    pthread_mutex_unlock(&book.lock);
    return RC_OK;
}
