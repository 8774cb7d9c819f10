/*
 * picture_test.c - pictures lose what their camera wrote and stay the same pictures; bombs and broken ones are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <zlib.h>

#include "server/citizen/picture.h"

static struct buf made;

static int set_up(void **state)
{
    (void)state;
    made = BUF_HEAP;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&made);
    return 0;
}

static void add(const char *p, size_t n)
{
    buf_add(&made, p, n);
}

#define ADD(literal) add(literal, sizeof(literal) - 1)

static bool has(const struct buf *b, const char *p, size_t n)
{
    return memmem(b->p, b->n, p, n);
}

static enum rc strip(enum file_kind kind, struct buf *out)
{
    struct err e;

    *out = BUF_HEAP;
    return picture_strip(&e, kind, made.p, made.n, out);
}

static void assert_refused(enum file_kind kind)
{
    struct buf out;

    assert_int_equal(strip(kind, &out), RC_INVALID);
    buf_done(&out);
}

/* ---- JPEG ---- */

static void jpeg_frame(int width, int height)
{
    uint8_t sof[] = { 0xff,
                      0xc0,
                      0,
                      11,
                      8,
                      (uint8_t)(height >> 8),
                      (uint8_t)height,
                      (uint8_t)(width >> 8),
                      (uint8_t)width,
                      1,
                      1,
                      0x11,
                      0 };

    add((const char *)sof, sizeof sof);
}

static void jpeg(int width, int height)
{
    ADD("\xff\xd8");
    ADD("\xff\xe0\0\x10JFIF\0\1\2\0\0\1\0\1\0\0");
    ADD("\xff\xe1\0\x28"
        "Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0GPSGPS");
    ADD("\xff\xe1\0\x10http://ns.adob");
    ADD("\xff\xfe\0\x09"
        "comment");
    ADD("\xff\xdb\0\4\0\1");
    jpeg_frame(width, height);
    ADD("\xff\xda\0\x08\1\1\0\0\x3f\0");
    ADD("coded\xff\0data\xff\xd0more");
    ADD("\xff\xd9");
    ADD("a thumbnail behind the end");
}

static void a_jpeg_keeps_its_picture_and_which_way_up_it_is(void **state)
{
    struct buf out;

    (void)state;
    jpeg(4000, 3000);
    assert_int_equal(strip(FILE_JPEG, &out), RC_OK);
    assert_false(has(&out, "GPS", 3));
    assert_false(has(&out, "ns.adob", 7));
    assert_false(has(&out, "comment", 7));
    assert_false(has(&out, "thumbnail", 9));
    assert_true(has(&out, "coded\xff\0data\xff\xd0more\xff\xd9", 19));
    assert_true(has(&out, "\xff\xdb\0\4\0\1", 6));
    assert_true(has(&out, "Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0", 28));
    { /* What is clean stays as it is. */
        struct buf again = BUF_HEAP;
        struct err e;

        assert_int_equal(picture_strip(&e, FILE_JPEG, out.p, out.n, &again), RC_OK);
        assert_int_equal(again.n, out.n);
        assert_memory_equal(again.p, out.p, out.n);
        buf_done(&again);
    }
    buf_done(&out);
}

static void a_jpeg_that_says_it_is_vast_is_refused(void **state)
{
    (void)state;
    jpeg(30000, 30000);
    assert_refused(FILE_JPEG);
    made.n = 0;
    jpeg(0, 10);
    assert_refused(FILE_JPEG);
}

static void a_jpeg_that_is_cut_anywhere_is_refused(void **state)
{
    struct buf out;
    struct err e;

    (void)state;
    jpeg(40, 30);
    for (size_t n = 0; n < made.n - sizeof "a thumbnail behind the end"; n++) {
        out = BUF_HEAP;
        assert_int_equal(picture_strip(&e, FILE_JPEG, made.p, n, &out), RC_INVALID);
        buf_done(&out);
    }
}

static void endless_scans_are_refused(void **state)
{
    (void)state;
    ADD("\xff\xd8");
    jpeg_frame(10, 10);
    for (int i = 0; i < 200; i++)
        ADD("\xff\xda\0\x08\1\1\0\0\x3f\0x");
    ADD("\xff\xd9");
    assert_refused(FILE_JPEG);
}

/* ---- PNG ---- */

static void be32(uint32_t v)
{
    const char b[] = { (char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v };

    add(b, 4);
}

static void chunk(const char *type, const char *p, size_t n)
{
    size_t at = made.n + 4;

    be32((uint32_t)n);
    add(type, 4);
    add(p, n);
    be32((uint32_t)crc32(0, (const Bytef *)made.p + at, (uInt)(n + 4)));
}

static void png(uint32_t width, uint32_t height)
{
    char header[13] = { 0 };

    header[0] = (char)(width >> 24), header[1] = (char)(width >> 16),
    header[2] = (char)(width >> 8), header[3] = (char)width;
    header[4] = (char)(height >> 24), header[5] = (char)(height >> 16),
    header[6] = (char)(height >> 8), header[7] = (char)height;
    header[8] = 8;
    ADD("\x89PNG\r\n\x1a\n");
    chunk("IHDR", header, 13);
    chunk("tEXt", "Author\0Li Lei", 13);
    chunk("eXIf", "II*\0GPS", 7);
    chunk("IDAT", "pixels", 6);
    chunk("iTXt", "XML:com.adobe.xmp", 17);
    chunk("IEND", "", 0);
    ADD("behind the end");
}

static void a_png_loses_its_texts(void **state)
{
    struct buf out;

    (void)state;
    png(100, 100);
    assert_int_equal(strip(FILE_PNG, &out), RC_OK);
    assert_false(has(&out, "Li Lei", 6));
    assert_false(has(&out, "GPS", 3));
    assert_false(has(&out, "adobe", 5));
    assert_false(has(&out, "behind", 6));
    assert_true(has(&out, "pixels", 6));
    assert_memory_equal(out.p + out.n - 8, "IEND\xae\x42\x60\x82", 8);
    buf_done(&out);
}

static void a_png_bomb_or_a_broken_one_is_refused(void **state)
{
    (void)state;
    png(100000, 100000);
    assert_refused(FILE_PNG);
    made.n = 0;
    png(100, 100);
    made.p[60] ^= 1; /* a checksum that does not hold */
    assert_refused(FILE_PNG);
}

/* ---- WebP ---- */

static void le32(uint32_t v)
{
    const char b[] = { (char)v, (char)(v >> 8), (char)(v >> 16), (char)(v >> 24) };

    add(b, 4);
}

static void piece(const char *type, const char *p, size_t n)
{
    add(type, 4);
    le32((uint32_t)n);
    add(p, n);
    if (n & 1)
        ADD("\0");
}

static void webp(char flags)
{
    char extended[10] = { flags, 0, 0, 0, 99, 0, 0, 49, 0, 0 };
    size_t size;

    ADD("RIFF\0\0\0\0WEBP");
    piece("VP8X", extended, 10);
    piece("EXIF", "II*\0GPS", 7);
    piece("VP8 ", "\x10\0\0\x9d\x01\x2a\x64\0\x32\0pixels", 16);
    piece("XMP ", "<x:xmpmeta>", 11);
    size = made.n - 8;
    memcpy(made.p + 4, &size, 4);
}

static void a_webp_loses_exif_and_xmp_and_says_so(void **state)
{
    struct buf out;
    uint32_t size;

    (void)state;
    webp(0x0c); /* EXIF and XMP */
    assert_int_equal(strip(FILE_WEBP, &out), RC_OK);
    assert_false(has(&out, "GPS", 3));
    assert_false(has(&out, "xmpmeta", 7));
    assert_true(has(&out, "pixels", 6));
    memcpy(&size, out.p + 4, 4);
    assert_int_equal(size, out.n - 8);
    assert_int_equal(out.p[20], 0);
    buf_done(&out);
}

static void a_moving_webp_is_refused(void **state)
{
    (void)state;
    webp(0x02);
    assert_refused(FILE_WEBP);
}

/* A WebP of one piece. */
static void assert_webp(const char *type, const void *p, size_t n, enum rc expected)
{
    struct buf out;
    uint32_t size;

    made.n = 0;
    ADD("RIFF\0\0\0\0WEBP");
    if (!memcmp(type, "VP8X", 4)) { /* it says the size, and a small picture follows */
        piece(type, p, n);
        piece("VP8 ", "\x10\0\0\x9d\x01\x2a\x64\0\x32\0pixels", 16);
    } else {
        piece(type, p, n);
    }
    size = (uint32_t)made.n - 8;
    memcpy(made.p + 4, &size, 4);
    assert_int_equal(strip(FILE_WEBP, &out), expected);
    buf_done(&out);
}

static void a_webp_that_says_it_is_vast_is_refused(void **state)
{
    static const char wide[] = "\0\0\0\0\xff\xff\xff\0\0\0", /* 16,777,216 by 1 */
        large[] = "\0\0\0\0\x10\x27\0\x10\x27\0",            /* 10,001 squared */
        within[] = "\0\0\0\0\x0f\x27\0\x0f\x27\0",           /* 10,000 squared */
        lossless[] = "\x2f\xff\xff\xff\x0f",                 /* 16,384 squared */
        small[] = "\x2f\x63\x40\x0c\0",                      /* 100 by 50 */
        lossy[] = "\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f";    /* 16,383 squared */

    (void)state;
    assert_webp("VP8X", wide, 10, RC_INVALID);
    assert_webp("VP8X", large, 10, RC_INVALID);
    assert_webp("VP8X", within, 10, RC_OK);
    assert_webp("VP8L", lossless, 5, RC_INVALID);
    assert_webp("VP8L", small, 5, RC_OK);
    assert_webp("VP8 ", lossy, 10, RC_INVALID);
}

/* ---- what it is ---- */

static void a_file_is_what_its_bytes_say(void **state)
{
    (void)state;
    assert_int_equal(file_kind_of("%PDF-1.7", 8), FILE_PDF);
    assert_int_equal(file_kind_of("PK\3\4", 4),
                     FILE_NONE); /* zip, and all that is one inside */
    assert_int_equal(file_kind_of("GIF89a", 6), FILE_NONE);
    assert_int_equal(file_kind_of("<svg", 4), FILE_NONE);
    assert_int_equal(file_kind_of("MZ", 2), FILE_NONE);
    assert_int_equal(file_kind_of("", 0), FILE_NONE);
    assert_int_equal(file_kind_of("XXXX0000WEBP", 12), FILE_NONE);
    assert_string_equal(file_kind_type(FILE_WEBP), "image/webp");
    ADD("\x89PNG\r\n\x1a\n");
    assert_refused(FILE_JPEG);
    assert_refused(FILE_PNG);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_jpeg_keeps_its_picture_and_which_way_up_it_is),
        T(a_jpeg_that_says_it_is_vast_is_refused),
        T(a_jpeg_that_is_cut_anywhere_is_refused),
        T(endless_scans_are_refused),
        T(a_png_loses_its_texts),
        T(a_png_bomb_or_a_broken_one_is_refused),
        T(a_webp_loses_exif_and_xmp_and_says_so),
        T(a_moving_webp_is_refused),
        T(a_webp_that_says_it_is_vast_is_refused),
        T(a_file_is_what_its_bytes_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
