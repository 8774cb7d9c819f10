/*
 * mirror_items.c - a mirrored stream's items, sites and columns as rows like our own, so that lists and pages
 * need not know whose they are.
 *
 *     record --> item, revision (its text is the record), attachments
 *     directory --> site, site_column: local numbers; `remote` is the number in that stream
 *
 * Only what is newest stands here; a mirrored item has one revision. Nothing here can refuse the stream, whose bytes
 * its publisher signed: what cannot be listed is served to phones all the same, and logged. An item that another
 * stream has under the same id is not listed.
 *
 * When an item ends is its publisher's to say, so `expires` stays empty here.
 */
#include <inttypes.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/generation.h"
#include "server/base/jx.h"
#include "server/base/log.h"
#include "server/base/metric.h"
#include "server/channel/mirror.h"
#include "server/channel/mirror_files.h"
#include "server/channel/mirror_state.h"
#include "server/identity/party_reach.h"
#include "server/library/item_row.h"
#include "server/library/row.h"
#include "server/library/site.h"
#include "server/library/stream.h"
#include "server/library/takedown.h"
#include "sync/heads.h"

enum { CODE_MAX = 64, NAME_MAX_CHARS = 200, PATH_MAX_CHARS = 1000 };

/* ---- the item ---- */

struct shown { /* the newest record of an item */
    struct id id;
    int64_t born, seq, op, column, date;
    const char *bytes;
    size_t n;
};

static enum rc read_newest(struct work *w, int64_t stream, uint64_t born, struct shown *out)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_sync_single, &q, "ii", stream, (int64_t)born);

    if (!rc) {
        *out = (struct shown){ .seq = rows_int(&q, 0),
                               .born = rows_int(&q, 1),
                               .op = rows_int(&q, 3),
                               .column = rows_int(&q, 6),
                               .date = rows_int(&q, 7) };
        rc = row_bytes(w, &q, 2, out->id.b, sizeof out->id.b);
        out->bytes = rows_dup_blob(w, &q, 11, &out->n);
    }
    return row_finish(&q, rc);
}

static enum rc local_column(struct work *w, int64_t stream, int64_t remote, struct item *it,
                            bool *known)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_mirror_column, &q, "ii", stream, remote);

    if (rc)
        return rc;
    *known = rows_next(&q);
    if (*known) {
        it->col = rows_int(&q, 0);
        it->site = rows_int(&q, 1);
    }
    return rows_done(&q);
}

static enum rc is_withheld(struct work *w, int64_t stream, const struct id *id, bool *is)
{
    struct rows q;
    enum rc rc = db_query(w, SQL_mirror_item_withheld, &q, "ib", stream, id->b, sizeof id->b);

    if (rc)
        return rc;
    *is = rows_next(&q);
    return rows_done(&q);
}

static int64_t time_of(const json_t *record, const char *name, int64_t otherwise)
{
    const char *text = jx_text(record, name);
    int64_t at;

    return text && !clock_parse(text, strlen(text), &at) ? at : otherwise;
}

/* What the record says of the item beside its content. */
static enum rc facts(struct work *w, const struct shown *r, struct item *it, bool is_new)
{
    struct err ignored;
    json_t *record;
    const char *origin, *authority;
    struct item other;
    enum rc rc;

    if (jx_object(&ignored, w->mem, r->bytes, r->n, &record))
        return RC_OK;
    it->rev = jx_int(record, "revision", 1);
    it->published = time_of(record, "published", r->date);
    it->updated = time_of(record, "updated", it->published);
    authority = jx_text(record, "authority");
    origin = jx_text(record, "originId");
    if (!is_new)
        return RC_OK;
    it->authority = authority ? authority : it->authority;
    if (!origin)
        return RC_OK;
    rc = item_by_origin(w, it->authority, origin, &other);
    if (rc == RC_NOT_FOUND) {
        it->origin_id = origin;
        return RC_OK;
    }
    if (!rc) /* we have it from elsewhere too: the record still says where it is from */
        LOG(LOG_WARN, "mirror_origin_taken", L_STR("authority", it->authority),
            L_STR("origin", origin));
    return rc;
}

/* A published one: content, place, one revision. `listed` false: what it says cannot be shown here. */
static enum rc read_put(struct work *w, int64_t stream, const struct shown *r, struct item *it,
                        struct content *c, bool is_new, bool *listed)
{
    struct err why;
    bool known, withheld;
    enum rc rc;

    if ((rc = local_column(w, stream, r->column, it, &known)) ||
        (rc = is_withheld(w, stream, &r->id, &withheld)) || (rc = facts(w, r, it, is_new)))
        return rc;
    *listed = known && !content_parse(&why, w->mem, r->bytes ? r->bytes : "", r->n, c);
    it->state = STATE_PUBLISHED;
    it->live_rev = *listed && !withheld ? it->rev : 0;
    if (*listed) {
        item_describe(it, c, r->date);
        memcpy(it->content_hash, c->hash, sizeof it->content_hash);
    } else {
        char text[ID_TEXT];

        LOG(LOG_WARN, "mirror_not_listed", L_STR("item", id_text(&r->id, text)),
            L_STR("reason", known ? why.text : "its column is not in the directory"));
    }
    it->date = r->date;
    it->expires = 0;
    return RC_OK;
}

static void read_tombstone(const struct shown *r, struct item *it)
{
    it->state = r->op == WIRE_WITHDRAWN ? STATE_WITHDRAWN
                : r->op == WIRE_EXPIRED ? STATE_EXPIRED
                                        : STATE_GONE;
    it->live_rev = 0;
    it->title = "";
    it->summary = NULL;
    it->expires = 0;
    it->date = r->date;
}

static void count(void *items)
{
    metric_add(METRIC_items_published, *(const int64_t *)items);
}

enum rc mirror_gain(struct work *w, int64_t stream, int64_t items)
{
    if (!items)
        return RC_OK;
    work_after_commit(w, count, arena_dup(w->mem, &items, sizeof items));
    return db_run(w, SQL_mirror_stream_gain, "ii", stream, items);
}

static enum rc write_rows(struct work *w, const struct item *it, const struct content *c,
                          bool is_new)
{
    struct revision_new revision = { .item = &it->id,
                                     .rev = it->rev,
                                     .state = STATE_PUBLISHED,
                                     .seq = it->seq,
                                     .content = c,
                                     .update_type = "minor" };
    struct takedown files;
    enum rc rc = takedown_begin(w, &it->id, &files);

    if (rc || (rc = db_run(w, SQL_attachment_forget, "b", it->id.b, sizeof it->id.b)) ||
        (rc = is_new ? item_insert(w, it) : item_update(w, it)) ||
        (rc = db_run(w, SQL_mirror_item_revisions, "b", it->id.b, sizeof it->id.b)) ||
        (c && ((rc = revision_insert(w, &revision)) ||
               (rc = attachments_insert(w, &it->id, it->rev, c)) ||
               (rc = mirror_files_want(w, it->stream, &it->id)))))
        return rc;
    return takedown_files(w, &files); /* those that nobody has any more go */
}

static const char *stream_name(struct work *w, int64_t no)
{
    struct live *l = live_by_no(no);

    (void)w;
    return l ? live_name(l) : "";
}

enum rc mirror_item_show(struct work *w, int64_t stream, uint64_t born)
{
    struct item it;
    struct content c = { 0 };
    struct shown r;
    bool is_new, was_shown, listed = false;
    enum rc rc;

    if ((rc = read_newest(w, stream, born, &r)))
        return rc;
    rc = item_find(w, &r.id, &it);
    is_new = rc == RC_NOT_FOUND;
    if (rc && !is_new)
        return rc;
    if (!is_new && it.stream != stream) {
        char text[ID_TEXT];

        LOG(LOG_WARN, "mirror_id_taken", L_STR("item", id_text(&r.id, text)));
        return RC_OK;
    }
    if (!is_new && it.born != r.born)
        return err_set(&w->err, RC_INVALID, "two items of the stream have one id");
    if (is_new)
        it = (struct item){
            .id = r.id, .stream = stream, .born = r.born, .rev = 1, .title = ""
        };
    if (is_new)
        it.authority = stream_name(w, stream);
    was_shown = !is_new && it.live_rev;
    it.created = is_new ? clock_now() : it.created;
    it.seq = r.seq;
    if (r.op != WIRE_PUT)
        read_tombstone(&r, &it);
    else if ((rc = read_put(w, stream, &r, &it, &c, is_new, &listed)))
        return rc;
    if ((rc = mirror_gain(w, stream, (it.live_rev != 0) - was_shown)))
        return rc;
    return write_rows(w, &it, listed ? &c : NULL, is_new);
}

/* ---- withheld ---- */

static void withheld_changed(void *arg)
{
    (void)arg;
    generation_next();
}

enum rc mirror_withhold(struct work *w, const struct id *id, const char *reason, bool withhold)
{
    struct stream stream;
    struct item it;
    enum rc rc;

    if ((rc = item_find(w, id, &it)) || (rc = work_need_at(w, RIGHT_PUBLISH, it.site)) ||
        (rc = stream_by_no(w, it.stream, &stream)))
        return rc;
    if (!stream.mirrored)
        return err_set(&w->err, RC_CONFLICT, "the item is this server's own: withdraw it");
    if (withhold && (rc = field_need_line(&w->err, "reason", reason, ITEM_NOTE_MAX)))
        return rc;
    rc = db_change(w, withhold ? SQL_withheld_add : SQL_withheld_drop, "ib", it.stream, id->b,
                   sizeof id->b);
    if (rc == RC_CONFLICT || rc == RC_NOT_FOUND)
        return err_set(&w->err, RC_CONFLICT, "the item is %s",
                       withhold ? "withheld already" : "not withheld");
    if (rc || (rc = mirror_item_show(w, it.stream, (uint64_t)it.born)) ||
        (rc = heads_withheld_changed(w, it.stream)) ||
        (rc = db_run(w, SQL_revision_event_add, "bittttti", id->b, sizeof id->b, it.rev,
                     withhold ? "withhold" : "unwithhold", state_name(it.state),
                     state_name(it.state), w->who.name, reason, clock_now())))
        return rc;
    party_reach_public(w);
    work_after_commit(w, withheld_changed, NULL);
    return RC_OK;
}

/* ---- the directory ---- */

static const struct jx_field site_members[] = {
    { "code", JX_TEXT, true, 1, CODE_MAX },
    { "name", JX_TEXT, true, 1, NAME_MAX_CHARS },
    { "domain", JX_TEXT, false, 1, 253 },
    { "no", JX_INT, true, 1, UINT32_MAX },
    {},
};
static const struct jx_field column_members[] = {
    { "keywords", JX_TEXT, false, 0, 1000 },
    { "name", JX_TEXT, true, 1, NAME_MAX_CHARS },
    { "no", JX_INT, true, 1, UINT32_MAX },
    { "parent", JX_INT, true, 0, UINT32_MAX },
    { "path", JX_TEXT, true, 1, PATH_MAX_CHARS },
    { "position", JX_INT, false, INT32_MIN, INT32_MAX },
    { "site", JX_INT, true, 1, UINT32_MAX },
    { "type", JX_TEXT, true, 1, 64 },
    {},
};

/* RC_OK and *no 0: there is none. */
static enum rc number(struct work *w, enum sql sql, int64_t stream, int64_t remote, int64_t *no)
{
    struct rows q;
    enum rc rc = db_query(w, sql, &q, "ii", stream, remote);

    if (rc)
        return rc;
    *no = rows_next(&q) ? rows_int(&q, 0) : 0;
    return rows_done(&q);
}

/* Another site may have the code: then ours has the stream's name before it, and a number behind if need be. */
static enum rc free_code(struct work *w, const char *stream_name, const json_t *site,
                         const char **out)
{
    const char *code = jx_text(site, "code");
    struct site other;
    enum rc rc;

    *out = code;
    for (int i = 1; !(rc = site_find(w, *out, &other)); i++) {
        *out = i == 1 ? arena_printf(w->mem, "%s:%s", stream_name, code)
                      : arena_printf(w->mem, "%s:%s:%d", stream_name, code, i);
        if (strlen(*out) > CODE_MAX)
            *out = arena_printf(w->mem, "%s:%" PRId64 ":%d", stream_name, jx_int(site, "no", 0),
                                i);
    }
    return rc == RC_NOT_FOUND ? RC_OK : rc;
}

static enum rc put_site(struct work *w, int64_t stream, const char *name, const json_t *site)
{
    int64_t remote = jx_int(site, "no", 0), no;
    const char *code;
    struct rows q;
    enum rc rc = number(w, SQL_mirror_site, stream, remote, &no);

    if (rc)
        return rc;
    if (no)
        return db_run(w, SQL_mirror_site_set, "itt", no, jx_text(site, "name"),
                      jx_text(site, "domain"));
    if ((rc = free_code(w, name, site, &code)))
        return rc;
    rc = db_one(w, SQL_mirror_site_add, &q, "itttii", stream, code, jx_text(site, "name"),
                jx_text(site, "domain"), clock_now(), remote);
    return row_finish(&q, rc);
}

/* The publisher may name two alike: the later one gets a number behind its path. */
static enum rc free_path(struct work *w, int64_t site, int64_t remote, const char *path,
                         const char **out)
{
    *out = path;
    for (int i = 2;; i++) {
        struct rows q;
        bool taken = false;
        enum rc rc = db_query(w, SQL_mirror_path_of, &q, "it", site, *out);

        if (rc)
            return rc;
        if (rows_next(&q))
            taken = rows_int(&q, 0) != remote;
        if ((rc = rows_done(&q)) || !taken)
            return rc;
        *out = arena_printf(w->mem, "%s %d", path, i);
    }
}

static enum rc put_column(struct work *w, int64_t stream, const json_t *c)
{
    int64_t remote = jx_int(c, "no", 0), no, site, parent = 0;
    const char *path;
    struct rows q;
    enum rc rc;

    if ((rc = number(w, SQL_mirror_column, stream, remote, &no)) ||
        (rc = number(w, SQL_mirror_site, stream, jx_int(c, "site", 0), &site)) ||
        (jx_int(c, "parent", 0) &&
         (rc = number(w, SQL_mirror_column, stream, jx_int(c, "parent", 0), &parent))))
        return rc;
    if (!site)
        return err_set(&w->err, RC_INVALID, "the directory has a column without a site");
    if ((rc = free_path(w, site, remote, jx_text(c, "path"), &path)))
        return rc;
    if (no)
        return db_run(w, SQL_mirror_column_set, "iiitttti", no, site, parent,
                      jx_text(c, "name"), path, jx_text(c, "type"), jx_text(c, "keywords"),
                      jx_int(c, "position", 0));
    rc = db_one(w, SQL_mirror_column_add, &q, "iittttiii", site, parent, jx_text(c, "name"),
                path, jx_text(c, "type"), jx_text(c, "keywords"), jx_int(c, "position", 0),
                clock_now(), remote);
    return row_finish(&q, rc);
}

static enum rc as_invalid(struct work *w, enum rc rc)
{
    return rc == RC_CONFLICT
               ? err_set(&w->err, RC_INVALID, "the directory names two columns or sites alike")
               : rc;
}

/* A parent has a lower number than its children, as is the order of the list. */
enum rc mirror_directory(struct work *w, int64_t stream, const char *name, const char *text,
                         size_t n)
{
    const json_t *sites, *columns;
    json_t *directory;
    enum rc rc;

    if ((rc = jx_object(&w->err, w->mem, text, n, &directory)) ||
        (rc = db_run(w, SQL_mirror_sites_close, "i", stream)) ||
        (rc = db_run(w, SQL_mirror_columns_close, "i", stream)))
        return rc;
    sites = json_object_get(directory, "sites");
    columns = json_object_get(directory, "columns");
    if (!json_is_array(sites) || !json_is_array(columns))
        return err_set(&w->err, RC_INVALID, "the directory has no sites or no columns");
    for (size_t i = 0; i < json_array_size(sites) && !rc; i++) {
        const json_t *site = json_array_get(sites, i);

        if (!(rc = jx_check_known(&w->err, site, site_members, "sites")))
            rc = put_site(w, stream, name, site);
    }
    for (size_t i = 0; i < json_array_size(columns) && !rc; i++) {
        const json_t *column = json_array_get(columns, i);

        if (!(rc = jx_check_known(&w->err, column, column_members, "columns")))
            rc = put_column(w, stream, column);
    }
    return as_invalid(w, rc);
}
