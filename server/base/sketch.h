/*
 * sketch.h - how often something was met, in memory that never grows.
 *
 * A count-min sketch of two rows under a key by chance: two things that meet in both rows count for each other, and never less than is true. All
 * of it begins anew when its owner says so. No lock: its owner has one, or is one thread.
 */
#ifndef BASE_SKETCH_H
#define BASE_SKETCH_H

#include <stddef.h>
#include <stdint.h>

struct sketch;

struct sketch *sketch_new(void);
void sketch_free(struct sketch *s); /* accepts NULL */
void sketch_clear(struct sketch *s);
/* Meets the thing that these bytes stand for; how often it was met before. */
uint32_t sketch_meet(struct sketch *s, const void *p, size_t n);

#endif
