// SPDX-License-Identifier: Apache-2.0
//
// oneDNN when memory is short: every request of the process, oneDNN's own
// included, is refused once.

#include "kernel/dnnl.h"

#include "support/fail_alloc.h"
#include "support/support.h"

#include <string.h>

enum { FLOATS = 1 << 20, KINDS = 4 };

static float data[5][FLOATS];

typedef struct kind {
    wsr__conv shape;
    wsr__layout layouts[2];
} kind;

static wsr__conv same_size(int64_t ci, int64_t co, int64_t kernel,
                           int64_t groups)
{
    return (wsr__conv){.n = 4,
                       .ci = ci,
                       .h = 8,
                       .w = 8,
                       .co = co,
                       .oh = 8,
                       .ow = 8,
                       .kh = kernel,
                       .kw = kernel,
                       .sh = 1,
                       .sw = 1,
                       .ph = kernel / 2,
                       .pw = kernel / 2,
                       .dh = 1,
                       .dw = 1,
                       .groups = groups};
}

// Kernels that are generated for the shape, and those made of products.
static kind kind_of(int i)
{
    const kind kinds[KINDS] = {
        {same_size(8, 16, 3, 1), {WSR__BLOCKED, WSR__BLOCKED}},
        {same_size(3, 16, 5, 1), {WSR__PLAIN, WSR__BLOCKED}},
        {same_size(12, 12, 1, 1), {WSR__PLAIN, WSR__PLAIN}},
        {same_size(16, 16, 3, 4), {WSR__PLAIN, WSR__PLAIN}},
    };
    return kinds[i];
}

static wsr_status make(wsr__dnnl_conv **out, int i, wsr__direction pass)
{
    const kind k = kind_of(i);
    return wsr__dnnl_conv_new(out, pass, &k.shape, k.layouts, true);
}

static bool is_dnnl_2(void)
{
    return strstr(wsr_build_info(), "oneDNN 2.") != NULL;
}

// No assertion in here: those of Check ask for memory.
static wsr_status run(wsr__dnnl_conv *conv)
{
    const wsr__dnnl_args args = {data[0], data[1], data[2], data[3], data[4]};
    return wsr__dnnl_conv_run(conv, &args);
}

static bool is_shortage(wsr_status status)
{
    return status == WSR_NOMEM &&
           strstr(wsr_error_detail(), "out of memory") != NULL;
}

// Make a convolution while the `nth` request is refused; whether there were
// fewer. oneDNN 2.6 does not look at what it gets for the objects that
// generate code, which are spared.
static bool make_refused(int i, wsr__direction pass, unsigned long nth)
{
    wsr__dnnl_conv *conv = NULL;
    fail_alloc_at(nth, "libdnnl");
    const unsigned long before = fail_alloc_requests();
    const wsr_status status = make(&conv, i, pass);
    const bool whole = fail_alloc_requests() - before < nth;
    fail_alloc_at(0, NULL);
    ck_assert_msg(status == WSR_OK || (!whole && is_shortage(status)),
                  "kind %d, request %lu: %s", i, nth, wsr_error_detail());
    ck_assert((conv == NULL) == (status != WSR_OK));
    wsr__dnnl_conv_free(conv);
    return whole;
}

START_TEST(making_a_convolution_without_memory_is_a_status)
{
    for (int i = 0; i < KINDS * 3; i++) {
        const wsr__direction pass = (wsr__direction)(i % 3);
        for (unsigned long nth = 1; !make_refused(i / 3, pass, nth); nth++) {
            wsr__dnnl_conv *conv = NULL; // what failed once can be had again
            ck_assert_ok(make(&conv, i / 3, pass));
            wsr__dnnl_conv_free(conv);
        }
    }
}
END_TEST

// The same for a run. oneDNN 3.7 does not look at what it gets for aligned
// buffers of a run, which are spared with it; 2.6 does.
static bool run_refused(wsr__dnnl_conv *conv, unsigned long nth)
{
    fail_alloc_at(nth, is_dnnl_2() ? NULL : "libdnnl");
    const unsigned long before = fail_alloc_requests();
    const wsr_status status = run(conv);
    const bool whole = fail_alloc_requests() - before < nth;
    fail_alloc_at(0, NULL);
    ck_assert_msg(status == WSR_OK || (!whole && is_shortage(status)),
                  "request %lu: %s", nth, wsr_error_detail());
    return whole;
}

START_TEST(running_a_convolution_without_memory_is_a_status)
{
    for (int i = 0; i < KINDS * 3; i++) {
        wsr__dnnl_conv *conv = NULL;
        ck_assert_ok(make(&conv, i / 3, (wsr__direction)(i % 3)));
        for (unsigned long nth = 1; !run_refused(conv, nth); nth++) {
            ck_assert_ok(run(conv));
        }
        wsr__dnnl_conv_free(conv);
    }
}
END_TEST

// What oneDNN asks for in a run are its lists of arguments and the buffers of
// products: a few requests, the same in every run. Generating code takes
// hundreds.
START_TEST(no_run_generates_code)
{
    for (int i = 0; i < KINDS * 3; i++) {
        wsr__dnnl_conv *conv = NULL;
        unsigned long counts[3];
        ck_assert_ok(make(&conv, i / 3, (wsr__direction)(i % 3)));
        for (int k = 0; k < 3; k++) {
            const unsigned long before = fail_alloc_requests();
            ck_assert_ok(run(conv));
            counts[k] = fail_alloc_requests() - before;
        }
        ck_assert_uint_lt(counts[0], 100);
        ck_assert_uint_eq(counts[1], counts[2]);
        wsr__dnnl_conv_free(conv);
    }
}
END_TEST

START_TEST(no_product_generates_code_after_preparing)
{
    static const int64_t sizes[] = {1, 2, 10, 16, 64, 200};
    const size_t n = sizeof(sizes) / sizeof(sizes[0]);
    const unsigned long most = is_dnnl_2() ? 20 : 100;
    ck_assert_ok(wsr__gemm_prepare());
    for (size_t i = 0; i < n * n * n * 8; i++) {
        const int64_t rows = sizes[i / 8 % n];
        const int64_t cols = sizes[i / 8 / n % n];
        const int64_t k = sizes[i / 8 / n / n];
        const bool ta = (i & 1) != 0;
        const bool tb = (i & 2) != 0;
        const wsr__matrix c = {data[0], rows, cols, false};
        const wsr__matrix a = {data[1], ta ? k : rows, ta ? rows : k, ta};
        const wsr__matrix b = {data[2], tb ? cols : k, tb ? k : cols, tb};
        const unsigned long before = fail_alloc_requests();
        ck_assert_ok(wsr__gemm(&c, &a, &b, (i & 4) != 0));
        ck_assert_uint_lt(fail_alloc_requests() - before, most);
        fail_alloc_at(1, NULL);
        const wsr_status status = wsr__gemm(&c, &a, &b, (i & 4) != 0);
        fail_alloc_at(0, NULL);
        ck_assert(status == WSR_OK || is_shortage(status));
    }
}
END_TEST

Suite *suite(void)
{
    const TTest *const tests[] = {
        making_a_convolution_without_memory_is_a_status,
        running_a_convolution_without_memory_is_a_status,
        no_run_generates_code,
        no_product_generates_code_after_preparing,
        NULL,
    };
    wsr_set_threads(2);
    return suite_of("dnnl", tests);
}
