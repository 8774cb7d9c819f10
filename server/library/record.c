/*
 * record.c - puts the published bytes together, member by member in the order of field.def,
 * which is the order of their names: the canonical form needs no sorting and no tree.
 */
#include "server/library/record.h"

#include "server/base/clock.h"
#include "server/base/jx.h"

static void put_time(struct buf *out, const char *key, int64_t at)
{
    char text[CLOCK_TEXT];

    jx_put_text(out, key, clock_text(at, text));
}

static void put_id(struct buf *out, const struct id *id)
{
    char text[ID_TEXT];

    jx_put_text(out, "id", id_text(id, text));
}

static void put_fact(struct buf *out, enum field_no field, const struct content *c,
                     const struct record_facts *f)
{
    const char *name = fields[field].name;

    switch ((int)field) {
    case FIELD_authority: jx_put_text(out, name, f->authority); break;
    case FIELD_column: jx_put_text(out, name, f->column); break;
    case FIELD_id: put_id(out, &f->id); break;
    case FIELD_kind: jx_put_text(out, name, kind_name(c->kind)); break;
    case FIELD_originId: jx_put_text(out, name, f->origin_id); break;
    case FIELD_published: put_time(out, name, f->published); break;
    case FIELD_revision: jx_put_int(out, name, f->revision); break;
    case FIELD_site: jx_put_text(out, name, f->site); break;
    case FIELD_updated: put_time(out, name, f->updated); break;
    }
}

void record_write(const struct content *c, const struct record_facts *facts, struct buf *out)
{
    size_t room = 1024;

    for (int i = 0; i < FIELD_COUNT; i++)
        room += c->value[i].n + 24;
    buf_reserve(out, room);
    buf_addc(out, '{');
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (fields[i].type == FIELD_SYSTEM) {
            put_fact(out, (enum field_no)i, c, facts);
        } else if (c->value[i].p) {
            jx_key(out, fields[i].name);
            buf_add(out, c->value[i].p, c->value[i].n);
        }
    }
    buf_addc(out, '}');
}

void record_tombstone(const struct id *id, enum state state, const char *reason, int64_t at,
                      struct buf *out)
{
    buf_addc(out, '{');
    put_id(out, id);
    jx_put_text(out, "reason", reason);
    jx_put_text(out, "state", state_name(state));
    put_time(out, "withdrawn", at);
    buf_addc(out, '}');
}
