/*
 * places.c - a short list in the work's arena, the latest found in front; and names looked up.
 */
#include "api/places.h"

#include <stdlib.h>
#include <string.h>

#include "server/library/stream.h"

struct place {
    struct place *next;
    bool is_site;
    int64_t no;
    struct site site;
    struct column column;
};

static struct place *find(struct places *p, bool is_site, int64_t no)
{
    for (struct place **at = &p->first; *at; at = &(*at)->next) {
        struct place *found = *at;

        if (found->is_site != is_site || found->no != no)
            continue;
        *at = found->next;
        found->next = p->first;
        p->first = found;
        return found;
    }
    return NULL;
}

static struct place *add(struct work *w, struct places *p, bool is_site, int64_t no)
{
    struct place *new = arena_zalloc(w->mem, sizeof *new);

    new->is_site = is_site;
    new->no = no;
    new->next = p->first;
    p->first = new;
    return new;
}

enum rc places_site(struct work *w, struct places *p, int64_t no, const struct site **out)
{
    struct place *place = find(p, true, no);
    struct site site;
    enum rc rc;

    if (!place) {
        if ((rc = site_by_no(w, no, &site)))
            return rc;
        place = add(w, p, true, no);
        place->site = site;
    }
    *out = &place->site;
    return RC_OK;
}

enum rc places_column(struct work *w, struct places *p, int64_t no, const struct column **out)
{
    struct place *place = find(p, false, no);
    struct column column;
    enum rc rc;

    if (!place) {
        if ((rc = column_by_no(w, no, &column)))
            return rc;
        place = add(w, p, false, no);
        place->column = column;
    }
    *out = &place->column;
    return RC_OK;
}

/* ---- by what people call them ---- */

enum { NUMBER_DIGITS = 9 }; /* a SiteIDCode has ten */

static bool is_number(const char *name)
{
    size_t n = strspn(name, "0123456789");

    return n && n <= NUMBER_DIGITS && !name[n];
}

enum rc place_site(struct work *w, const char *name, struct site *out)
{
    enum rc rc = site_find(w, name, out);

    return rc == RC_NOT_FOUND && is_number(name) ? site_by_no(w, atoll(name), out) : rc;
}

enum rc place_stream(struct work *w, const char *name, int64_t *no)
{
    struct stream stream;
    enum rc rc;

    if (!name)
        return RC_OK;
    rc = stream_find(w, name, &stream);
    if (rc == RC_NOT_FOUND)
        return err_set(&w->err, rc, "there is no stream \"%.32s\" (setting: streams)", name);
    if (!rc)
        *no = stream.no;
    return rc;
}

enum rc place_site_in(struct work *w, const json_t *body, struct site *out)
{
    const json_t *name = json_object_get(body, "site");

    if (!name)
        return err_field(&w->err, "/site", "site, a site's code or number, is missing");
    if (json_is_integer(name))
        return site_by_no(w, json_integer_value(name), out);
    if (!json_is_string(name))
        return err_field(&w->err, "/site", "site should be a site's code or number");
    return place_site(w, json_string_value(name), out);
}

enum rc place_column_in(struct work *w, const json_t *body, int64_t site, struct column *out)
{
    const json_t *name = json_object_get(body, "column");
    struct site named = { .no = site };
    const char *path;
    enum rc rc;

    if (!name)
        return err_field(&w->err, "/column", "column, a column's path or number, is missing");
    if (json_is_integer(name))
        return column_by_no(w, json_integer_value(name), out);
    if (!json_is_string(name))
        return err_field(&w->err, "/column", "column should be a column's path or number");
    path = json_string_value(name);
    if (!site && !json_object_get(body, "site") && is_number(path))
        return column_by_no(w, atoll(path), out);
    if ((!site || json_object_get(body, "site")) && (rc = place_site_in(w, body, &named)))
        return rc;
    rc = column_at(w, named.no, path, false, out);
    return rc == RC_NOT_FOUND && is_number(path) ? column_by_no(w, atoll(path), out) : rc;
}

struct jx_field place_field(const json_t *body, const char *name, bool required)
{
    if (json_is_integer(json_object_get(body, name)))
        return (struct jx_field){ name, JX_INT, required, 1, INT32_MAX };
    return (struct jx_field){ name, JX_TEXT, required, 1, 600 };
}

enum rc place_org(struct work *w, const char *name, struct org *out)
{
    enum rc rc = org_find(w, name, out);

    return rc == RC_NOT_FOUND && is_number(name) ? org_by_no(w, atoll(name), out) : rc;
}

enum rc place_org_in(struct work *w, const json_t *body, const char *member, int64_t *no)
{
    const json_t *name = json_object_get(body, member);
    struct org org = { 0 };
    enum rc rc = RC_OK;

    if (!name)
        return RC_OK;
    if (json_is_string(name))
        rc = place_org(w, json_string_value(name), &org);
    else if (json_integer_value(name))
        rc = org_by_no(w, json_integer_value(name), &org);
    if (!rc)
        *no = org.no;
    return rc;
}

struct jx_field place_org_field(const json_t *body, const char *member)
{
    if (json_is_integer(json_object_get(body, member)))
        return (struct jx_field){ member, JX_INT, false, 0, INT32_MAX };
    return (struct jx_field){ member, JX_TEXT, false, 1, 64 };
}
