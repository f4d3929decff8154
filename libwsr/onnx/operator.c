// SPDX-License-Identifier: Apache-2.0
//
// The table of ONNX's operators.

#include "onnx/operator.h"

static const wsr__class *const classes[] = {
#define WSR_REG(family, name) &wsr__##family##_##name.super,
#include "onnx/operators.def"
#undef WSR_REG
    NULL,
};

const wsr__family wsr__operators = {"operator", classes};

static const wsr__onnx_row *rows_at(size_t i)
{
    return ((const wsr__operator_class *)(const void *)classes[i])->rows;
}

static bool is_end(const wsr__onnx_row *row)
{
    return row->op == NULL && row->with == NULL;
}

const wsr__onnx_row *wsr__onnx_row_of(const char *op)
{
    for (size_t i = 0; classes[i] != NULL; i++) {
        for (const wsr__onnx_row *row = rows_at(i); !is_end(row); row++) {
            if (row->op != NULL && wsr__streq(row->op, op)) {
                return row;
            }
        }
    }
    return NULL;
}

const wsr__onnx_row *wsr__onnx_row_for(const char *op)
{
    for (size_t i = 0; classes[i] != NULL; i++) {
        for (const wsr__onnx_row *row = rows_at(i); !is_end(row); row++) {
            if (row->write != NULL && wsr__streq(row->with, op)) {
                return row;
            }
        }
    }
    return NULL;
}
