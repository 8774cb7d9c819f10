/*
 * binding.c - rows of identifiers, put together.
 */
#include "server/identity/binding.h"

#include <string.h>

#include "server/base/buf.h"
#include "server/identity/upstream.h"

enum { SHORT_INDEX = 8 /* bytes of a blind index that tell one's own identifiers apart */ };

void binding_name(const struct identifier *i, char out[BINDING_NAME])
{
    uint8_t find[HASH_BYTES];

    identifier_index(i->kind, i->value, find);
    hex_text(find, SHORT_INDEX, out);
}

/* "wechat:APPID" of an appid that we have, "upstream:NAME" of one that we believe; NULL: nobody is asked about it any more. */
static const struct upstream *upstream_of(const char *kind)
{
    const char *name = strchr(kind, ':');

    if (!name)
        return NULL;
    if (!strncmp(kind, "upstream:", 9))
        return upstream_find(name + 1);
    for (int i = 0; i < upstreams_count(); i++)
        if (upstream_at(i)->kind != UPSTREAM_OIDC && !strcmp(upstream_at(i)->client, name + 1))
            return upstream_at(i);
    return NULL;
}

static enum binding_kind kind_of(const char *kind)
{
    if (!strncmp(kind, "wechat", 6))
        return BINDING_WECHAT;
    return !strcmp(kind, "phone")   ? BINDING_PHONE
           : !strcmp(kind, "login") ? BINDING_LOGIN
                                    : BINDING_UPSTREAM;
}

static struct binding binding_of(struct work *w, const struct identifier *i)
{
    struct binding b = { .kind = kind_of(i->kind), .proved = i->proved };
    const struct upstream *u = upstream_of(i->kind);

    binding_name(i, b.name);
    b.way_in = b.kind == BINDING_PHONE || b.kind == BINDING_LOGIN || u;
    if (b.kind == BINDING_WECHAT)
        b.label = "微信";
    else if (b.kind == BINDING_UPSTREAM)
        b.label = u ? u->label : strchr(i->kind, ':') + 1;
    else
        b.label = identifier_hint(w->mem, i);
    return b;
}

enum rc binding_list(struct work *w, int64_t account, struct binding **out, int *n)
{
    struct buf list = BUF_IN(w->mem);
    struct identifier *all;
    struct binding *wechat = NULL, b;
    enum rc rc;
    int count;

    if ((rc = identifier_list(w, account, &all, &count)))
        return rc;
    buf_reserve(&list, IDENTIFIERS_MAX * sizeof b); /* so that *wechat stays where it is */
    for (int i = 0; i < count; i++) {
        b = binding_of(w, &all[i]);
        if (b.kind == BINDING_WECHAT && wechat) {
            wechat->way_in |= b.way_in;
            continue;
        }
        buf_add(&list, &b, sizeof b);
        if (b.kind == BINDING_WECHAT)
            wechat = (struct binding *)(void *)(list.p + list.n - sizeof b);
    }
    *out = (struct binding *)(void *)list.p;
    *n = (int)(list.n / sizeof b);
    return RC_OK;
}

bool binding_may_end(const struct binding *list, int n, const struct binding *b)
{
    int ways = 0;

    for (int i = 0; i < n; i++)
        ways += &list[i] != b && list[i].way_in;
    return ways > 0;
}

static const struct binding *find(const struct binding *list, int n, const struct identifier *i)
{
    enum binding_kind kind = kind_of(i->kind);
    char name[BINDING_NAME];

    binding_name(i, name);
    for (int at = 0; at < n; at++)
        if (!strcmp(list[at].name, name) || (kind == BINDING_WECHAT && list[at].kind == kind))
            return &list[at];
    return NULL;
}

static enum rc remove_all(struct work *w, int64_t account, const struct identifier *one,
                          const struct identifier *all, int n)
{
    enum binding_kind kind = kind_of(one->kind);
    enum rc rc = RC_OK;

    for (int i = 0; i < n && !rc; i++)
        if (&all[i] == one || (kind == BINDING_WECHAT && kind_of(all[i].kind) == kind))
            rc = identifier_remove(w, account, all[i].kind, all[i].value);
    return rc;
}

enum rc binding_end(struct work *w, int64_t account, const char *name)
{
    char its[BINDING_NAME];
    struct identifier *all;
    struct binding *list;
    enum rc rc;
    int n, nlist;

    if ((rc = identifier_list(w, account, &all, &n)) ||
        (rc = binding_list(w, account, &list, &nlist)))
        return rc;
    for (int i = 0; i < n; i++) {
        binding_name(&all[i], its);
        if (strcmp(its, name) != 0)
            continue;
        if (!binding_may_end(list, nlist, find(list, nlist, &all[i])))
            return err_set(&w->err, RC_CONFLICT,
                           "this is the last way in: nobody could sign in without it");
        return remove_all(w, account, &all[i], all, n);
    }
    return err_set(&w->err, RC_NOT_FOUND, "this account has no such identifier");
}
