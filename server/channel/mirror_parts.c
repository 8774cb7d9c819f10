/*
 * mirror_parts.c - bodies on their way, as files: what was fetched before a cut or a kill is not fetched again.
 *
 *     DATA/mirror/STREAM/HASH      the bytes so far; HASH is the beginning of SHA-256(path)
 *     DATA/mirror/STREAM/HASH.is   "ETAG\nPATH\nWHOLE\n": WHOLE is the length of a body that came to its end, else "-"
 *
 * A body that begins anew loses its .is first and gets the new one last, so that an ETag never stands beside
 * bytes of another body. Nothing here is trusted: the engine hashes what it reads.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/fs.h"
#include "server/channel/mirror_state.h"

enum { NAME_BYTES = 16, PART_PATH = 640, IS_MAX = FOLLOW_ETAG_MAX + WIRE_URL_MAX + 32 };

static enum sync_rc trouble(struct sync_err *e, const char *what)
{
    return sync_err_set(e, errno == ENOSPC || errno == EDQUOT ? SYNC_FULL : SYNC_STORE,
                        "%s: %s", what, strerror(errno));
}

static void name_of(const struct mirror_store *s, const char *path, const char *suffix,
                    char out[PART_PATH])
{
    uint8_t hash[HASH_BYTES];
    char hex[HASH_TEXT];

    sha256(path, strlen(path), hash);
    snprintf(out, PART_PATH, "%s/%s%s", s->parts, hex_text(hash, NAME_BYTES, hex), suffix);
}

/* What the .is of a part says. False: there is none, or it is not for this path. */
static bool read_is(const char *file, const char *path, char etag[FOLLOW_ETAG_MAX],
                    char found[WIRE_URL_MAX], uint64_t *whole)
{
    AUTO(fclosep) FILE *in = fopen(file, "re");
    char text[IS_MAX], *line[3];
    size_t n = in ? fread(text, 1, sizeof text - 1, in) : 0;

    text[n] = '\0';
    line[0] = text;
    for (int i = 0; i < 3; i++) {
        char *end = strchr(line[i], '\n');

        if (!end)
            return false;
        *end = '\0';
        if (i < 2)
            line[i + 1] = end + 1;
    }
    if ((path && strcmp(line[1], path)) || strlen(line[0]) >= FOLLOW_ETAG_MAX ||
        strlen(line[1]) >= WIRE_URL_MAX)
        return false;
    strcpy(etag, line[0]);
    strcpy(found, line[1]);
    *whole = strcmp(line[2], "-") ? strtoull(line[2], NULL, 10) : UINT64_MAX;
    return true;
}

static enum sync_rc write_is(struct sync_err *e, const char *file, const char *path,
                             const char *etag, bool whole, uint64_t n)
{
    char temporary[PART_PATH + 8], length[24] = "-";
    FILE *out;
    bool ok;

    if (whole)
        snprintf(length, sizeof length, "%" PRIu64, n);
    snprintf(temporary, sizeof temporary, "%s.new", file);
    if (!(out = fopen(temporary, "we")))
        return trouble(e, temporary);
    ok = fprintf(out, "%s\n%s\n%s\n", etag, path, length) > 0;
    ok = !fclose(out) && ok;
    if (!ok || rename(temporary, file))
        return trouble(e, file);
    return SYNC_OK;
}

enum sync_rc mirror_part_find(void *ctx, struct sync_err *e, const char *path,
                              struct follow_part *out)
{
    struct mirror_store *s = ctx;
    char file[PART_PATH], found[WIRE_URL_MAX];
    struct stat st;
    uint64_t whole;

    (void)e;
    *out = (struct follow_part){ 0 };
    name_of(s, path, ".is", file);
    if (!read_is(file, path, out->etag, found, &whole))
        return SYNC_OK;
    name_of(s, path, "", file);
    if (stat(file, &st)) {
        out->etag[0] = '\0';
        return SYNC_OK;
    }
    out->bytes = (uint64_t)st.st_size;
    out->whole = out->bytes == whole;
    return SYNC_OK;
}

static enum sync_rc put_bytes(struct sync_err *e, const char *file, uint64_t at,
                              const void *bytes, size_t n)
{
    AUTO(closep) int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return trouble(e, file);
    if (ftruncate(fd, (off_t)at))
        return trouble(e, file);
    for (size_t done = 0; done < n;) {
        ssize_t step = pwrite(fd, (const char *)bytes + done, n - done, (off_t)(at + done));

        if (step < 0 && errno == EINTR)
            continue;
        if (step < 0)
            return trouble(e, file);
        done += (size_t)step;
    }
    return SYNC_OK;
}

enum sync_rc mirror_part_write(void *ctx, struct sync_err *e, const char *path, uint64_t at,
                               const void *bytes, size_t n, const char *etag, bool whole)
{
    struct mirror_store *s = ctx;
    char file[PART_PATH], is[PART_PATH];
    enum sync_rc rc;

    name_of(s, path, "", file);
    name_of(s, path, ".is", is);
    if (!at) {
        struct err why;

        if (fs_mkdirs(&why, s->parts, 0700))
            return mirror_failed(e, why.rc, &why);
        if (unlink(is) && errno != ENOENT)
            return trouble(e, is);
    }
    if ((rc = put_bytes(e, file, at, bytes, n)))
        return rc;
    return !at || whole ? write_is(e, is, path, etag, whole, at + n) : SYNC_OK;
}

enum sync_rc mirror_part_read(void *ctx, struct sync_err *e, const char *path, uint64_t at,
                              void *out, size_t room, size_t *n)
{
    struct mirror_store *s = ctx;
    char file[PART_PATH];
    ssize_t got;

    *n = 0;
    name_of(s, path, "", file);
    AUTO(closep) int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? SYNC_OK : trouble(e, file);
    while ((got = pread(fd, out, room, (off_t)at)) < 0 && errno == EINTR)
        ;
    if (got < 0)
        return trouble(e, file);
    *n = (size_t)got;
    return SYNC_OK;
}

static bool is_kept(const struct mirror_store *s, const char *name, const char *const *paths,
                    size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char file[PART_PATH];
        const char *base;

        name_of(s, paths[i], "", file);
        base = strrchr(file, '/') + 1;
        if (!strncmp(name, base, strlen(base)))
            return true;
    }
    return false;
}

enum sync_rc mirror_part_keep(void *ctx, struct sync_err *e, const char *const *paths, size_t n)
{
    struct mirror_store *s = ctx;
    DIR *dir = opendir(s->parts);
    struct dirent *file;

    (void)e;
    if (!dir)
        return SYNC_OK;
    while ((file = readdir(dir)))
        if (file->d_name[0] != '.' && !is_kept(s, file->d_name, paths, n))
            unlinkat(dirfd(dir), file->d_name, 0);
    closedir(dir);
    return SYNC_OK;
}

void mirror_parts_drop(void *dir_name)
{
    DIR *dir = opendir(dir_name);
    struct dirent *file;

    if (!dir)
        return;
    while ((file = readdir(dir)))
        if (file->d_name[0] != '.')
            unlinkat(dirfd(dir), file->d_name, 0);
    closedir(dir);
    rmdir(dir_name);
}
