/*
 * places.c - a short list in the work's arena, the latest found in front.
 */
#include "api/places.h"

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
