/*
 * file_type.h - what a file that came from elsewhere is, by its bytes: pictures and documents that we keep, and nothing else.
 *
 * Neither what a server says of it nor its name is believed; a name only tells apart what begins alike (a .docx and a .zip). Pages, scripts, programs and SVG are none of ours.
 */
#ifndef SOURCE_FILE_TYPE_H
#define SOURCE_FILE_TYPE_H

#include <stddef.h>

struct file_type {
    const char *end;  /* of its name: ".pdf" */
    const char *type; /* "application/pdf" */
};

/* NULL: it is nothing that we keep. */
const struct file_type *file_type_of(const void *p, size_t n, const char *name);

#endif
