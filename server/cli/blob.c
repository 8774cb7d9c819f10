/*
 * blob.c - `tjzw blob put`: a picture or an attachment into the library, in pieces, going on where an earlier try was cut.
 *
 *     file -> its hash -> how much is there? -> the rest, 256 KB at a time -> what an item's text or attachments name
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/fs.h"
#include "server/base/id.h"
#include "server/base/jx.h"
#include "server/cli/commands.h"
#include "server/cli/link.h"
#include "server/store/blob.h"

struct upload {
    struct link *link;
    const char *target;
    const char *p;
    int64_t size, have;
};

/* Sends `n` bytes from u->have on, or with 0 asks how much there is; u->have is what is there then. */
static enum rc send_piece(struct upload *u, struct err *e, struct arena *mem, int64_t n)
{
    const char *range =
        n ? arena_printf(mem, "content-range: bytes %" PRId64 "-%" PRId64 "/%" PRId64, u->have,
                         u->have + n - 1, u->size)
          : arena_printf(mem, "content-range: bytes */%" PRId64, u->size);
    const char *const headers[] = { "content-type: application/octet-stream", range, NULL };
    struct link_answer answer;
    json_t *said;
    enum rc rc;

    rc = link_call(u->link, e, mem, PUT, u->target, headers, n ? u->p + u->have : NULL,
                   (size_t)n, &answer);
    if (rc || (answer.status >= 300 && (rc = link_problem(e, mem, &answer))) ||
        (rc = jx_object(e, mem, answer.body, answer.len, &said)))
        return rc;
    u->have = jx_int(said, "have", 0);
    if (u->have < 0 || u->have > u->size)
        return err_set(e, RC_CORRUPT, "the server has %" PRId64 " of %" PRId64 " bytes",
                       u->have, u->size);
    return RC_OK;
}

static enum rc send_all(struct upload *u, struct err *e, struct arena *mem)
{
    enum rc rc = send_piece(u, e, mem, 0);

    while (!rc && u->have < u->size) {
        int64_t had = u->have, rest = u->size - had;

        rc = send_piece(u, e, mem, rest < BLOB_CHUNK_MAX ? rest : BLOB_CHUNK_MAX);
        if (!rc && u->have <= had)
            rc = err_set(e, RC_BUSY, "somebody else is sending the same file");
    }
    return rc;
}

static void print(struct arena *mem, const char *path, const char *hash, int64_t size)
{
    const char *name = strrchr(path, '/');
    struct buf b = BUF_IN(mem);

    buf_addc(&b, '{');
    jx_put_text(&b, "hash", hash);
    jx_put_text(&b, "name", name ? name + 1 : path);
    jx_put_int(&b, "size", size);
    printf("%s}\n", b.p);
}

static int put(const struct args *a, struct link *l, struct arena *mem)
{
    struct upload u = { .link = l };
    char *bytes, hash[2 * HASH_BYTES + 1];
    uint8_t digest[HASH_BYTES];
    struct err e = { 0 };
    size_t n;
    enum rc rc;

    if (fs_read(&e, mem, a->pos[0], BLOB_MAX, &bytes, &n) ||
        (!n && err_set(&e, RC_INVALID, "%s is empty", a->pos[0])))
        return cli_fail(&e, a->command->name, "name a picture or a document");
    u.p = bytes;
    u.size = (int64_t)n;
    sha256(bytes, n, digest);
    u.target = arena_printf(mem, "/v1/blobs/%s", hex_text(digest, sizeof digest, hash));
    if ((rc = send_all(&u, &e, mem)))
        return cli_fail(&e, a->command->name,
                        rc == RC_BUSY ? "try again in a minute" : link_hint(&e));
    print(mem, a->pos[0], hash, u.size);
    return 0;
}

int cmd_blob_put(const struct args *a)
{
    return link_command(a, false, a->command->name, put);
}
