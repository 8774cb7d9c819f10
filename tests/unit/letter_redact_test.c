/*
 * letter_redact_test.c - what is taken out of a text before others read it, and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/citizen/letter_redact.h"

static void texts_lose_what_says_who_wrote_them(void **state)
{
    static const struct letter_known known[] = { { "李雷", NULL },
                                                 { "欧阳娜娜", NULL },
                                                 { "2730 1234", "［电话］" },
                                                 { "迎水道12号3门402", "［地址］" } };
    static const struct {
        const char *text, *left;
    } cases[] = {
        { "我叫李雷，手机13800138000。", "我叫李某，手机［手机号］。" },
        { "138 0013 8000 或 138-0013-8000", "［手机号］ 或 ［手机号］" },
        { "+8613800138000", "+［手机号］" },
        { "１３８００１３８０００", "［手机号］" },
        { "13800138000 13900139000", "［手机号］ ［手机号］" },
        { "身份证11010519491231002X，", "身份证［身份证号］，" },
        { "身份证11010519491231002x", "身份证［身份证号］" },
        { "单位电话 022-23456789 转 3", "单位电话 ［电话］ 转 3" },
        { "请致电23456789", "请致电［电话］" },
        { "a.b@example.com来信", "［邮箱］来信" },
        { "欧阳娜娜反映", "欧某反映" },
        { "我住迎水道12号3门402，打27301234", "我住［地址］，打［电话］" },
        { "2730-1234", "［电话］" },
        { "li＠a.cn", "［邮箱］" },
        { "+852 9123 4567 或 00853-6612-3456", "+［电话］ 或 ［电话］" },
        { "+886 912 345 678", "+［电话］" },
        { "电话 2345 6789", "电话 ［电话］" },
        { "微信lilei1988，", "微信［微信号］，" },
        { "微信号：li_lei-88。", "微信号：［微信号］。" },
        { "QQ 123456789，QQ123456789，QQ号是 87654321",
          "QQ ［QQ号］，［QQ号］，QQ号是 ［QQ号］" },
        { "车牌津A12345、津AD12345和粤Z·1234港", "车牌［车牌］、［车牌］和［车牌］" },
        { "护照 E12345678、EA1234567", "护照 ［证件号］、［证件号］" },
        /* What stays. */
        { "用微信小程序办理，关注QQ群", NULL },
        { "天津AAAAA景区，新A股", NULL },
        { "GB12345678X 与 iPhone15", NULL },
        { "津政办发〔2024〕12号，2026-11-22 10:00", NULL },
        { "110105194912310021", NULL }, /* its check digit does not hold */
        { "12345热线", NULL },
        { "楼栋 20240101 号", NULL },
        { "12000138000", NULL },
        { "v1.2@", NULL },
        { "", NULL },
    };
    struct arena *mem = arena_new();

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(letter_redact(mem, cases[i].text, known, 4),
                            cases[i].left ? cases[i].left : cases[i].text);
    assert_string_equal(letter_redact(mem, "4111 1111 1111 1111", NULL, 0), "［卡号］");
    arena_free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(texts_lose_what_says_who_wrote_them) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
