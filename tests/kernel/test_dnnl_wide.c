// SPDX-License-Identifier: Apache-2.0

#include "kernel/dnnl_wide.h"
#include "support/support.h"

START_TEST(channels_are_where_blocks_of_16_have_them_and_come_back)
{
    enum { N = 2, C = 64, H = 3, W = 5, SIZE = N * C * H * W };
    static float narrow[SIZE], wide[SIZE], back[SIZE];
    const wsr__wide_image image = wsr__wide_image_of(N, C, H, W);
    for (int i = 0; i < SIZE; i++) {
        narrow[i] = (float)i;
    }
    ck_assert_uint_eq(wsr__wide_floats(&image), SIZE);
    wsr__widen(wide, narrow, &image);
    for (int n = 0; n < N; n++) {
        for (int c = 0; c < C; c++) {
            for (int p = 0; p < H * W; p++) {
                const int from = ((n * C / 8 + c / 8) * H * W + p) * 8 + c % 8;
                const int to = ((n * C / 16 + c / 16) * H * W + p) * 16 +
                               c % 16;
                ck_assert(wide[to] == narrow[from]);
            }
        }
    }
    wsr__narrow(back, wide, &image);
    ck_assert_mem_eq(back, narrow, sizeof(back));
}
END_TEST

START_TEST(only_dense_3x3_convolutions_of_many_channels_are_wide)
{
    static const wsr__layout blocked[2] = {WSR__BLOCKED, WSR__BLOCKED};
    static const wsr__layout mixed[2] = {WSR__PLAIN, WSR__BLOCKED};
    const wsr__conv many = {.ci = 64, .co = 80, .kh = 3, .kw = 3, .groups = 1};
    wsr__conv other = many;
    ck_assert(!wsr__dnnl_is_wide(&many, mixed));
    other.ci = 48;
    ck_assert(!wsr__dnnl_is_wide(&other, blocked));
    other = many;
    other.co = 72;
    ck_assert(!wsr__dnnl_is_wide(&other, blocked));
    other = many;
    other.kh = 1;
    ck_assert(!wsr__dnnl_is_wide(&other, blocked));
    other = many;
    other.groups = 2;
    ck_assert(!wsr__dnnl_is_wide(&other, blocked));
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        channels_are_where_blocks_of_16_have_them_and_come_back,
        only_dense_3x3_convolutions_of_many_channels_are_wide, NULL};
    return suite_of("wide blocks", tests);
}
