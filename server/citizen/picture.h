/*
 * picture.h - what a file is, by its bytes; and a picture without what its camera wrote into it.
 *
 * Taken out: EXIF (where, when, by which device), XMP, IPTC, comments, text, thumbnails, and whatever stands behind the picture's end. Kept: the
 * picture as it was compressed, its colours (ICC), and which way up it is (EXIF orientation, alone in an EXIF of 36 bytes).
 */
#ifndef CITIZEN_PICTURE_H
#define CITIZEN_PICTURE_H

#include "server/base/buf.h"

enum file_kind { FILE_NONE, FILE_JPEG, FILE_PNG, FILE_WEBP, FILE_PDF };

enum { PICTURE_PIXELS_MAX = 100 * 1000 * 1000, PICTURE_SIDE_MAX = 30000 };

/* By its first bytes; a name says nothing. */
enum file_kind file_kind_of(const void *p, size_t n);
const char *file_kind_type(enum file_kind kind); /* "image/jpeg"; NULL of FILE_NONE */

/*
 * Appends the picture as it may be kept. RC_INVALID, with a Chinese sentence: it is no whole picture of this kind; it says that it unpacks to more
 * than PICTURE_PIXELS_MAX; it moves.
 */
enum rc picture_strip(struct err *e, enum file_kind kind, const void *p, size_t n,
                      struct buf *out);

#endif
