/*
 * founding.c - which history is this?
 *
 * A cursor is epoch.seq, and a database that was put back from a backup would give the same
 * numbers to other changes. So DATA/epoch, a file beside the database, holds how far each
 * stream had come when its last head was signed:
 *
 *     main 1763712000 995
 *
 * (name, epoch, seq; one line a stream). It is written before the head is, and what a head
 * speaks of was committed before; so the database is at or above the file, unless somebody
 * exchanged it. Then the log continues in a new epoch that begins with the next seq, above
 * every epoch in the file and in the database, and the ancestry tells readers which of their
 * cursors still hold.
 *
 * Without the file (an older data directory, a database copied alone) a log that was ever
 * signed gets a new epoch too: that costs readers nothing, while a mistaken continuation could
 * not be mended.
 */
#include "sync/founding.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/library/stream.h"
#include "server/store/db.h"
#include "sync/wire.h"

enum { FILE_MAX = 16384 };

struct mark {
    bool known;
    uint64_t epoch, seq;
};

static const char *mark_path(struct arena *mem, const char *data)
{
    return arena_printf(mem, "%s/epoch", data);
}

/* Reads one line; false if it breaks the format. */
static bool mark_line(struct wire_text *t, const char **name, size_t *name_len,
                      struct mark *out)
{
    *out = (struct mark){ .known = true };
    return wire_take_word(t, name, name_len) && wire_take_lit(t, " ") &&
           wire_take_u64(t, &out->epoch) && wire_take_lit(t, " ") &&
           wire_take_u64(t, &out->seq) && wire_take_lit(t, "\n");
}

/* The mark of `name`, and all other lines as they stand to `rest` (may be NULL). */
static enum rc marks_read(struct err *e, struct arena *mem, const char *data, const char *name,
                          struct mark *out, struct buf *rest)
{
    const char *path = mark_path(mem, data);
    struct wire_text t;
    char *text;
    size_t n;
    enum rc rc;

    *out = (struct mark){ 0 };
    if (!fs_exists(path))
        return RC_OK;
    if ((rc = fs_read(e, mem, path, FILE_MAX, &text, &n)))
        return rc;
    t = (struct wire_text){ text, text + n };
    while (t.at < t.end) {
        const char *line = t.at, *word;
        struct mark m;
        size_t len;

        if (!mark_line(&t, &word, &len, &m))
            return err_set(e, RC_CORRUPT, "%s should hold lines 'stream epoch seq'", path);
        if (len == strlen(name) && !memcmp(word, name, len))
            *out = m;
        else if (rest)
            buf_add(rest, line, (size_t)(t.at - line));
    }
    return RC_OK;
}

enum rc founding_mark(struct err *e, struct arena *mem, const char *data, const char *name,
                      uint64_t epoch, uint64_t seq)
{
    struct buf text = BUF_IN(mem);
    struct mark m;
    enum rc rc;

    if ((rc = marks_read(e, mem, data, name, &m, &text)))
        return rc;
    if (m.known && m.epoch == epoch && m.seq == seq)
        return RC_OK;
    buf_printf(&text, "%s %" PRIu64 " %" PRIu64 "\n", name, epoch, seq);
    return fs_write(e, mark_path(mem, data), text.p, text.n, 0600);
}

static enum rc was_signed(struct work *w, int64_t stream, bool *out)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_sync_head_newest, &q, "i", stream)))
        return rc;
    *out = rows_next(&q);
    return rows_done(&q);
}

/* Whether the database is behind what was once signed. */
static enum rc went_back(struct work *w, const struct stream *s, const struct mark *m,
                         bool *out)
{
    if (!m->known)
        return was_signed(w, s->no, out);
    *out = m->epoch > (uint64_t)s->epoch ||
           (m->epoch == (uint64_t)s->epoch && m->seq > (uint64_t)s->seq);
    return RC_OK;
}

static enum rc new_epoch(struct work *w, const struct stream *s, const struct mark *m,
                         int64_t *epoch)
{
    int64_t e = clock_now();
    enum rc rc;

    if (e <= s->epoch)
        e = s->epoch + 1;
    if (m->known && e <= (int64_t)m->epoch)
        e = (int64_t)m->epoch + 1;
    *epoch = e;
    if ((rc = db_change(w, SQL_sync_stream_set_epoch, "ii", s->no, e)))
        return rc;
    return db_run(w, SQL_sync_ancestry_add, "iii", s->no, e, s->seq + 1);
}

enum rc founding_clock(struct err *e)
{
    static const int64_t earliest = 1735689600; /* 2025: this program is not older */
    char text[CLOCK_TEXT];

    if (clock_now() >= earliest)
        return RC_OK;
    return err_set(
        e, RC_INVALID,
        "the clock says %s, and what is founded now would carry that for ever: set the "
        "clock (chrony or systemd-timesyncd), then start again",
        clock_text(clock_now(), text));
}

/* A log that never was published has no ancestors, whatever epoch it was given first. */
static enum rc found(struct work *w, const char *name, const struct mark *m, struct stream *s)
{
    enum rc rc;

    if ((rc = founding_clock(&w->err)) || (rc = stream_make(w, name, s)))
        return rc;
    if (!m->known || s->epoch > (int64_t)m->epoch)
        return RC_OK;
    if ((rc = db_run(w, SQL_sync_ancestry_drop, "ii", s->no, s->epoch)))
        return rc;
    return new_epoch(w, s, m, &s->epoch);
}

enum rc sync_founding(struct work *w, const char *data, const char *name, int64_t *no)
{
    struct mark m;
    struct stream s;
    bool back = false;
    enum rc rc;

    if ((rc = marks_read(&w->err, w->mem, data, name, &m, NULL)))
        return rc;
    rc = stream_find(w, name, &s);
    if (rc == RC_NOT_FOUND)
        rc = found(w, name, &m, &s);
    else if (!rc && !(rc = went_back(w, &s, &m, &back)) && back) {
        rc = new_epoch(w, &s, &m, &s.epoch);
        LOG(LOG_WARN, "log_went_back", L_STR("stream", name), L_INT("seq", s.seq),
            L_INT("signed_seq", m.seq), L_INT("new_epoch", s.epoch));
    }
    if (rc)
        return rc;
    /* An epoch that is not the child of another began with the first change. */
    if ((rc = db_run(w, SQL_sync_ancestry_add, "iii", s.no, s.epoch, (int64_t)1)))
        return rc;
    *no = s.no;
    return founding_mark(&w->err, w->mem, data, name, (uint64_t)s.epoch, (uint64_t)s.seq);
}
