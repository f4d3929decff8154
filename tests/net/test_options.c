// SPDX-License-Identifier: Apache-2.0

#include "net/net.h"
#include "support/support.h"

#include <string.h>

START_TEST(defaults_are_permitted_and_are_those_of_the_papers)
{
    static const struct {
        const wsr__class *cls;
        int64_t channels;
        int64_t layers;
    } rows[] = {{&wsr__net_network.super, 36, 20},
                {&wsr__net_robnet.super, 36, 20},
                {&wsr__net_supernet.super, 16, 8}};
    for (size_t i = 0; i < 3; i++) {
        wsr__cells_options o = {0};
        for (const wsr__option *p = rows[i].cls->schema; p->key != NULL; p++) {
            ck_assert_ok(wsr__value_decode(&o, p, p->fallback));
            ck_assert_str_ne(p->help, "");
        }
        ck_assert_int_eq(o.channels, rows[i].channels);
        ck_assert_int_eq(o.layers, rows[i].layers);
        ck_assert_int_eq(o.super.classes, 10);
        ck_assert_int_eq(o.super.image_channels, 3);
        ck_assert_str_eq(o.stem.s, "cifar");
        ck_assert(!o.auxiliary);
        ck_assert(o.drop_path == 0);
    }
}
END_TEST

START_TEST(every_stem_has_a_name_in_the_list)
{
    size_t i = 0;
    for (; wsr__stems[i].name != NULL; i++) {
        ck_assert_ptr_nonnull(wsr__stem_names[i]);
        ck_assert_str_eq(wsr__stems[i].name, wsr__stem_names[i]);
    }
    ck_assert_ptr_null(wsr__stem_names[i]);
}
END_TEST

START_TEST(an_unknown_stem_is_refused_with_the_permitted_ones)
{
    wsr_net *net = NULL;
    ck_assert_fails(wsr_net_new(&net, NULL, "genotype=cna_r,stem=cifa", 1),
                    WSR_CONFIG, "cifar");
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        defaults_are_permitted_and_are_those_of_the_papers,
        every_stem_has_a_name_in_the_list,
        an_unknown_stem_is_refused_with_the_permitted_ones, NULL};
    return suite_of("options", tests);
}
