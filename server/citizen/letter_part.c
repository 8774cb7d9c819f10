/*
 * letter_part.c - DATA/letters/parts/NAME.part, where NAME is a keyed hash (seal_index) of account and hash: who has the disk alone learns neither what is sent nor by whom.
 *
 * A piece is fsynced before it is acknowledged. Two senders of one file are kept apart by a lock on it. A record that does not open any more (its key was retired
 * meanwhile) makes the sender begin anew.
 */
#include "server/citizen/letter_part.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "server/base/fs.h"
#include "server/base/seal.h"
#include "server/store/blob.h"

enum { NAME_CHARS = 40 }; /* of a column there are 64 */

static struct sealed_file part_of(struct work *w, const char *dir,
                                  const uint8_t hash[HASH_BYTES])
{
    char hex[HASH_TEXT], name[HASH_TEXT];
    uint8_t index[HASH_BYTES];
    const char *key =
        arena_printf(w->mem, "%" PRId64 "/%s", w->who.account, hex_text(hash, HASH_BYTES, hex));

    seal_index("letter_part", key, strlen(key), index);
    hex_text(index, sizeof index, name);
    name[NAME_CHARS] = '\0';
    return (struct sealed_file){ .path = arena_printf(w->mem, "%s/%s.part", dir, name),
                                 .column = arena_printf(w->mem, "letter_part/%s", name),
                                 .grows = true };
}

static enum rc check_piece(struct work *w, const struct letter_piece *p)
{
    if (p->n > BLOB_CHUNK_MAX)
        return err_set(&w->err, RC_TOO_LARGE, "这一块有 %zu 字节，最多收 %d 字节", p->n,
                       BLOB_CHUNK_MAX);
    if (p->size < 1 || p->offset < 0 || p->offset > p->size ||
        (int64_t)p->n > p->size - p->offset)
        return err_set(&w->err, RC_INVALID, "这一块超出了文件的 %" PRId64 " 字节", p->size);
    return RC_OK;
}

static enum rc go_on_at(struct work *w, struct letter_piece *p, int64_t have)
{
    p->have = have;
    return err_set(&w->err, RC_CONFLICT, "请从第 %" PRId64 " 字节接着传", have);
}

/* Locked, and still the one of that name. */
static enum rc open_part(struct work *w, const struct sealed_file *f, int *out)
{
    int fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat mine, named;

    if (fd < 0)
        return err_unwritten(&w->err, "open an upload");
    *out = fd;
    if (!flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &mine) && !stat(f->path, &named) &&
        mine.st_ino == named.st_ino)
        return RC_OK;
    return err_set(&w->err, RC_BUSY, "这个文件正在另外上传，请等它结束后再试");
}

/* What a crash has torn goes, and what was begun under another size. */
static enum rc measure(struct work *w, struct letter_piece *p, int fd)
{
    int64_t end;
    enum rc rc;

    if ((rc = sealed_file_measure(&w->err, fd, &p->have, &end)))
        return rc;
    if (p->have > p->size)
        p->have = end = 0;
    return ftruncate(fd, end) ? err_unwritten(&w->err, "truncate an upload") : RC_OK;
}

struct check {
    crypto_hash_sha256_state hash;
    struct letter_piece *p;
};

static enum rc look(void *arg, const char *p, size_t n)
{
    struct check *c = arg;
    size_t room = sizeof c->p->head - c->p->head_n, head = n < room ? n : room;

    memcpy(c->p->head + c->p->head_n, p, head);
    c->p->head_n += head;
    crypto_hash_sha256_update(&c->hash, (const uint8_t *)p, n);
    return RC_OK;
}

static enum rc check(struct work *w, const struct sealed_file *f, struct letter_piece *p)
{
    struct check c = { .p = p };
    uint8_t found[HASH_BYTES];
    enum rc rc;

    p->head_n = 0;
    crypto_hash_sha256_init(&c.hash);
    if ((rc = sealed_file_each(w, f, (size_t)p->size, (struct sealed_taker){ look, &c })))
        return rc == RC_CORRUPT ? go_on_at(w, p, 0) : rc;
    crypto_hash_sha256_final(&c.hash, found);
    if (!memcmp(found, p->hash, sizeof found))
        return RC_OK;
    p->have = 0;
    return err_set(&w->err, RC_INVALID, "文件传来的内容与它的 SHA-256 不符，请重新上传");
}

static enum rc complete(struct work *w, const struct sealed_file *f, struct letter_piece *p,
                        struct letter_keeper to)
{
    enum rc rc = check(w, f, p);

    if (!rc)
        rc = to.keep(w, f, to.arg);
    unlink(f->path);
    return rc;
}

enum rc letter_part_add(struct work *w, const char *dir, struct letter_piece *p,
                        struct letter_keeper to)
{
    const struct sealed_file f = part_of(w, dir, p->hash);
    AUTO(closep) int fd = -1;
    enum rc rc;

    p->have = 0;
    if ((rc = check_piece(w, p)) || (rc = open_part(w, &f, &fd)) || (rc = measure(w, p, fd)))
        return rc;
    if (p->have < p->size &&
        p->n) { /* else a crash came between the last piece and its answer */
        if (p->offset != p->have)
            return go_on_at(w, p, p->have);
        if ((rc = sealed_file_add(w, &f, fd, p->have, p->p, p->n)) ||
            (!p->have && (rc = fs_sync_dir(&w->err, dir))))
            return rc;
        p->have += (int64_t)p->n;
    }
    return p->have < p->size ? RC_OK : complete(w, &f, p, to);
}
