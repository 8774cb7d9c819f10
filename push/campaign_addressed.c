/*
 * campaign_addressed.c - the field `recipients` of a campaign's record.
 */
#include "push/campaign_addressed.h"

#include <string.h>

#include "server/library/content.h"
#include "server/library/item_row.h"

/* Canonical JSON, in w->mem; NULL: it says none. */
static enum rc read_recipients(struct work *w, const struct item *it, int64_t rev,
                               const char **out)
{
    const struct slice *s;
    struct content content;
    enum rc rc;

    *out = NULL;
    if (it->kind != KIND_MESSAGE || (rc = revision_content(w, it, rev, &content)))
        return it->kind != KIND_MESSAGE ? RC_OK : rc;
    s = &content.value[FIELD_recipients];
    if (s->n)
        *out = arena_strndup(w->mem, s->p, s->n);
    return RC_OK;
}

enum rc campaign_address(struct work *w, json_t *body)
{
    const char *id = json_string_value(json_object_get(body, "item")), *text = NULL;
    json_t *recipients;
    struct item it;
    struct id item;
    enum rc rc;

    if (!id || json_object_get(body, "audience") || !id_parse(id, strlen(id), &item))
        return RC_OK;
    rc = item_find(w, &item, &it);
    if (rc || !it.live_rev || (rc = read_recipients(w, &it, it.live_rev, &text)) || !text)
        return rc == RC_NOT_FOUND ? RC_OK : rc;
    if ((rc = jx_object(&w->err, w->mem, text, strlen(text), &recipients)))
        return rc;
    return json_object_set(body, "audience", recipients)
               ? err_set(&w->err, RC_INTERNAL, "a campaign's audience cannot be set")
               : RC_OK;
}

enum rc campaign_addressed(struct work *w, const struct campaign *c, const struct item *it)
{
    const char *text;
    enum rc rc = read_recipients(w, it, c->rev, &text);

    if (rc || !text || !strcmp(text, c->audience))
        return rc;
    return err_field(
        &w->err, "/audience",
        "这条消息写明了对象（recipients），推送的范围要与它相同；不写 audience 就是它");
}
