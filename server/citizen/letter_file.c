/*
 * letter_file.c - rows of `letter_file`, and the sealed files behind them.
 *
 *     DATA/letters/parts/…           what is coming (letter_part.c)
 *     DATA/letters/blobs/ab/NAME     a file: its number in the row, 16 hex digits
 */
#include "server/citizen/letter_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/fs.h"
#include "server/base/log.h"
#include "server/base/seal.h"
#include "server/citizen/letter_room.h"
#include "server/citizen/letter_scan.h"
#include "server/library/row.h"

enum { PLACE_MAX = 4096, GOES_AT_ONCE = 100, FOLDERS = 128, HOUR = 3600, NAME_CHARS = 16 };

static char place[PLACE_MAX]; /* DATA/letters */

enum rc letter_files_open(struct err *e, const char *data)
{
    char parts[PLACE_MAX];

    if (snprintf(place, sizeof place, "%s/letters", data) >= (int)sizeof place - 32)
        return err_set(e, RC_INVALID, "the path %.100s... is too long", data);
    snprintf(parts, sizeof parts, "%.4000s/parts", place);
    return fs_mkdirs(e, parts, 0700);
}

/* ---- the bytes ---- */

static const char *folder_of(struct work *w, int64_t kept)
{
    return arena_printf(w->mem, "%s/blobs/%02x", place, (unsigned)(kept >> 56));
}

static struct sealed_file file_of(struct work *w, int64_t kept, const uint8_t *own)
{
    return (struct sealed_file){ .path = arena_printf(w->mem, "%s/%016" PRIx64,
                                                      folder_of(w, kept), (uint64_t)kept),
                                 .column = "letter_file",
                                 .own = own };
}

static struct seal_place key_place(int64_t kept)
{
    return (struct seal_place){ "letter_file.key", kept };
}

/* Under a new name, with a new key: the picture, or without one the file as it came. */
static enum rc keep(struct work *w, const struct buf *picture, const struct sealed_file *whole,
                    struct letter_taken *out)
{
    uint8_t own[SECRET_BYTES];
    struct sealed_file f;
    int64_t kept;
    enum rc rc;

    secret_random(own, sizeof own);
    secret_random(&kept, sizeof kept);
    kept = (kept & INT64_MAX) | 1; /* 0 is none */
    f = file_of(w, kept, own);
    if (!(rc = fs_mkdirs(&w->err, folder_of(w, kept), 0700)) &&
        !(rc = seal_close(w, key_place(kept), own, sizeof own, &out->key, &out->key_n)))
        rc = picture ? sealed_file_write(w, &f, picture->p, picture->n)
                     : sealed_file_copy(w, whole, LETTER_FILE_MAX, &f);
    secret_wipe(own, sizeof own);
    out->kept = kept;
    return rc;
}

static enum rc find_bytes(struct work *w, const struct letter_file *f, struct sealed_file *out)
{
    const uint8_t *sealed;
    size_t sealed_n, own_n;
    struct rows q;
    char *own;
    enum rc rc = db_one(w, SQL_letter_file_key, &q, "i", f->kept);

    if (!rc && (sealed = rows_blob(&q, 0, &sealed_n)))
        rc = seal_open(w, key_place(f->kept), sealed, sealed_n, &own, &own_n);
    if ((rc = row_finish(&q, rc)))
        return rc;
    if (own_n != SECRET_BYTES)
        return err_set(&w->err, RC_CORRUPT, "the key of a file is none");
    *out = file_of(w, f->kept, (const uint8_t *)own);
    return RC_OK;
}

enum rc letter_file_read(struct work *w, const struct letter_file *f, char **out, size_t *n)
{
    struct sealed_file file;
    enum rc rc = find_bytes(w, f, &file);

    return rc ? rc : sealed_file_read(w, &file, LETTER_FILE_MAX, out, n);
}

enum rc letter_file_each(struct work *w, const struct letter_file *f, struct sealed_taker to)
{
    struct sealed_file file;
    enum rc rc = find_bytes(w, f, &file);

    return rc ? rc : sealed_file_each(w, &file, LETTER_FILE_MAX, to);
}

void letter_file_drop(int64_t kept)
{
    struct work w;

    work_init(&w, arena_new(), NULL, "", 0);
    unlink(file_of(&w, kept, NULL).path); /* or it is gone already */
    arena_free(w.mem);
}

/* ---- taken ---- */

/* How a row is found: the hash itself would tell who has the disk what somebody sent. */
static void find_of(const uint8_t hash[HASH_BYTES], uint8_t out[HASH_BYTES])
{
    seal_index("letter_file", (const char *)hash, HASH_BYTES, out);
}

static enum rc check_day(struct work *w, const struct letter_piece *p)
{
    int64_t files = 0, bytes = 0;
    uint8_t find[HASH_BYTES];
    struct rows q;
    enum rc rc;

    if (p->size > LETTER_FILE_MAX)
        return err_set(&w->err, RC_TOO_LARGE, "文件太大：最多 %d MB",
                       LETTER_FILE_MAX / 1024 / 1024);
    find_of(p->hash, find);
    rc = db_one(w, SQL_letter_file_day, &q, "iib", w->who.account, clock_now() - 86400, find,
                sizeof find);
    if (!rc) {
        files = rows_int(&q, 0);
        bytes = rows_int(&q, 1);
    }
    if ((rc = row_finish(&q, rc)))
        return rc;
    if (files < (w->who.level ? LETTER_FILES_DAY : LETTER_FILES_DAY_GUEST) &&
        bytes + p->size <=
            (w->who.level ? LETTER_FILES_DAY_BYTES : LETTER_FILES_DAY_GUEST_BYTES))
        return RC_OK;
    return err_set(&w->err, RC_TOO_MANY,
                   w->who.level ? "今天上传的文件太多，请明天再传"
                                : "今天上传的文件太多，请登录后再传，或明天再传");
}

static enum rc keep_picture(struct work *w, const struct sealed_file *whole,
                            struct letter_taken *out)
{
    struct buf clean = BUF_IN(w->mem);
    char *bytes;
    size_t n;
    enum rc rc;

    if ((rc = sealed_file_read(w, whole, LETTER_FILE_MAX, &bytes, &n)))
        return rc;
    buf_reserve(&clean, n);
    if ((rc = picture_strip(&w->err, out->kind, bytes, n, &clean)))
        return rc;
    return keep(w, &clean, NULL, out);
}

struct coming {
    struct letter_piece *piece;
    struct letter_taken *taken;
};

/* What came is kept as far as it may be. */
static enum rc keep_clean(struct work *w, const struct sealed_file *whole, void *arg)
{
    struct coming *c = arg;

    c->taken->kind = file_kind_of(c->piece->head, c->piece->head_n);
    if (c->taken->kind == FILE_NONE)
        return err_set(&w->err, RC_INVALID, "只收 JPEG、PNG、WebP 图片和 PDF 文件");
    return c->taken->kind == FILE_PDF ? keep(w, NULL, whole, c->taken)
                                      : keep_picture(w, whole, c->taken);
}

enum rc letter_file_take(struct work *w, struct letter_piece *p, struct letter_taken *out)
{
    struct coming c = { p, out };
    struct letter_file there;
    enum rc rc;

    *out = (struct letter_taken){ 0 };
    if (!letter_file_find(w, w->who.account, p->hash, &there)) {
        *out = (struct letter_taken){ .have = p->size, .known = true, .kind = there.kind };
        return letter_scan_may_read(w, &there, false);
    }
    if ((rc = check_day(w, p)) || (rc = letter_room_take(w, p->client, (int64_t)p->n)))
        return rc;
    rc = letter_part_add(w, arena_printf(w->mem, "%s/parts", place), p,
                         (struct letter_keeper){ keep_clean, &c });
    out->have = p->have;
    return rc;
}

enum rc letter_file_note(struct work *w, const struct letter_piece *p,
                         const struct letter_taken *t)
{
    uint8_t find[HASH_BYTES];

    find_of(p->hash, find);
    return db_run(w, SQL_letter_file_put, "ibibiii", w->who.account, find, sizeof find, t->kept,
                  t->key, t->key_n, p->size, (int64_t)t->kind, clock_now());
}

/* ---- found ---- */

enum rc letter_file_find(struct work *w, int64_t account, const uint8_t hash[HASH_BYTES],
                         struct letter_file *out)
{
    uint8_t find[HASH_BYTES];
    struct rows q;
    enum rc rc;

    find_of(hash, find);
    if (!(rc = db_one(w, SQL_letter_file_one, &q, "ib", account, find, sizeof find)))
        *out = (struct letter_file){ .kept = rows_int(&q, 0),
                                     .kind = (enum file_kind)rows_int(&q, 1),
                                     .size = rows_int(&q, 2),
                                     .scan = (enum scan_verdict)rows_int(&q, 3),
                                     .tries = (int)rows_int(&q, 4) };
    if ((rc = row_finish(&q, rc)) == RC_NOT_FOUND)
        return err_set(&w->err, rc, "没有这个文件，或还没有传完");
    return rc;
}

enum rc letter_file_bind(struct work *w, int64_t letter, int64_t account,
                         const uint8_t hash[HASH_BYTES])
{
    uint8_t find[HASH_BYTES];
    enum rc rc;

    find_of(hash, find);
    rc = db_change(w, SQL_letter_file_bind, "iib", letter, account, find, sizeof find);
    return rc == RC_NOT_FOUND ? err_set(&w->err, rc, "附件还没有上传") : rc;
}

static bool is_among(const json_t *files, const char *hash)
{
    for (size_t i = 0; i < json_array_size(files); i++)
        if (!strcmp(jx_text(json_array_get(files, i), "hash"), hash))
            return true;
    return false;
}

/* In the letter itself, or in what was added to it. */
static enum rc is_named_by(struct work *w, const struct letter *l, const char *hash, bool *out)
{
    struct letter_step *steps;
    json_t *said = NULL;
    enum rc rc;
    int n;

    if ((l->body && (rc = jx_object(&w->err, w->mem, l->body, strlen(l->body), &said))) ||
        (rc = letter_steps(w, l, &steps, &n)))
        return rc;
    *out = is_among(json_object_get(said, "files"), hash);
    for (int i = 0; i < n && !*out; i++) {
        if (!steps[i].files)
            continue;
        if ((rc = jx_object(&w->err, w->mem, steps[i].files, strlen(steps[i].files), &said)))
            return rc;
        *out = is_among(json_object_get(said, "files"), hash);
    }
    return RC_OK;
}

enum rc letter_file_of(struct work *w, const struct letter *l, const char *hash,
                       struct letter_file *out)
{
    uint8_t bytes[HASH_BYTES];
    bool named;
    enum rc rc;

    if ((rc = is_named_by(w, l, hash, &named)))
        return rc;
    if (!named || !hex_parse(hash, strlen(hash), bytes, sizeof bytes))
        return err_set(&w->err, RC_NOT_FOUND, "信件没有这个附件");
    return letter_file_find(w, l->account, bytes, out);
}

/* ---- gone ---- */

static enum rc forget_orphans(struct work *w)
{
    struct rows q;
    enum rc rc;

    if ((rc = db_query(w, SQL_letter_file_orphans, &q, "ii", clock_now() - LETTER_FILE_ORPHAN,
                       (int64_t)GOES_AT_ONCE)))
        return rc;
    while (rows_next(&q))
        ; /* the statement removes them */
    return rows_done(&q);
}

static bool is_named(struct work *w, int64_t kept)
{
    struct rows q;
    enum rc rc = db_one(w, SQL_letter_file_named, &q, "i", kept);

    return row_finish(&q, rc) != RC_NOT_FOUND; /* in doubt it stays */
}

static bool is_old(int dir, const char *name, int64_t age)
{
    struct stat st;

    return !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) && st.st_mtime < clock_now() - age;
}

/* A file that no row names: an hour later none will, for a row is written right after its file. What has another name was never finished. */
static bool is_left_over(struct work *w, int dir, const char *name)
{
    char *end;
    int64_t kept = (int64_t)strtoull(name, &end, 16);

    if (*end || end - name != NAME_CHARS)
        return is_old(dir, name, LETTER_FILE_ORPHAN);
    return is_old(dir, name, HOUR) && !is_named(w, kept);
}

static void sweep(struct work *w, const char *path)
{
    DIR *dir = opendir(path);

    for (struct dirent *d; dir && (d = readdir(dir));)
        if (*d->d_name != '.' && is_left_over(w, dirfd(dir), d->d_name) &&
            unlinkat(dirfd(dir), d->d_name, 0))
            LOG(LOG_WARN, "letter_file_not_removed", L_STR("name", d->d_name));
    if (dir)
        closedir(dir);
}

void letter_file_tick(struct db *db, void *unused)
{
    static int folder;
    struct work w;

    (void)unused;
    work_init(&w, arena_new(), db, "clock", RIGHT_ALL);
    if (db_begin(&w) || forget_orphans(&w) || db_commit(&w) ||
        letter_room_measure(&w, arena_printf(w.mem, "%s/parts", place))) {
        db_rollback(db);
        LOG(LOG_ERROR, "letter_files_not_removed", L_STR("why", w.err.text));
    } else { /* one of the folders each time; a name never has its highest bit */
        sweep(&w, arena_printf(w.mem, "%s/blobs/%02x", place, folder++ % FOLDERS));
        sweep(&w, arena_printf(w.mem, "%s/parts", place));
    }
    arena_free(w.mem);
}
