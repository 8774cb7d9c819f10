/*
 * roles.c - the roles of accounts as JSON. A site goes by its code or number; without one a role is for all sites.
 */
#include "api/roles.h"

#include <inttypes.h>
#include <string.h>

#include "api/view.h"
#include "server/base/jx.h"
#include "server/identity/role.h"

#define ACCOUNT                                           \
    {                                                     \
        "account", P_INT, 1, INT64_MAX, "账号的编号" \
    }
#define ROLE                                                    \
    {                                                           \
        "role", P_TEXT, 1, ROLE_WORD_MAX, "角色，如 editor" \
    }

const struct param role_list_params[] = { ACCOUNT, { 0 } };
const struct param role_params[] = {
    ACCOUNT, ROLE, { "site", P_TEXT, 1, 64, "站点标识码，或编号；不给则是全部站点" }, { 0 }
};

static enum rc view_holding(struct work *w, struct buf *b, struct places *p,
                            const struct holding *h)
{
    char rights[RIGHTS_TEXT];
    const struct site *site;
    enum rc rc;

    buf_adds(b, b->p[b->n - 1] == '[' ? "{" : ",{");
    jx_put_int(b, "account", h->account);
    jx_put_text(b, "giver", h->giver);
    jx_put_text(b, "name", h->role->chinese);
    jx_put_text(b, "rights", rights_text(h->role->rights, rights));
    jx_put_text(b, "role", h->role->word);
    view_time(b, "since", h->since);
    if (h->site != EVERYWHERE) {
        if ((rc = places_site(w, p, h->site, &site)))
            return rc;
        jx_put_text(b, "site", site->code);
    }
    buf_addc(b, '}');
    return RC_OK;
}

static enum rc reply_roles(struct work *w, int64_t account, struct reply *rp)
{
    struct buf b = BUF_IN(w->mem);
    struct places places = PLACES_NONE;
    struct holding *list;
    enum rc rc;
    int n;

    if ((rc = role_list(w, account, &list, &n)))
        return rc;
    view_list_open(&b, "roles");
    for (int i = 0; i < n; i++)
        if ((rc = view_holding(w, &b, &places, &list[i])))
            return rc;
    view_list_close(&b, "");
    reply_buf(rp, TYPE_JSON, &b);
    return RC_OK;
}

enum rc get_roles(struct work *w, const struct request *rq, struct reply *rp)
{
    (void)rq;
    return reply_roles(w, 0, rp);
}

enum rc get_roles_of(struct work *w, const struct request *rq, struct reply *rp)
{
    return reply_roles(w, request_int(rq, "account", 0), rp);
}

/* What the audit log shall say besides the account. */
static enum rc find_role(struct work *w, const char *word, const struct site *site,
                         const struct role_info **out)
{
    if (!(*out = role_find(word)))
        return err_field(&w->err, "role", "there is no role \"%.20s\"", word);
    work_fact_word(w, "role", (*out)->word);
    if (site->no)
        work_fact(w, "site", site->no);
    return RC_OK;
}

enum rc post_role(struct work *w, const struct request *rq, struct reply *rp)
{
    const struct role_info *role;
    struct site site = { 0 };
    json_t *body;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, rq->body, rq->body_len, &body)))
        return rc;
    if ((rc = jx_check(&w->err, body,
                       (const struct jx_field[]){ { "account", JX_INT, true, 1, INT64_MAX },
                                                  { "role", JX_TEXT, true, 1, ROLE_WORD_MAX },
                                                  place_field(body, "site", false),
                                                  { 0 } },
                       "")))
        return rc;
    if (json_object_get(body, "site") && (rc = place_site_in(w, body, &site)))
        return rc;
    if ((rc = find_role(w, jx_text(body, "role"), &site, &role)) ||
        (rc = role_grant(w, jx_int(body, "account", 0), role, site.no)))
        return rc;
    rp->status = 201;
    reply_header(rp, "location",
                 arena_printf(w->mem, "/v1/roles/%" PRId64, jx_int(body, "account", 0)));
    return reply_roles(w, jx_int(body, "account", 0), rp);
}

enum rc delete_role(struct work *w, const struct request *rq, struct reply *rp)
{
    const char *at = request_text(rq, "site", NULL);
    const struct role_info *role;
    struct site site = { 0 };
    enum rc rc;

    if (at && (rc = place_site(w, at, &site)))
        return rc;
    if ((rc = find_role(w, request_text(rq, "role", ""), &site, &role)) ||
        (rc = role_revoke(w, request_int(rq, "account", 0), role, site.no)))
        return rc;
    rp->status = 204;
    return RC_OK;
}

void roles_print_doc(struct buf *out)
{
    char rights[RIGHTS_TEXT];
    const struct role_info *role;
    int n;

    buf_adds(out, "\n## Roles\n\n| role | | rights | given |\n|---|---|---|---|\n");
    role = role_all(&n);
    for (int i = 0; i < n; i++)
        buf_printf(out, "| %s | %s | %s | %s |\n", role[i].word, role[i].chinese,
                   rights_text(role[i].rights, rights),
                   role[i].administrator ? "alone, on the machine" : "for a site, or for all");
}
