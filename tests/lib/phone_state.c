#include "tests/lib/phone_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

json_t *exchange(struct world *t, const struct person *p, const char *body)
{
    struct answer a = person_ask(t, p, POST, "/v1/me/sync", body);

    if (a.status != 200)
        fail_msg("%s answers %d: %s", body, a.status, a.body);
    assert_string_equal(HEADER(a, "cache-control"), "no-store");
    return json_of(t, &a);
}

json_t *bring(struct world *t, const struct person *p, const char *device, int64_t n,
              const char *mutation)
{
    return exchange(
        t, p,
        URL("{\"device\":\"%s\",\"mutations\":[{\"n\":%" PRId64 ",%s}]}", device, n, mutation));
}

const char *cursor_of(const json_t *answer)
{
    return json_string_value(json_object_get(answer, "cursor"));
}

int64_t number_of(const json_t *answer, const char *member)
{
    const json_t *v = json_object_get(answer, member);

    return json_is_boolean(v)   ? json_is_true(v)
           : json_is_integer(v) ? json_integer_value(v)
                                : -1;
}

const char *result_of(struct world *t, const json_t *answer, size_t i)
{
    const json_t *r = json_array_get(json_object_get(answer, "results"), i);
    const char *code = json_string_value(json_object_get(r, "code"));

    if (!r)
        return "";
    if (code)
        assert_true(strlen(json_string_value(json_object_get(r, "detail"))) > 6);
    return code ? URL("%s:%s", json_string_value(json_object_get(r, "result")), code)
                : json_string_value(json_object_get(r, "result"));
}

const char *value_of(struct world *t, const json_t *answer, const char *type, const char *key)
{
    const json_t *list = json_object_get(answer, "entries");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *e = json_array_get(list, i);
        char *text;
        const char *copy;

        if (strcmp(json_string_value(json_object_get(e, "type")), type) ||
            strcmp(json_string_value(json_object_get(e, "key")), key))
            continue;
        text = json_dumps(json_object_get(e, "value"), JSON_ENCODE_ANY | JSON_COMPACT);
        copy = URL("%s", text);
        free(text);
        return copy;
    }
    return "";
}

size_t entries_of(const json_t *answer)
{
    return json_array_size(json_object_get(answer, "entries"));
}
