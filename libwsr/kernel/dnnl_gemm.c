// SPDX-License-Identifier: Apache-2.0
//
// Matrix products through oneDNN, in single precision. They need no object that
// is made before: oneDNN keeps the code of the three kinds of product that
// there are, which wsr__gemm_prepare() has generated.

#include "kernel/dnnl.h"

#include "kernel/dnnl_call.h"

typedef struct product {
    const wsr__matrix *c;
    const wsr__matrix *a;
    const wsr__matrix *b;
    bool accumulate;
} product;

// dnnl_sgemm() takes row-major matrices, unlike the Fortran original.
static wsr_status multiply(void *ctx)
{
    const product *const p = ctx;
    const int64_t k = p->a->transposed ? p->a->rows : p->a->cols;
    return wsr__dnnl_check(
        dnnl_sgemm(p->a->transposed ? 'T' : 'N', p->b->transposed ? 'T' : 'N',
                   p->c->rows, p->c->cols, k, 1, p->a->data, p->a->cols,
                   p->b->data, p->b->cols, p->accumulate ? 1 : 0, p->c->data,
                   p->c->cols),
        "sgemm");
}

wsr_status wsr__gemm_prepare(void)
{
    wsr__dnnl dnnl;
    return wsr__dnnl_open(&dnnl);
}

wsr_status wsr__gemm(const wsr__matrix *c, const wsr__matrix *a,
                     const wsr__matrix *b, bool accumulate)
{
    product p = {c, a, b, accumulate};
    return wsr__dnnl_call(multiply, &p);
}
