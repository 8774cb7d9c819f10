/*
 * entries.c - what is shown of a person's state.
 *
 *     shown = the entry as the server said it  +  every mutation that waits for its key, in the order written, by the type's rule (sync/merge.h)
 *
 * Nothing is stored of the sum, so it is right whatever arrives. When the server has taken a mutation, its value goes into the entry in the same transaction:
 * the page of entries that will say so may come later.
 *
 * During a reset old and new entries are told apart by the round in which they came; the old ones are shown until it is complete.
 */
#include "clients/c/entries.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/count.h"
#include "clients/c/outbox.h"

enum { TOLD_MOST = 256 };

/* ---- who is told ---- */

void tjzw_on_change(struct tjzw *t, tjzw_changed_fn *fn, void *ctx)
{
    t->changed = fn;
    t->changed_ctx = ctx;
}

void entries_changed(struct tjzw *t, const char *type, const char *key)
{
    struct change *c;

    if (!t->changed)
        return;
    t->all_changed |= !type || t->changes_n == TOLD_MOST;
    if (t->all_changed)
        return;
    t->changes = realloc(t->changes, (t->changes_n + 1) * sizeof *t->changes);
    if (!t->changes)
        abort();
    c = &t->changes[t->changes_n++];
    snprintf(c->type, sizeof c->type, "%s", type);
    snprintf(c->key, sizeof c->key, "%s", key);
}

void entries_tell(struct tjzw *t, bool committed)
{
    struct change *changes = t->changes;
    size_t n = t->changes_n;
    bool all = t->all_changed;

    t->changes = NULL;
    t->changes_n = 0;
    t->all_changed = false;
    if (committed && t->changed && all)
        t->changed(t->changed_ctx, NULL, NULL);
    for (size_t i = 0; committed && t->changed && !all && i < n; i++)
        t->changed(t->changed_ctx, changes[i].type, changes[i].key);
    free(changes);
}

/* ---- what entries mean beside themselves ---- */

static enum tjzw_code keep_favourite(struct tjzw *t, const char *key, bool keep,
                                     struct tjzw_error *e)
{
    const char *slash = strchr(key, '/');
    char name[WIRE_STREAM_MAX + 1];
    uint8_t id[WIRE_ID];
    struct stream s;
    enum tjzw_code rc;

    if (!slash || slash - key > WIRE_STREAM_MAX || !store_take_id(slash + 1, id))
        return TJZW_OK;
    snprintf(name, sizeof name, "%.*s", (int)(slash - key), key);
    if (stream_find(t, name, &s, NULL) || !s.no)
        return TJZW_OK;
    rc = store_do(t, e, keep ? STMT_KEPT_PUT : STMT_KEPT_DROP, "ib", s.no, (const void *)id,
                  sizeof id);
    if (!rc && !keep)
        rc = store_do(t, e, STMT_ITEM_UNKEEP, "ib", s.no, (const void *)id, sizeof id);
    return rc;
}

enum tjzw_code entries_heed(struct tjzw *t, int64_t person, const char *type, const char *key,
                            const char *value, struct tjzw_error *e)
{
    if (strcmp(type, "fav") == 0)
        return keep_favourite(t, key, value != NULL, e);
    if (strcmp(type, "consent") == 0 && strcmp(key, "counts") == 0 &&
        (!value || strcmp(value, "true") != 0))
        return count_forget(t, person, e);
    return TJZW_OK;
}

/* The keys of a statement's only column, in memory of their own. */
static enum tjzw_code old_favourites(struct tjzw *t, int64_t person, int64_t round,
                                     struct shown_list *out, struct tjzw_error *e)
{
    sqlite3_stmt *q = store_bound(t, e, STMT_ENTRY_FAVS, "ii", person, round);
    enum tjzw_code rc;
    bool any;

    if (!q)
        return TJZW_STORE;
    while (!(rc = store_step(t, q, &any, e)) && any) {
        out->at = realloc(out->at, (out->n + 1) * sizeof *out->at);
        if (!out->at)
            abort();
        out->at[out->n++] =
            (struct shown){ .key = strdup((const char *)sqlite3_column_text(q, 0)) };
    }
    store_reset(q);
    return rc;
}

enum tjzw_code entries_unkeep(struct tjzw *t, int64_t person, int64_t round,
                              struct tjzw_error *e)
{
    struct shown_list favs = { 0 };
    enum tjzw_code rc = round == INT64_MAX ? entries_list(t, person, "fav", NULL, &favs, e)
                                           : old_favourites(t, person, round, &favs, e);

    for (size_t i = 0; i < favs.n && !rc; i++)
        rc = keep_favourite(t, favs.at[i].key, false, e);
    entries_free(&favs);
    return rc;
}

/* ---- what the server says ---- */

static enum tjzw_code put(struct tjzw *t, const struct person *p, const char *type,
                          const char *key, const char *value, int64_t seq, const char *needs,
                          struct tjzw_error *e)
{
    enum tjzw_code rc;

    if (value)
        rc = store_do(t, e, STMT_ENTRY_PUT, "itttiti", p->no, type, key, value, seq, needs,
                      p->round);
    else
        rc = store_do(t, e, STMT_ENTRY_DROP, "itt", p->no, type, key);
    entries_changed(t, type, key);
    return rc ? rc : entries_heed(t, p->no, type, key, value, e);
}

enum tjzw_code entries_take(struct tjzw *t, const struct person *p, const char *type,
                            const char *key, const char *value, int64_t seq, const char *needs,
                            struct tjzw_error *e)
{
    return put(t, p, type, key, value, seq, needs, e);
}

enum tjzw_code entries_took(struct tjzw *t, const struct person *p, const char *type,
                            const char *key, const char *value, int64_t seq,
                            struct tjzw_error *e)
{
    const struct state_type *s = state_type_find(type);
    sqlite3_stmt *q = store_bound(t, e, STMT_ENTRY_GET, "itt", p->no, type, key);
    char room[MERGE_MAX], *held = NULL;
    enum tjzw_code rc;
    int64_t at = 0;
    bool any;

    if (!q)
        return TJZW_STORE;
    if (!(rc = store_step(t, q, &any, e)) && any) {
        held = strdup((const char *)sqlite3_column_text(q, 0));
        at = sqlite3_column_int64(q, 1);
    }
    store_reset(q);
    if (!rc)
        rc = put(t, p, type, key, s ? merge_value(s->rule, held, value, room) : value,
                 seq ? seq : at, NULL, e);
    free(held);
    return rc;
}

enum tjzw_code entries_settle(struct tjzw *t, const struct person *p, struct tjzw_error *e)
{
    enum tjzw_code rc = entries_unkeep(t, p->no, p->round, e);

    entries_changed(t, NULL, NULL);
    return rc ? rc : store_do(t, e, STMT_ENTRY_OLD, "ii", p->no, p->round);
}

enum tjzw_code entries_write_again(struct tjzw *t, int64_t from, int64_t to,
                                   struct tjzw_error *e)
{
    enum tjzw_code rc = store_do(t, e, STMT_MUTATION_RENUMBER, "i", from);
    sqlite3_stmt *q;
    bool any;

    if (rc)
        return rc;
    if (!(q = store_bound(t, e, STMT_ENTRY_ALL, "i", from)))
        return TJZW_STORE;
    while (!(rc = store_step(t, q, &any, e)) && any) {
        const char *type = (const char *)sqlite3_column_text(q, 0),
                   *key = (const char *)sqlite3_column_text(q, 1);
        const struct state_type *s = state_type_find(type);
        bool newer = false;

        if (!s || s->writer != STATE_BY_PHONE || strcmp(type, "seen") == 0)
            continue; /* "seen" is of a message, and messages are the old guest's */
        if ((rc = outbox_waits(t, from, type, key, &newer, e)))
            break;
        if (newer && s->rule != MERGE_UNION)
            continue;
        if ((rc = store_do(t, e, STMT_MUTATION_ADD, "itttitt", to, type, key,
                           (const char *)sqlite3_column_text(q, 2), t->clock(), NULL, NULL)))
            break;
    }
    store_reset(q);
    return rc;
}

/* ---- what is shown ---- */

struct folding {
    struct shown_list *out;
    enum merge_rule rule;
    char *key, *value; /* the one that is being put together */
    bool pending, hidden;
};

static void emit(struct folding *f)
{
    struct shown_list *l = f->out;

    if (!f->key || !f->value || f->hidden) {
        free(f->key);
        free(f->value);
    } else {
        l->at = realloc(l->at, (l->n + 1) * sizeof *l->at);
        if (!l->at)
            abort();
        l->at[l->n++] = (struct shown){ f->key, f->value, f->pending };
    }
    f->key = f->value = NULL;
    f->pending = f->hidden = false;
}

static void fold(struct folding *f, const char *key, const char *value, bool waits)
{
    char room[MERGE_MAX];
    const char *now;

    if (!f->key || strcmp(f->key, key) != 0) {
        emit(f);
        f->key = strdup(key);
    }
    now = waits ? merge_value(f->rule, f->value, value, room) : value;
    f->pending |= waits;
    if (now != f->value) {
        char *before = f->value;

        f->value = now ? strdup(now) : NULL;
        free(before);
    }
}

/* Whether all public content that an entry points at is held. What is not followed here cannot be waited for. */
static bool has_what_it_needs(struct tjzw *t, const char *needs)
{
    json_t *all = json_loads(needs, 0, NULL), *cursor;
    const char *name;
    bool good = true;

    json_object_foreach(all, name, cursor)
    {
        const char *text = json_string_value(cursor);
        struct wire_note signatures;
        struct wire_cursor wanted;
        struct wire_head head;
        struct sync_err ignored;
        char note[WIRE_HEAD_MAX];
        struct stream s;
        size_t n;

        if (!text || wire_cursor_parse(&ignored, text, strlen(text), &wanted) ||
            stream_find(t, name, &s, NULL) || !s.no ||
            stream_head(&s, &head, note, &n, &signatures, NULL))
            continue;
        good &=
            head.epoch > wanted.epoch || (head.epoch == wanted.epoch && head.seq >= wanted.seq);
    }
    json_decref(all);
    return good;
}

/* Whether it pointed at more of this stream than was held. */
static bool waited_for(const char *needs, const char *stream, struct wire_cursor held)
{
    json_t *all = json_loads(needs, 0, NULL);
    const char *text = json_string_value(json_object_get(all, stream));
    struct wire_cursor wanted;
    struct sync_err ignored;
    bool waited =
        text && !wire_cursor_parse(&ignored, text, strlen(text), &wanted) &&
        (wanted.epoch > held.epoch || (wanted.epoch == held.epoch && wanted.seq > held.seq));

    json_decref(all);
    return waited;
}

enum tjzw_code entries_came(struct tjzw *t, const char *stream, struct wire_cursor before,
                            struct tjzw_error *e)
{
    sqlite3_stmt *q;
    enum tjzw_code rc;
    bool any;

    if (!t->changed)
        return TJZW_OK;
    if (!(q = store_bound(t, e, STMT_ENTRY_NEEDING, "")))
        return TJZW_STORE;
    while (!(rc = store_step(t, q, &any, e)) && any) {
        const char *needs = (const char *)sqlite3_column_text(q, 2);

        if (waited_for(needs, stream, before) && has_what_it_needs(t, needs))
            entries_changed(t, (const char *)sqlite3_column_text(q, 0),
                            (const char *)sqlite3_column_text(q, 1));
    }
    store_reset(q);
    entries_tell(t, rc == TJZW_OK);
    return rc;
}

enum tjzw_code entries_list(struct tjzw *t, int64_t person, const char *type, const char *key,
                            struct shown_list *out, struct tjzw_error *e)
{
    const struct state_type *s = state_type_find(type);
    struct folding f = { .out = out, .rule = s ? s->rule : MERGE_LAST };
    sqlite3_stmt *q = store_bound(t, e, STMT_ENTRY_LIST, "itt", person, type, key);
    enum tjzw_code rc;
    bool any;

    *out = (struct shown_list){ 0 };
    if (!q)
        return TJZW_STORE;
    while (!(rc = store_step(t, q, &any, e)) && any) {
        const char *needs = (const char *)sqlite3_column_text(q, 2);

        fold(&f, (const char *)sqlite3_column_text(q, 0),
             (const char *)sqlite3_column_text(q, 1), sqlite3_column_int64(q, 3) > 0);
        f.hidden |= needs && !has_what_it_needs(t, needs);
    }
    store_reset(q);
    emit(&f);
    return rc;
}

void entries_free(struct shown_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->at[i].key);
        free(list->at[i].value);
    }
    free(list->at);
    *list = (struct shown_list){ 0 };
}

enum tjzw_code tjzw_entries(struct tjzw *t, const char *type, const char *key,
                            tjzw_entry_fn *fn, void *ctx, struct tjzw_error *e)
{
    struct shown_list list = { 0 };
    struct person p;
    enum tjzw_code rc;

    if (!type)
        return fail_with(e, TJZW_USAGE, "no type");
    if (!(rc = person_here(t, &p, e)) && p.no)
        rc = entries_list(t, p.no, type, key, &list, e);
    if (!rc && key && list.n == 0)
        rc = fail_with(e, TJZW_NOT_FOUND, "no such entry");
    for (size_t i = 0; i < list.n && !rc; i++) {
        const struct tjzw_entry entry = { type, list.at[i].key, list.at[i].value,
                                          list.at[i].pending };

        if (!fn(ctx, &entry))
            break;
    }
    entries_free(&list);
    return rc;
}
