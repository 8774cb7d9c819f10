/*
 * network_test.c - of an address no more is kept than its network.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/identity/network.h"

static void an_address_loses_its_last_part(void **state)
{
    static const char *const rows[][2] = {
        { "203.0.113.9", "203.0.113.0/24" },
        { "2001:db8:1:2:3:4:5:6", "2001:db8:1::/48" },
        { "::1", "::/48" },
        { "local", "" },
        { "", "" },
        { "203.0.113.9, 10.0.0.1", "" },
        { "203.0.113", "" },
    };
    char out[NETWORK_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(network_of(rows[i][0], out), rows[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(an_address_loses_its_last_part) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
