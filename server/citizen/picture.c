/*
 * picture.c - three containers, each a list of pieces with lengths: a piece that is known to be picture goes over as it is, all else stays behind.
 *
 *     JPEG  ffd8 | (ff, marker, length 2 with itself, bytes)* | … ffda, header, coded data until the next marker that is none of its own | ffd9
 *     PNG   signature 8 | (length 4, type 4, bytes, CRC 4)*, IHDR first, IEND last
 *     WebP  RIFF, length 4 little-endian, WEBP | (type 4, length 4 little-endian, bytes, a zero if odd)*
 *
 * Nothing is unpacked here: who shows the picture does that, and is told by its header how large it is.
 */
#include "server/citizen/picture.h"

#include <string.h>
#include <zlib.h>

struct span {
    const uint8_t *p, *end;
};

static const struct {
    enum file_kind kind;
    const char *bytes;
    size_t n, at;
    const char *type;
} magics[] = {
    { FILE_JPEG, "\xff\xd8\xff", 3, 0, "image/jpeg" },
    { FILE_PNG, "\x89PNG\r\n\x1a\n", 8, 0, "image/png" },
    { FILE_WEBP, "WEBP", 4, 8, "image/webp" },
    { FILE_PDF, "%PDF-", 5, 0, "application/pdf" },
};

enum file_kind file_kind_of(const void *p, size_t n)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (n >= magics[i].at + magics[i].n &&
            !memcmp((const char *)p + magics[i].at, magics[i].bytes, magics[i].n) &&
            (magics[i].kind != FILE_WEBP || !memcmp(p, "RIFF", 4)))
            return magics[i].kind;
    return FILE_NONE;
}

const char *file_kind_type(enum file_kind kind)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (magics[i].kind == kind)
            return magics[i].type;
    return NULL;
}

static enum rc broken(struct err *e)
{
    return err_set(e, RC_INVALID, "图片不完整或已损坏");
}

static enum rc check_size(struct err *e, uint64_t width, uint64_t height)
{
    if (!width || !height)
        return broken(e);
    if (width > PICTURE_SIDE_MAX || height > PICTURE_SIDE_MAX ||
        width * height > PICTURE_PIXELS_MAX)
        return err_set(e, RC_INVALID, "图片太大：最多一亿像素，每边最多 30000 像素");
    return RC_OK;
}

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
    return be16(p) << 16 | be16(p + 2);
}

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t le24(const uint8_t *p)
{
    return le16(p) | (uint32_t)p[2] << 16;
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p) | le16(p + 2) << 16;
}

/* ---- JPEG ---- */

enum {
    M_SOF0 = 0xc0,
    M_DHT = 0xc4,
    M_DAC = 0xcc,
    M_SOF15 = 0xcf,
    M_RST0 = 0xd0,
    M_RST7 = 0xd7,
    M_EOI = 0xd9,
    M_SOS = 0xda,
    M_DQT = 0xdb,
    M_DRI = 0xdd,
    M_APP0 = 0xe0,
    M_APP1 = 0xe1,
    M_APP2 = 0xe2,
    M_APP14 = 0xee,
    SCANS_MAX = 100, /* a progressive picture has about ten */
    ORIENTATION = 0x112,
    SHORT = 3
};

static bool is_frame(int marker)
{
    return marker >= M_SOF0 && marker <= M_SOF15 && marker != M_DHT && marker != 0xc8 &&
           marker != M_DAC;
}

/* The rows of TIFF's first directory; 0: it does not say, or cannot be read. */
static int read_orientation(const uint8_t *tiff, size_t n)
{
    bool big = n >= 8 && !memcmp(tiff, "MM\0*", 4);
    uint32_t at, rows;

    if (!big && (n < 8 || memcmp(tiff, "II*\0", 4) != 0))
        return 0;
    at = big ? be32(tiff + 4) : le32(tiff + 4);
    if (at > n - 2 || n < 10)
        return 0;
    rows = big ? be16(tiff + at) : le16(tiff + at);
    for (const uint8_t *row = tiff + at + 2; rows--; row += 12) {
        if ((size_t)(tiff + n - row) < 12)
            return 0;
        if ((big ? be16(row) : le16(row)) == ORIENTATION &&
            (big ? be16(row + 2) : le16(row + 2)) == SHORT)
            return (int)(big ? be16(row + 8) : le16(row + 8));
    }
    return 0;
}

/* An EXIF that says which way up it is, and nothing else. */
static void put_orientation(struct buf *out, int orientation)
{
    uint8_t exif[] = { 0xff, M_APP1, 0, 34, 'E', 'x', 'i', 'f', 0, 0,  'M', 'M',
                       0,    42,     0, 0,  0,   8,   0,   1,   1, 18, 0,   3,
                       0,    0,      0, 1,  0,   0,   0,   0,   0, 0,  0,   0 };

    exif[29] = (uint8_t)orientation;
    buf_add(out, exif, sizeof exif);
}

static bool begins(const uint8_t *p, size_t n, const char *with, size_t with_n)
{
    return n >= with_n && !memcmp(p, with, with_n);
}

/* Which pieces are picture: tables, frames, the start of a scan, JFIF, colours, and Adobe's word on how they are coded. */
static bool is_kept(int marker, const uint8_t *p, size_t n)
{
    switch (marker) {
    case M_DHT:
    case M_DAC:
    case M_DQT:
    case M_DRI:
    case M_SOS: return true;
    case M_APP0: return begins(p, n, "JFIF", 5) && n >= 14;
    case M_APP2: return begins(p, n, "ICC_PROFILE", 12);
    case M_APP14: return begins(p, n, "Adobe", 5);
    default: return is_frame(marker);
    }
}

/* JFIF may carry a thumbnail behind its 14 bytes. */
static void put_piece(struct buf *out, int marker, const uint8_t *p, size_t n)
{
    uint8_t head[4] = { 0xff, (uint8_t)marker };
    bool jfif = marker == M_APP0;

    n = jfif ? 14 : n;
    head[2] = (uint8_t)((n + 2) >> 8);
    head[3] = (uint8_t)(n + 2);
    buf_add(out, head, sizeof head);
    buf_add(out, p, jfif ? 12 : n);
    if (jfif)
        buf_add(out, "\0", 2);
}

/* Coded data up to the next marker that is not a part of it. */
static const uint8_t *scan_end(const uint8_t *p, const uint8_t *end)
{
    while (p + 1 < end && (p = memchr(p, 0xff, (size_t)(end - p - 1)))) {
        if (p[1] && p[1] != 0xff && !(p[1] >= M_RST0 && p[1] <= M_RST7))
            return p;
        p += p[1] == 0xff ? 1 : 2;
    }
    return NULL;
}

struct jpeg {
    struct span in;
    struct buf *out;
    int scans, orientation;
    bool framed;
};

static enum rc jpeg_scan(struct err *e, struct jpeg *j)
{
    const uint8_t *end = scan_end(j->in.p, j->in.end);

    if (!end || !j->framed || ++j->scans > SCANS_MAX)
        return broken(e);
    buf_add(j->out, j->in.p, (size_t)(end - j->in.p));
    j->in.p = end;
    return RC_OK;
}

static enum rc jpeg_piece(struct err *e, struct jpeg *j, int marker)
{
    size_t n = (size_t)(j->in.end - j->in.p) < 2 ? 0 : be16(j->in.p);
    const uint8_t *p = j->in.p + 2;
    enum rc rc = RC_OK;

    if (n < 2 || (size_t)(j->in.end - j->in.p) < n)
        return broken(e);
    j->in.p += n;
    n -= 2;
    if (is_frame(marker)) {
        if (n < 6 || j->framed)
            return broken(e);
        j->framed = true;
        rc = check_size(e, be16(p + 3), be16(p + 1));
    }
    if (marker == M_APP1 && begins(p, n, "Exif\0", 6) && !j->orientation &&
        (j->orientation = read_orientation(p + 6, n - 6)) >= 2 && j->orientation <= 8)
        put_orientation(j->out, j->orientation);
    if (rc || !is_kept(marker, p, n))
        return rc;
    put_piece(j->out, marker, p, n);
    return marker == M_SOS ? jpeg_scan(e, j) : RC_OK;
}

static enum rc strip_jpeg(struct err *e, struct span in, struct buf *out)
{
    struct jpeg j = { .in = { in.p + 2, in.end }, .out = out };
    enum rc rc;

    buf_add(out, "\xff\xd8", 2);
    while (j.in.end - j.in.p >= 2 && j.in.p[0] == 0xff) {
        int marker = j.in.p[1];

        j.in.p += marker == 0xff ? 1 : 2; /* 0xff may be filled with 0xff */
        if (marker == M_EOI) {
            buf_add(out, "\xff\xd9", 2);
            return j.scans ? RC_OK : broken(e);
        }
        if (marker != 0xff && (rc = jpeg_piece(e, &j, marker)))
            return rc;
    }
    return broken(e);
}

/* ---- PNG ---- */

static bool png_is_kept(const uint8_t *type)
{
    static const char kept[] = "IHDR PLTE tRNS IDAT IEND gAMA cHRM sRGB iCCP sBIT bKGD pHYs ";
    char name[6] = { (char)type[0], (char)type[1], (char)type[2], (char)type[3], ' ', '\0' };

    return strlen(name) == 5 && strstr(kept, name);
}

static enum rc png_check(struct err *e, const uint8_t *type, const uint8_t *p, size_t n,
                         bool first)
{
    if (first != !memcmp(type, "IHDR", 4))
        return broken(e);
    if (!first)
        return RC_OK;
    return n == 13 ? check_size(e, be32(p), be32(p + 4)) : broken(e);
}

static enum rc strip_png(struct err *e, struct span in, struct buf *out)
{
    bool first = true;

    buf_add(out, in.p, 8);
    for (const uint8_t *p = in.p + 8; in.end - p >= 12; first = false) {
        size_t n = be32(p), all = n + 12;
        enum rc rc;

        if ((size_t)(in.end - p) < all || be32(p + 8 + n) != crc32(0, p + 4, (uInt)(n + 4)))
            return broken(e);
        if ((rc = png_check(e, p + 4, p + 8, n, first)))
            return rc;
        if (png_is_kept(p + 4))
            buf_add(out, p, all);
        if (!memcmp(p + 4, "IEND", 4))
            return RC_OK;
        p += all;
    }
    return broken(e);
}

/* ---- WebP ---- */

enum { VP8X_ANIMATED = 0x02, VP8X_KEPT = 0x30 /* colours, alpha */ };

static enum rc webp_check(struct err *e, const uint8_t *type, const uint8_t *p, size_t n)
{
    if (!memcmp(type, "VP8 ", 4))
        return n < 10 || memcmp(p + 3, "\x9d\x01\x2a", 3) != 0
                   ? broken(e)
                   : check_size(e, le16(p + 6) & 0x3fff, le16(p + 8) & 0x3fff);
    if (!memcmp(type, "VP8L", 4))
        return n < 5 || p[0] != 0x2f ? broken(e)
                                     : check_size(e, (le32(p + 1) & 0x3fff) + 1,
                                                  (le32(p + 1) >> 14 & 0x3fff) + 1);
    if (memcmp(type, "VP8X", 4) != 0)
        return RC_OK;
    if (n != 10)
        return broken(e);
    if (p[0] & VP8X_ANIMATED)
        return err_set(e, RC_INVALID, "请上传不动的图片");
    return check_size(e, (uint64_t)le24(p + 4) + 1, (uint64_t)le24(p + 7) + 1);
}

static bool webp_is_kept(const uint8_t *type)
{
    static const char *const kept[] = { "VP8 ", "VP8L", "VP8X", "ALPH", "ICCP" };

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (!memcmp(type, kept[i], 4))
            return true;
    return false;
}

static void put_le32(char *at, size_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (char)(v >> 8 * i);
}

/* Where the piece's own bytes begin in `out`. */
static char *put_chunk(struct buf *out, const uint8_t *p, size_t n)
{
    size_t at = out->n + 8;

    buf_add(out, p, 8 + n);
    if (n & 1)
        buf_addc(out, '\0');
    return out->p + at;
}

static enum rc strip_webp(struct err *e, struct span in, struct buf *out)
{
    size_t start = out->n, size = le32(in.p + 4);
    const uint8_t *end = size > (size_t)(in.end - in.p) - 8 ? in.end : in.p + 8 + size;
    bool picture = false;

    buf_add(out, in.p, 12);
    for (const uint8_t *p = in.p + 12; end - p >= 8;) {
        size_t n = le32(p + 4);
        enum rc rc;

        if ((size_t)(end - p) - 8 < n)
            return broken(e);
        if ((rc = webp_check(e, p, p + 8, n)))
            return rc;
        picture |= !memcmp(p, "VP8 ", 4) || !memcmp(p, "VP8L", 4);
        if (webp_is_kept(p)) {
            char *into = put_chunk(out, p, n);

            if (!memcmp(p, "VP8X", 4))
                into[0] &= VP8X_KEPT;
        }
        p += 8 + n;
        p += (n & 1) && p < end;
    }
    put_le32(out->p + start + 4, out->n - start - 8);
    return picture ? RC_OK : broken(e);
}

enum rc picture_strip(struct err *e, enum file_kind kind, const void *p, size_t n,
                      struct buf *out)
{
    const struct span in = { p, (const uint8_t *)p + n };

    if (file_kind_of(p, n) != kind)
        return broken(e);
    switch (kind) {
    case FILE_JPEG: return strip_jpeg(e, in, out);
    case FILE_PNG: return strip_png(e, in, out);
    case FILE_WEBP: return n < 12 ? broken(e) : strip_webp(e, in, out);
    default: return err_set(e, RC_INVALID, "不是可以处理的图片");
    }
}
