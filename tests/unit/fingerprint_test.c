/* Texts that are the same, nearly, or not: by real ones where they are at hand, and made ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/base/buf.h"
#include "server/source/fingerprint.h"

static const char paragraph[] =
    "各区人民政府，各委、办、局，各直属单位：为进一步优化营商环境，方便企业和群众办事，经市人民"
    "政府同意，现就有关事项通知如下。一是精简材料，凡能通过数据共享核验的，不再要求申请人提供纸"
    "质"
    "证明。二是压缩时限，即办件当场办结，承诺件在五个工作日内办结。三是一网通办，线上线下同一标"
    "准，"
    "同等效力。四是加强监督，设立投诉电话，接受社会监督，对推诿扯皮的严肃追责。各单位要在年底前"
    "完成"
    "改造，并将进展情况报市政务服务办公室。";

static enum likeness compare(const char *a, const char *b)
{
    struct fingerprint x, y;

    fingerprint_of(a, strlen(a), &x);
    fingerprint_of(b, strlen(b), &y);
    return fingerprint_compare(&x, &y);
}

static void what_does_not_count_makes_no_difference(void **state)
{
    (void)state;
    assert_int_equal(compare("关于开放口袋公园的通告，共三处绿地（ＡＢＣ１２３）。自即日起。",
                             "## 关于开放口袋公园的通告\n\n共三处 绿地 (abc123) 自即日起"),
                     SAME);
    assert_int_equal(
        compare("关于开放口袋公园的通告，共三处绿地，[见图](https://a.cn/1)，自即日起开放。",
                "关于开放口袋公园的通告，共三处绿地，[见图](sha256:00)，自即日起开放。"),
        SAME);
}

static void a_word_makes_it_near(void **state)
{
    char other[sizeof paragraph + 64];

    (void)state;
    snprintf(other, sizeof other, "和平区：%s", paragraph);
    assert_int_equal(compare(paragraph, other), NEAR);
}

static void short_texts_are_the_same_or_nothing_is_said(void **state)
{
    (void)state;
    assert_int_equal(compare("三处绿地", "三处绿地"), UNLIKE);
    assert_int_equal(compare("和平区新建三处口袋公园，共有绿地约两千平方米，自即日起开放",
                             "南开区新建三处口袋公园，共有绿地约两千平方米，自即日起开放"),
                     UNLIKE);
}

static void others_are_others(void **state)
{
    static const char *const words[] = { "供热", "医疗", "教育", "公积金", "交通",
                                         "住房", "养老", "环保", "消防",   "就业" };
    struct fingerprint made[200];

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct buf b = BUF_HEAP;

        /* Offices write of everything in the same phrases: two thirds of each text are different. */
        for (int k = 0; k < 40; k++)
            buf_printf(&b, "第%d条 关于%s和%s工作的%d项要求，由%s部门在%d日内落实。", k,
                       words[(i * 7 + k) % 10], words[(i / 10 + k * 3) % 10], i * k + 1,
                       words[(i + k * k) % 10], i + k);
        fingerprint_of(b.p, b.n, &made[i]);
        buf_done(&b);
    }
    for (int i = 0; i < 200; i++)
        for (int k = 0; k < i; k++)
            assert_int_not_equal(fingerprint_compare(&made[i], &made[k]), SAME);
}

static void bad_bytes_are_passed_over(void **state)
{
    struct fingerprint f;

    (void)state;
    fingerprint_of("\xff\xe4\xb8\xf0\x80", 5, &f);
    assert_int_equal(f.characters, 0);
    fingerprint_of("](\xe4", 3, &f);
    assert_int_equal(f.characters, 0);
    fingerprint_of("", 0, &f);
    assert_int_equal(f.characters, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_count_makes_no_difference),
        cmocka_unit_test(a_word_makes_it_near),
        cmocka_unit_test(short_texts_are_the_same_or_nothing_is_said),
        cmocka_unit_test(others_are_others),
        cmocka_unit_test(bad_bytes_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
