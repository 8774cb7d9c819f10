/*
 * restore.c - a data directory made of a backup.
 *
 *     1. the backup is checked, every file copied to DATA/restore.part and compared meanwhile
 *     2. there, the database is migrated if it is older, and in one transaction every own
 *        stream begins a new epoch
 *     3. DATA/epoch is raised
 *     4. the files move to their places, the database last
 *
 * Nobody is signed in afterwards: a session that was ended since the backup, or a token that was used since, would open
 * again.
 *
 * DATA/epoch says outside the database how far each stream had come, one line `NAME EPOCH SEQ`
 * a stream (kept by the publisher, sync/founding.c). It tells of a directory's past and so it
 * is neither in a backup nor taken out of an old directory by a restore: an epoch in it was
 * signed and must not be given to another history. A stream is our own if its key is in keys/.
 *
 * DATA/takedowns says outside the database what was taken from the public (server/library). It
 * stays for the same reason: the start that `tjzw restore` ends with does again what the backup
 * does not know. DATA/erased, whose data were removed (server/identity/erased.h), likewise. A new directory is given the old one's files.
 *
 * The index is forgotten, for the objects it lists are not in a backup; the publisher makes it
 * anew.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/store/backup.h"
#include "server/store/db.h"
#include "server/store/manifest.h"

enum {
    MARKS_MAX = 16384,
    STREAMS_MAX = 64,
    PAST_MAX = 1 << 30,
    LETTERS_SKIPPED = 100000,
    CHANGES_SKIPPED = 1000000,
    CHANGES_A_SECOND =
        1000 /* of one account, at most: a backup that is restored twice skips more the second time */
};

struct restore {
    struct work w;
    const char *from, *data, *stage;
    enum rc (*tell)(struct work *w, const char *dir);
    struct backup_past past; /* journals from elsewhere */
    const char *marks;       /* DATA/epoch as it was, "" if there was none */
    int64_t floor;           /* the highest epoch in it */
};

struct stream_row {
    int64_t no, epoch, seq;
    const char *name;
};

static enum rc check_empty(struct restore *r)
{
    static const char *const allowed[] = { ".",
                                           "..",
                                           "epoch",
                                           "lock",
                                           TAKEDOWNS_NAME,
                                           AUDIT_HEADS_NAME,
                                           AUDIT_MARK_NAME,
                                           ERASED_NAME,
                                           RESTORE_STAGE };
    DIR *dir = opendir(r->data);
    char found[NAME_MAX + 1] = "";

    if (!dir)
        return err_errno(&r->w.err, "open directory %s", r->data);
    for (struct dirent *d; !*found && (d = readdir(dir));) {
        size_t i = 0;

        while (i < sizeof allowed / sizeof allowed[0] && strcmp(d->d_name, allowed[i]) != 0)
            i++;
        if (i == sizeof allowed / sizeof allowed[0])
            snprintf(found, sizeof found, "%s", d->d_name);
    }
    closedir(dir);
    if (*found)
        return err_set(
            &r->w.err, RC_CONFLICT,
            "%s is not empty (%.100s): move what it holds elsewhere, but leave the files "
            "'epoch', '" TAKEDOWNS_NAME "', '" ERASED_NAME "', '" AUDIT_HEADS_NAME
            "' and '" AUDIT_MARK_NAME "' there",
            r->data, found);
    return RC_OK;
}

static enum rc check_past(struct restore *r, const char *file, const char *name)
{
    if (!file || !fs_exists(arena_printf(r->w.mem, "%s/%s", r->data, name)))
        return RC_OK;
    return err_set(&r->w.err, RC_CONFLICT, "%s has a file '%s' of its own, which counts",
                   r->data, name);
}

/* The highest epoch in lines `NAME EPOCH SEQ`. */
static enum rc read_marks(struct restore *r)
{
    const char *path = arena_printf(r->w.mem, "%s/epoch", r->data);
    char *text;
    size_t n;
    enum rc rc;

    r->marks = "";
    if (!fs_exists(path))
        return RC_OK;
    if ((rc = fs_read(&r->w.err, r->w.mem, path, MARKS_MAX, &text, &n)))
        return rc;
    r->marks = text;
    for (const char *at = text; *at;) {
        int64_t epoch, seq;
        int read = 0;

        if (sscanf(at, "%*[a-z0-9-] %" SCNd64 " %" SCNd64 "%n", &epoch, &seq, &read) != 2 ||
            at[read] != '\n' || epoch < 0 || epoch > INT64_MAX / 2)
            return err_set(&r->w.err, RC_CORRUPT, "%s should hold lines 'stream epoch seq'",
                           path);
        r->floor = epoch > r->floor ? epoch : r->floor;
        at += read + 1;
    }
    return RC_OK;
}

static enum rc copy_all(struct restore *r, const struct manifest *m)
{
    enum rc rc;

    if ((rc = manifest_remove(&r->w.err, r->stage)) ||
        (rc = fs_mkdirs(&r->w.err, r->stage, 0700)))
        return rc;
    for (const struct manifest_file *f = m->first; f; f = f->next) {
        struct manifest_file copied = { .path = f->path };

        if ((rc = manifest_copy(&r->w.err, r->from, r->stage, &copied)))
            return rc;
        if (copied.size != f->size || memcmp(copied.hash, f->hash, HASH_BYTES) != 0)
            return err_set(&r->w.err, RC_CORRUPT,
                           "%s/%s has been changed: its SHA-256 is another", r->from, f->path);
    }
    return RC_OK;
}

static enum rc list_streams(struct restore *r, struct stream_row rows[STREAMS_MAX], int *n)
{
    struct rows q;
    enum rc rc;

    *n = 0;
    if ((rc = db_query(&r->w, SQL_stream_epochs, &q, "")))
        return rc;
    while (*n < STREAMS_MAX && rows_next(&q)) {
        struct stream_row *s = &rows[*n];

        *s = (struct stream_row){ .no = rows_int(&q, 0),
                                  .epoch = rows_int(&q, 2),
                                  .seq = rows_int(&q, 3),
                                  .name = rows_dup_text(&r->w, &q, 1) };
        *n += fs_exists(arena_printf(r->w.mem, "%s/keys/stream-%s.key", r->stage, s->name));
    }
    return rows_done(&q);
}

/* A log without ancestry began with its first change in the epoch it has. */
static enum rc complete_ancestry(struct restore *r, const struct stream_row *s)
{
    struct rows q;
    bool known;
    enum rc rc;

    if ((rc = db_query(&r->w, SQL_ancestry_all, &q, "i", s->no)))
        return rc;
    known = rows_next(&q);
    if ((rc = rows_done(&q)) || known)
        return rc;
    return db_run(&r->w, SQL_ancestry_add, "iii", s->no, s->epoch, (int64_t)1);
}

static enum rc new_epoch(struct restore *r, struct stream_row *s)
{
    int64_t epoch = clock_now();
    enum rc rc;

    if ((rc = complete_ancestry(r, s)))
        return rc;
    epoch = epoch > s->epoch ? epoch : s->epoch + 1;
    epoch = epoch > r->floor ? epoch : r->floor + 1;
    s->epoch = epoch;
    if ((rc = db_change(&r->w, SQL_stream_begin_epoch, "ii", s->no, epoch)))
        return rc;
    return db_run(&r->w, SQL_ancestry_add, "iii", s->no, epoch, s->seq + 1);
}

/* The order of each account, also of one that had no state in the backup: what it gave since then stands on phones, and in what they have yet to say. */
static enum rc skip_changes(struct restore *r, int64_t seconds)
{
    int64_t n =
        seconds < UINT32_MAX ? seconds : UINT32_MAX; /* a clock may have been anywhere */
    enum rc rc;

    n = CHANGES_SKIPPED + CHANGES_A_SECOND * n;
    rc = db_run(&r->w, SQL_citizen_skip, "i", n);
    return rc ? rc : db_run(&r->w, SQL_state_epoch_skip, "i", n);
}

/* What citizens' phones learnt since the backup was made is not what comes now. */
static enum rc new_state_epoch(struct restore *r)
{
    int64_t epoch = clock_now(), before = 0;
    struct rows q;
    enum rc rc, end;

    if (!(rc = db_one(&r->w, SQL_state_epoch_get, &q, "")))
        before = rows_int(&q, 0);
    end = rows_done(&q);
    if (rc ? rc != RC_NOT_FOUND : end != RC_OK)
        return rc ? rc : end;
    epoch = epoch > before ? epoch : before + 1;
    epoch = epoch > r->floor ? epoch : r->floor + 1;
    if ((rc = db_run(&r->w, SQL_state_epoch_set, "i", epoch)))
        return rc;
    return skip_changes(r, before ? epoch - before : 0);
}

/* Numbers of letters, and of their changes: what was given after the backup was made stands on receipts and in the systems of units. */
static enum rc skip_letters(struct restore *r)
{
    char day[CLOCK_TEXT];
    int64_t year = strtol(clock_day(clock_now(), day), NULL, 10);
    const int64_t bases[] = { 0, 1, year - 1, year };
    enum rc rc = RC_OK;

    for (size_t i = 0; i < sizeof bases / sizeof *bases && !rc; i++)
        rc = db_run(&r->w, SQL_letter_count_base, "i", bases[i]);
    return rc ? rc : db_run(&r->w, SQL_letter_count_skip, "i", (int64_t)LETTERS_SKIPPED);
}

static enum rc new_epochs(struct restore *r, struct stream_row rows[STREAMS_MAX], int *n)
{
    enum rc rc;

    if ((rc = db_begin(&r->w)))
        return rc;
    rc = list_streams(r, rows, n);
    for (int i = 0; i < *n && !rc; i++)
        rc = new_epoch(r, &rows[i]);
    if (!rc)
        rc = db_run(&r->w, SQL_session_drop_all, "");
    if (!rc) /* nobody can sign in as a guest again: their phones begin as new ones */
        rc = db_run(&r->w, SQL_account_guests_leave, "i", clock_now());
    if (!rc)
        rc = db_run(&r->w, SQL_account_guests_votes_go, "");
    if (!rc) /* what was withdrawn since, or is out since, does not go out by itself */
        rc = db_run(&r->w, SQL_schedule_drop_all, "");
    if (!rc)
        rc = db_run(&r->w, SQL_channel_tasks_doubt, "i", clock_now());
    if (!rc)
        rc = new_state_epoch(r);
    if (!rc)
        rc = skip_letters(r);
    if (!rc && r->tell)
        rc = r->tell(&r->w, r->stage);
    if (!rc)
        rc = db_commit(&r->w);
    if (rc)
        db_rollback(r->w.db);
    return rc;
}

/* The old lines of other streams, and one of each that begins anew. */
static enum rc write_marks(struct restore *r, const struct stream_row *rows, int n)
{
    struct buf text = BUF_IN(r->w.mem);

    for (const char *at = r->marks; *at; at = strchr(at, '\n') + 1) {
        size_t name = strcspn(at, " ");
        int i = 0;

        while (i < n && (strlen(rows[i].name) != name || memcmp(rows[i].name, at, name) != 0))
            i++;
        if (i == n)
            buf_add(&text, at, strcspn(at, "\n") + 1);
    }
    for (int i = 0; i < n; i++)
        buf_printf(&text, "%s %" PRId64 " %" PRId64 "\n", rows[i].name, rows[i].epoch,
                   rows[i].seq);
    if (!text.n)
        return RC_OK;
    return fs_write(&r->w.err, arena_printf(r->w.mem, "%s/epoch", r->data), text.p, text.n,
                    0600);
}

static enum rc bring_past(struct restore *r, const char *file, const char *name)
{
    char *text;
    size_t n;
    enum rc rc;

    if (!file)
        return RC_OK;
    if ((rc = fs_read(&r->w.err, r->w.mem, file, PAST_MAX, &text, &n)))
        return rc;
    return fs_write(&r->w.err, arena_printf(r->w.mem, "%s/%s", r->data, name), text, n, 0600);
}

static enum rc begin_anew(struct restore *r)
{
    struct stream_row rows[STREAMS_MAX];
    int n = 0;
    enum rc rc;

    if ((rc = db_open(&r->w.err, arena_printf(r->w.mem, "%s/" DB_NAME, r->stage), DB_WRITE,
                      &r->w.db)))
        return rc;
    rc = new_epochs(r, rows, &n);
    db_close(r->w.db);
    r->w.db = NULL;
    if (rc || (rc = write_marks(r, rows, n)))
        return rc;
    for (int i = 0; i < n; i++)
        LOG(LOG_INFO, "epoch_begins", L_STR("stream", rows[i].name),
            L_INT("epoch", rows[i].epoch), L_INT("after_seq", rows[i].seq));
    return RC_OK;
}

static enum rc move(struct restore *r, const char *name)
{
    const char *from = arena_printf(r->w.mem, "%s/%s", r->stage, name);

    if (rename(from, arena_printf(r->w.mem, "%s/%s", r->data, name)))
        return err_errno(&r->w.err, "move %s", from);
    return RC_OK;
}

static enum rc move_all(struct restore *r)
{
    DIR *dir = opendir(r->stage);
    enum rc rc = RC_OK;

    if (!dir)
        return err_errno(&r->w.err, "open directory %s", r->stage);
    rc = manifest_sync(&r->w.err, r->stage);
    for (struct dirent *d; !rc && (d = readdir(dir));)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
            strcmp(d->d_name, DB_NAME) != 0)
            rc = move(r, d->d_name);
    closedir(dir);
    if (rc || (rc = fs_sync_dir(&r->w.err, r->data)) || (rc = move(r, DB_NAME)))
        return rc;
    if (rmdir(r->stage))
        return err_errno(&r->w.err, "remove %s", r->stage);
    return fs_sync_dir(&r->w.err, r->data);
}

static enum rc restore(struct restore *r)
{
    struct manifest m;
    enum rc rc;

    if ((rc = fs_mkdirs(&r->w.err, r->data, 0700)) || (rc = check_empty(r)) ||
        (rc = check_past(r, r->past.takedowns, TAKEDOWNS_NAME)) ||
        (rc = check_past(r, r->past.erased, ERASED_NAME)) || (rc = read_marks(r)) ||
        (rc = manifest_read(&r->w.err, r->w.mem, r->from, &m)))
        return rc;
    if ((rc = copy_all(r, &m)) || (rc = begin_anew(r)) ||
        (rc = bring_past(r, r->past.takedowns, TAKEDOWNS_NAME)) ||
        (rc = bring_past(r, r->past.erased, ERASED_NAME))) {
        struct err ignored;

        if (manifest_remove(&ignored, r->stage))
            LOG(LOG_WARN, "restore_left_behind", L_STR("directory", r->stage));
        return rc;
    }
    return move_all(r);
}

enum rc backup_restore(struct err *e, const char *from, const char *data,
                       const struct backup_past *past,
                       enum rc (*tell)(struct work *w, const char *dir))
{
    struct arena *mem = arena_new();
    struct restore r = { .from = from,
                         .data = data,
                         .past = past ? *past : (struct backup_past){ 0 },
                         .tell = tell,
                         .stage = arena_printf(mem, "%s/" RESTORE_STAGE, data) };
    enum rc rc;

    work_init(&r.w, mem, NULL, "operator", RIGHT_ALL);
    rc = backup_check(&r.w.err, from);
    if (!rc)
        rc = restore(&r);
    if (rc)
        *e = r.w.err;
    arena_free(mem);
    return rc;
}
