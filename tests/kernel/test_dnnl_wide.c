// SPDX-License-Identifier: Apache-2.0

#include "kernel/dnnl_wide.h"
#include "support/support.h"

#include <string.h>

enum { N = 2, H = 3, W = 5, PIXELS = H * W };

static int place(wsr__layout layout, int c, int n, int k, int p)
{
    const int blocks = (c + 7) / 8;
    return layout == WSR__PLAIN
               ? (n * c + k) * PIXELS + p
               : ((n * blocks + k / 8) * PIXELS + p) * 8 + k % 8;
}

// Whole blocks, half blocks, and a rest.
START_TEST(channels_are_where_blocks_of_16_have_them_and_come_back)
{
    static const int channels[] = {64, 40, 50, 7};
    static const wsr__layout layouts[] = {WSR__PLAIN, WSR__BLOCKED};
    enum { MOST = N * 64 * PIXELS };
    for (size_t i = 0; i < 8; i++) {
        static float from[MOST], wide[MOST], back[MOST];
        const int c = channels[i / 2];
        const wsr__layout layout = layouts[i % 2];
        const wsr__wide_image image = {N, c, PIXELS, layout};
        const int blocks = (c + 15) / 16;
        const int stored = layout == WSR__PLAIN ? c : (c + 7) / 8 * 8;
        memset(from, 0, sizeof(from));
        for (int k = 0; k < N * c * PIXELS; k++) {
            from[place(layout, c, k / (c * PIXELS), k / PIXELS % c,
                       k % PIXELS)] = (float)(k + 1);
        }
        ck_assert_uint_eq(wsr__wide_floats(&image),
                          (size_t)(N * blocks * 16 * PIXELS));
        memset(wide, 255, sizeof(wide));
        wsr__widen(wide, from, &image);
        for (int k = 0; k < N * blocks * 16 * PIXELS; k++) {
            const int block = k / 16 / PIXELS % blocks;
            const int channel = block * 16 + k % 16;
            const int n = k / (16 * PIXELS * blocks);
            const float expected =
                channel < c
                    ? from[place(layout, c, n, channel, k / 16 % PIXELS)]
                    : 0.0f;
            ck_assert(wide[k] == expected);
        }
        memset(back, 255, sizeof(back));
        wsr__narrow(back, wide, &image);
        ck_assert_mem_eq(back, from,
                         sizeof(float) * (size_t)(N * stored * PIXELS));
    }
}
END_TEST

START_TEST(dense_convolutions_of_many_channels_are_wide)
{
    const wsr__conv many = {.ci = 64,
                            .co = 80,
                            .h = 32,
                            .w = 32,
                            .oh = 32,
                            .ow = 32,
                            .kh = 3,
                            .kw = 3,
                            .groups = 1};
    const bool can = wsr__dnnl_is_wide(&many); // with AVX-512
    const struct {
        int64_t ci, co, kh, groups;
        bool wide;
    } other[] = {
        {48, 80, 3, 1, false}, // our blocks are as fast
        {72, 80, 5, 1, true},  {64, 80, 1, 1, false}, {64, 80, 3, 2, false},
        {50, 50, 3, 1, true}, // blocks of 8 are not full
        {7, 300, 3, 1, false}, {3, 3, 3, 1, false},   {3, 10, 5, 1, false},
    };
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        wsr__conv p = many;
        p.ci = other[i].ci;
        p.co = other[i].co;
        p.kh = other[i].kh;
        p.kw = other[i].kh;
        p.groups = other[i].groups;
        ck_assert_msg(wsr__dnnl_is_wide(&p) == (can && other[i].wide),
                      "case %zu", i);
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        channels_are_where_blocks_of_16_have_them_and_come_back,
        dense_convolutions_of_many_channels_are_wide, NULL};
    return suite_of("wide blocks", tests);
}
