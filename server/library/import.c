/*
 * import.c - records from elsewhere: what their members mean here, and what an import changes.
 *
 *     id        origin_id: its name at its authority; the same name again is the same item
 *     source    the site (made if need be, by who may edit: code and name are the source) and,
 *               unless the record has its own contentSource, what readers see as the source
 *     column    path of the column in that site
 *     pubDate   sourceDate
 *     url       sourceUrl
 *     kind      when absent: notice in a column 通知公告, policy with a docNumber, else article
 *     part, licence, origin-*
 *               provenance of the collection, not of the text: dropped
 *
 * All other members are fields of field.def and go by their own rules.
 * A line of `tjzw export` is a record too: originId is its id and `site` its source.
 *
 *                     | no such item    same content            other content
 *     ----------------+---------------------------------------------------------------
 *     not publishing  | draft           unchanged               new draft
 *     publishing      | published       a draft is published;   new revision, published
 *                     |                 moved, if the column
 *                     |                 is another one
 *
 * What a rule blocks (ruling.h) is taken as if nothing were to be published, and the line is held.
 * What somebody withdrew stays withdrawn: an import adds a draft and brings nothing back. What
 * was taken down for good takes no new text.
 *
 * The promise: a line either has its whole effect or none. All that can be refused is refused
 * before the first row of the item is written; what fails later is the store's failure and
 * takes the chunk with it.
 */
#include "server/library/import.h"

#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/jx.h"
#include "server/base/metric.h"
#include "server/identity/audit.h"
#include "server/library/agreement.h"
#include "server/library/chain.h"
#include "server/library/column.h"
#include "server/library/eyes.h"
#include "server/library/item_row.h"
#include "server/library/publish.h"
#include "server/library/row.h"
#include "server/library/ruling.h"
#include "server/library/site.h"
#include "server/library/stream.h"

enum { ORIGIN_ID_MAX = 200, SOURCE_MAX = 64, AUTHORITY_MAX = 100 };

const char *import_result_name(enum import_result r)
{
    static const char *const names[IMPORT_RESULTS] = {
        [IMPORT_REFUSED] = "refused",     [IMPORT_CREATED] = "created",
        [IMPORT_UPDATED] = "updated",     [IMPORT_MOVED] = "moved",
        [IMPORT_UNCHANGED] = "unchanged",
    };

    return names[r];
}

/* ---- the first step: one line, no database ---- */

/* Members that content_read() does not know and need not. */
static const char *const foreign[] = { "source",  "pubDate",  "url", "part",
                                       "licence", "origin-*", NULL };

static const struct {
    const char *theirs, *ours;
} renamed[] = { { "pubDate", "sourceDate" },
                { "url", "sourceUrl" },
                { "source", "contentSource" } };

enum {
    ALWAYS = 2,
    RENAMED = 3
}; /* source has another use, and may stand beside contentSource */

/* The value of `theirs` under the name we use as well, unless the record has that too. */
static enum rc rename_members(struct err *e, json_t *record, const char *source)
{
    for (int i = 0; i < RENAMED; i++) {
        const char *theirs = i < ALWAYS ? renamed[i].theirs : source;
        json_t *v = json_object_get(record, theirs);
        bool both = v && json_object_get(record, renamed[i].ours);

        if (both && i < ALWAYS)
            return err_field(e, theirs, "%s and %s mean the same: give one", theirs,
                             renamed[i].ours);
        if (v && !both && json_object_set(record, renamed[i].ours, v))
            return err_set(e, RC_INTERNAL, "cannot rename %s", theirs);
    }
    return RC_OK;
}

/* The reason speaks of the member that the line has. */
static void name_theirs(struct err *e, struct arena *mem, const json_t *record)
{
    for (int i = 0; i < RENAMED; i++) {
        size_t n = strlen(renamed[i].ours);

        if (strcmp(e->field, renamed[i].ours) || !json_object_get(record, renamed[i].theirs))
            continue;
        if (!strncmp(e->text, renamed[i].ours, n))
            (void)err_field(e, renamed[i].theirs, "%s%s", renamed[i].theirs,
                            arena_strdup(mem, e->text + n));
        return;
    }
}

/* A line of text that must be there. */
static enum rc take_line(struct err *e, const json_t *record, const char *name, int64_t max,
                         const char **out)
{
    const json_t *v = json_object_get(record, name);
    enum rc rc;

    if (!v)
        return err_field(e, name, "%s is missing", name);
    if (!json_is_string(v))
        return err_field(e, name, "%s should be a string", name);
    if ((rc = field_check_line(e, name, json_string_value(v), json_string_length(v), 1, max)))
        return rc;
    *out = json_string_value(v);
    return RC_OK;
}

/* It will stand in URLs, in file names of exports and in logs of others. */
static enum rc check_origin_id(struct err *e, const char *id)
{
    if (id[0] == '.' || strpbrk(id, "/\\ \"'<>"))
        return err_field(e, "id", "an id has no path, blanks, quotes or angle brackets");
    return RC_OK;
}

static enum rc take_kind(struct err *e, const json_t *record, const char *column,
                         enum item_kind *out)
{
    const json_t *v = json_object_get(record, "kind");
    int kind;

    if (!v) {
        *out = strstr(column, "通知公告")             ? KIND_NOTICE
               : json_object_get(record, "docNumber") ? KIND_POLICY
                                                      : KIND_ARTICLE;
        return RC_OK;
    }
    if (!json_is_string(v))
        return err_field(e, "kind", "kind should be a string");
    if ((kind = kind_parse(json_string_value(v))) < 0)
        return err_field(e, "kind", "there is no kind \"%.20s\"", json_string_value(v));
    *out = (enum item_kind)kind;
    return RC_OK;
}

static enum rc prepare(struct err *e, struct arena *mem, const char *line, size_t n,
                       struct import_line *out)
{
    const char *source_name;
    enum item_kind kind = KIND_ARTICLE;
    json_t *record;
    enum rc rc;

    if (n > IMPORT_LINE_MAX)
        return err_set(e, RC_TOO_LARGE, "the line is longer than %d bytes", IMPORT_LINE_MAX);
    if ((rc = jx_object(e, mem, line, n, &record)))
        return rc;
    source_name = json_object_get(record, "source") || !json_object_get(record, "site")
                      ? "source"
                      : "site";
    if ((rc = take_line(e, record, json_object_get(record, "originId") ? "originId" : "id",
                        ORIGIN_ID_MAX, &out->origin_id)) ||
        (rc = check_origin_id(e, out->origin_id)) ||
        (rc = take_line(e, record, source_name, SOURCE_MAX, &out->source)) ||
        (rc = take_line(e, record, "column", COLUMN_PATH_MAX, &out->column)) ||
        (rc = column_path_check(e, out->column)) ||
        (rc = take_kind(e, record, out->column, &kind)) ||
        (rc = rename_members(e, record, source_name)))
        return rc;
    if (json_object_get(record, "html"))
        return err_field(e, "html", "html is not taken: send the text as body");
    if ((rc = item_check_staff(e, kind)))
        return rc;
    if ((rc = content_read(e, mem, kind, record, foreign, &out->content)))
        name_theirs(e, mem, record);
    return rc;
}

void import_prepare(struct arena *mem, const char *line, size_t n, struct import_line *out)
{
    static const char mark[] = "\xef\xbb\xbf"; /* some editors begin a file with it */

    if (n >= 3 && !memcmp(line, mark, 3)) {
        line += 3;
        n -= 3;
    }
    *out = (struct import_line){ .result = IMPORT_REFUSED };
    if (!prepare(&out->why, mem, line, n, out))
        out->why.rc = RC_OK;
}

void import_check(struct arena *mem, struct import_line *line, bool publish)
{
    if (!line->why.rc)
        ruling_prepare(mem, &line->content, publish ? CHECK_PUBLISH : CHECK_SAVE);
}

/* ---- the second step: inside the writer ---- */

struct where { /* a place that records of this chunk named */
    const char *source, *column;
    int64_t site, col;
    struct item_place place;
    bool reviews; /* the site reviews what comes in */
};

struct chunk {
    struct work *w;
    const struct import_options *o;
    const char *source; /* of the line that is being applied, and what follows from it: */
    int64_t stream;
    const char *authority;
    struct buf places; /* of struct where */
    bool broke;        /* an emergency was said, and it counted */
};

/* A site's records go to its stream; one that is still to be made is of the stream that was asked for. */
static enum rc aim(struct chunk *c, const struct import_line *line)
{
    const char *source = c->o->site ? c->o->site : line->source;
    struct stream stream;
    struct site site;
    enum rc rc;

    if (c->source && !strcmp(c->source, source))
        return RC_OK;
    rc = site_find(c->w, source, &site);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    if ((rc = stream_by_no(c->w, rc ? c->o->stream : site.stream, &stream)))
        return rc;
    c->source = source;
    c->stream = stream.no;
    c->authority = c->o->authority ? c->o->authority : arena_strdup(c->w->mem, stream.name);
    return RC_OK;
}

static enum rc find_site(struct chunk *c, const char *code, struct site *out)
{
    struct work *w = c->w;
    enum rc rc = site_find(w, code, out);

    if (rc == RC_NOT_FOUND && c->o->create) {
        *out = (struct site){ .stream = c->stream, .code = code, .name = code };
        if ((rc = site_create(w, out)) == RC_INVALID)
            snprintf(w->err.field, sizeof w->err.field, "source");
        return rc;
    }
    if (!rc && !out->open)
        return err_field(&w->err, "source", "the site \"%.64s\" is closed", code);
    return rc;
}

/* Where a record is to stand, and where it stands until now. */
static enum rc need_site(const struct chunk *c, int64_t site)
{
    enum rc rc = work_need_at(c->w, RIGHT_IMPORT, site);

    return rc || !c->o->publish ? rc : work_need_at(c->w, RIGHT_PUBLISH, site);
}

static enum rc find_place(struct chunk *c, const struct import_line *line, struct where *out)
{
    const struct where *known = (const struct where *)(const void *)c->places.p;
    const char *source = c->o->site ? c->o->site : line->source;
    struct where at = { .source = source, .column = line->column };
    enum accepts accepts = ACCEPTS_NONE;
    struct column column;
    struct chain chain;
    struct site site;
    enum rc rc;

    for (size_t i = c->places.n / sizeof *known; i-- > 0;)
        if (!strcmp(known[i].column, line->column) && !strcmp(known[i].source, source)) {
            *out = known[i];
            return RC_OK;
        }
    if ((rc = find_site(c, source, &site)) || (rc = need_site(c, site.no)) ||
        (rc = column_at(c->w, site.no, line->column, c->o->create, &column)))
        return rc;
    if (!column.open)
        return err_field(&c->w->err, "column", "the column \"%.200s\" is closed", line->column);
    if ((rc = chain_of(c->w, site.no, &chain)))
        return rc;
    if (chain.own && (rc = agreement_holds(c->w, site.no, c->w->who.name, &accepts)))
        return rc;
    at.reviews = chain.own && !c->o->agreed && accepts != ACCEPTS_PUBLISH;
    at.site = site.no;
    at.col = column.no;
    at.place = (struct item_place){ .site = site.code, .column = column.path };
    buf_add(&c->places, &at, sizeof at);
    *out = at;
    return RC_OK;
}

/* A revision that is public from its first moment; the rows of the item are the caller's. */
static enum rc publish_new(struct chunk *c, struct item *it, const struct content *content,
                           const struct where *at, const char *update_type)
{
    struct work *w = c->w;
    enum state to;
    enum rc rc;

    it->site = at->site;
    it->col = at->col;
    memcpy(it->content_hash, content->hash, sizeof it->content_hash);
    if ((rc = state_step(w, VERB_IMPORT, at->site, STATE_DRAFT, NULL, &to)) ||
        (rc = item_put(w, it, content, it->rev, &at->place, 0)) ||
        (rc = revision_insert(w, &(struct revision_new){ &it->id, it->rev, to, it->seq, content,
                                                         update_type, NULL })) ||
        (rc = revision_log(w, &it->id, it->rev, VERB_IMPORT, STATE_DRAFT, to,
                           at->reviews ? c->o->emergency : NULL)))
        return rc;
    it->state = to;
    return attachments_insert(w, &it->id, it->rev, content);
}

static enum rc create(struct chunk *c, struct import_line *line, const struct where *at)
{
    struct item it = { .id = id_new(),
                       .stream = c->stream,
                       .born = -1,
                       .rev = 1,
                       .authority = c->authority,
                       .origin_id = line->origin_id,
                       .created = clock_now() };
    enum rc rc;

    if (c->o->publish && !line->held && !line->unreviewed) {
        if ((rc = publish_new(c, &it, &line->content, at, "major")) ||
            (rc = item_insert(c->w, &it)))
            return rc;
    } else if ((rc = item_create(c->w,
                                 &(struct item_new){ at->site, at->col, &line->content,
                                                     c->authority, line->origin_id },
                                 &it))) {
        return rc;
    }
    line->id = it.id;
    line->result = IMPORT_CREATED;
    return RC_OK;
}

/* Not what was withdrawn or has expired. */
static bool is_to_publish(const struct chunk *c, const struct item *it)
{
    return c->o->publish && (it->live_rev || it->born < 0);
}

static bool may_publish(const struct chunk *c, const struct import_line *line,
                        const struct item *it)
{
    return is_to_publish(c, it) && !line->held && !line->unreviewed;
}

static enum rc update(struct chunk *c, struct import_line *line, struct item *it,
                      const struct where *at)
{
    enum rc rc;

    line->result = IMPORT_UPDATED;
    if (!may_publish(c, line, it))
        return item_revise(c->w, it, &line->content, "minor", NULL);
    if ((rc = item_supersede_unpublished(c->w, it)))
        return rc;
    it->rev++;
    if ((rc = publish_new(c, it, &line->content, at, "minor")))
        return rc;
    return item_update(c->w, it);
}

/* An earlier import, or an editor, left the same text as a draft. */
static enum rc publish_draft(struct chunk *c, struct import_line *line, struct item *it,
                             const struct where *at)
{
    struct work *w = c->w;
    enum state to;
    enum rc rc;

    line->result = IMPORT_UPDATED;
    it->site = at->site;
    it->col = at->col;
    if ((rc = state_step(w, VERB_IMPORT, at->site, it->state, NULL, &to)) ||
        (rc = item_put(w, it, &line->content, it->rev, &at->place, 0)) ||
        (rc = db_change(w, SQL_revision_publish, "biti", it->id.b, sizeof it->id.b, it->rev,
                        state_name(to), it->seq)) ||
        (rc = revision_log(w, &it->id, it->rev, VERB_IMPORT, it->state, to,
                           at->reviews ? c->o->emergency : NULL)))
        return rc;
    it->state = to;
    return item_update(w, it);
}

static enum rc refuse(struct chunk *c, struct import_line *line, enum rc rc)
{
    line->result = IMPORT_REFUSED;
    line->why = c->w->err;
    line->why.rc = rc;
    return RC_OK;
}

static enum rc keep(struct chunk *c, struct import_line *line, struct item *it,
                    const struct where *at)
{
    line->result = IMPORT_UNCHANGED;
    if (it->state == STATE_DRAFT && may_publish(c, line, it))
        return publish_draft(c, line, it, at);
    if (it->col == at->col || (it->live_rev && !c->o->publish))
        return RC_OK;
    line->result = IMPORT_MOVED;
    if (it->live_rev) {
        enum rc rc = publish_move(c->w, &it->id, at->col, it);

        return rc == RC_CONFLICT ? refuse(c, line, rc) : rc;
    }
    it->site = at->site;
    it->col = at->col;
    return item_update(c->w, it);
}

/* Reasons that concern the record; any other is the store's and concerns the chunk. */
static bool is_refusal(enum rc rc)
{
    return rc == RC_INVALID || rc == RC_NOT_FOUND || rc == RC_CONFLICT || rc == RC_GONE ||
           rc == RC_TOO_LARGE || rc == RC_FORBIDDEN || rc == RC_UNLISTED;
}

/* Whether a rule keeps from the public what is to be published. `it` has an id where it is known. */
static enum rc hold(struct chunk *c, struct import_line *line, const struct item *it,
                    const struct where *at)
{
    struct check_result *found = arena_zalloc(c->w->mem, sizeof *found);
    struct item there = *it;
    enum rc rc;

    there.site = at->site;
    if (!(rc = ruling_ask(
              c->w, &(struct ruling){ &there, it->rev, &line->content, CHECK_PUBLISH }, found)))
        line->held = found->blocked ? found : NULL;
    return rc;
}

/* A survey asks everybody in the city's name: two people stand for it (item.c), whoever agreed to what. */
static bool needs_another(const struct chunk *c, const struct import_line *line)
{
    return line->content.kind == KIND_SURVEY && !c->w->who.operator;
}

/* Whether the site's chain keeps it from the public, and what an emergency changes about that. */
static void review(struct chunk *c, struct import_line *line, const struct item *it,
                   bool is_same, const struct where *at)
{
    bool asked = at->reviews || needs_another(c, line);
    bool counts =
        asked && is_to_publish(c, it) && !line->held && (!is_same || it->state == STATE_DRAFT);

    line->unreviewed = counts && !c->o->emergency;
    c->broke |= counts && c->o->emergency;
}

static enum rc apply(struct chunk *c, struct import_line *line)
{
    struct work *w = c->w;
    struct item it = { .born = -1 };
    struct where at;
    bool is_known, is_same;
    enum rc rc;

    if ((rc = aim(c, line)))
        return rc;
    rc = item_by_origin(w, c->authority, line->origin_id, &it);
    if (rc && rc != RC_NOT_FOUND)
        return rc;
    is_known = !rc;
    is_same = is_known && !memcmp(it.content_hash, line->content.hash, sizeof it.content_hash);
    if (is_known) {
        line->id = it.id;
        if (it.stream != c->stream)
            return refuse(c, line,
                          err_field(&w->err, "id", "the item belongs to another stream"));
        if ((rc = need_site(c, it.site)) || (rc = item_check_staff(&w->err, it.kind)))
            return refuse(c, line, rc);
        if (it.state == STATE_GONE && !is_same)
            return refuse(c, line,
                          err_set(&w->err, RC_GONE, "the item was taken down for good"));
        if (it.state == STATE_GONE) {
            line->result = IMPORT_UNCHANGED;
            return RC_OK;
        }
    }
    if (!is_same && c->o->publish && (rc = item_check_expiry(w, &line->content)))
        return refuse(c, line, rc);
    if ((rc = find_place(c, line, &at)))
        return is_refusal(rc) ? refuse(c, line, rc) : rc;
    if (is_to_publish(c, &it) && (!is_same || it.state == STATE_DRAFT) &&
        (rc = hold(c, line, &it, &at)))
        return rc;
    review(c, line, &it, is_same, &at);
    if (!is_known)
        return create(c, line, &at);
    return is_same ? keep(c, line, &it, &at) : update(c, line, &it, &at);
}

struct tally {
    int taken, refused;
};

static void count(void *arg)
{
    const struct tally *t = arg;

    metric_add(METRIC_import_records, t->taken);
    metric_add(METRIC_import_refused, t->refused);
}

/* "party:ID" and "source:ID" are names of those who hand in by themselves: what is theirs they alone revise. */
static bool is_anothers(const struct actor *who, const char *authority)
{
    return !who->operator&&(!strncmp(authority, "party:", strlen("party:")) ||
                            !strncmp(authority, "source:", strlen("source:"))) &&
           strcmp(authority, who->name) != 0;
}

static enum rc open_chunk(struct chunk *c, struct work *w, const struct import_options *o)
{
    enum rc rc;

    if ((rc = work_need(w, RIGHT_IMPORT)) || (o->publish && (rc = work_need(w, RIGHT_PUBLISH))))
        return rc;
    if (o->authority && (rc = field_check_line(&w->err, "authority", o->authority,
                                               strlen(o->authority), 1, AUTHORITY_MAX)))
        return rc;
    if (o->authority && is_anothers(&w->who, o->authority))
        return err_field(&w->err, "authority", "that is another sender's name");
    if (o->emergency && ((rc = emergency_check(w)) ||
                         (rc = field_check_text(&w->err, "emergency", o->emergency,
                                                strlen(o->emergency), 1, ITEM_NOTE_MAX))))
        return rc;
    *c = (struct chunk){ .w = w, .o = o, .places = BUF_IN(w->mem) };
    return RC_OK;
}

enum rc import_apply(struct work *w, const struct import_options *o, struct import_line *lines,
                     int n)
{
    struct tally *t = arena_zalloc(w->mem, sizeof *t);
    struct chunk c;
    enum rc rc;

    if ((rc = open_chunk(&c, w, o)))
        return rc;
    for (int i = 0; i < n; i++) {
        if (!lines[i].why.rc && (rc = apply(&c, &lines[i])))
            return rc;
        if (lines[i].result == IMPORT_REFUSED)
            t->refused++;
        else
            t->taken++;
    }
    work_after_commit(w, count, t);
    return c.broke ? audit_add(w, AUDIT_item_emergency, "import", RC_OK) : RC_OK;
}
