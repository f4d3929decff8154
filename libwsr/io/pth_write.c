// SPDX-License-Identifier: Apache-2.0
//
// Writes state dicts as torch.save() does from torch 1.6 on, an OrderedDict of
// contiguous tensors in a pickle of protocol 2, which
// torch.load(weights_only=True) reads.

#include "io/pth.h"

#include <string.h>

static const char prefix[] = "archive/";

static void put(wsr__str *out, uint64_t number, size_t bytes)
{
    wsr__str_addn(out, (const char *)&number, bytes);
}

static void put_text(wsr__str *out, const char *text)
{
    wsr__str_add(out, "X");
    put(out, strlen(text), 4);
    wsr__str_add(out, text);
}

// Numbers of up to 31 bits, then of 64.
static void put_integer(wsr__str *out, int64_t number)
{
    if (number <= INT32_MAX) {
        wsr__str_add(out, "J");
        put(out, (uint64_t)number, 4);
    } else {
        wsr__str_addn(out, "\x8a\x08", 2);
        put(out, (uint64_t)number, 8);
    }
}

// collections.OrderedDict()
static void put_dict(wsr__str *out)
{
    wsr__str_add(out, "ccollections\nOrderedDict\n)R");
}

// torch._utils._rebuild_tensor_v2(storage, 0, size, stride, False, {})
static void put_tensor(wsr__str *out, const wsr__st_tensor *t, size_t number)
{
    char key[24];
    int64_t stride = (int64_t)t->count;
    (void)snprintf(key, sizeof(key), "%zu", number);
    wsr__str_add(out, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_text(out, "storage");
    wsr__str_addf(out, "ctorch\n%s\n", wsr__torch_type_of(t->dtype)->storage);
    put_text(out, key);
    put_text(out, "cpu");
    put_integer(out, (int64_t)t->count);
    wsr__str_add(out, "tQ");
    put_integer(out, 0);
    wsr__str_add(out, "(");
    for (size_t d = 0; d < t->ndims; d++) {
        put_integer(out, t->dims[d]);
    }
    wsr__str_add(out, "t(");
    for (size_t d = 0; d < t->ndims; d++) {
        stride /= t->dims[d] > 0 ? t->dims[d] : 1;
        put_integer(out, stride);
    }
    wsr__str_addn(out, "t\x89", 2);
    put_dict(out);
    wsr__str_add(out, "tR");
}

static void put_state(wsr__str *out, const wsr__st_builder *builder)
{
    const wsr__st_tensor *t = NULL;
    wsr__str_addn(out, "\x80\x02", 2);
    put_dict(out);
    wsr__str_add(out, "(");
    for (size_t i = 0; (t = wsr__st_builder_at(builder, i)) != NULL; i++) {
        put_text(out, t->name);
        put_tensor(out, t, i);
    }
    wsr__str_add(out, "u.");
}

static wsr_status add(wsr__zip_writer *writer, const char *name,
                      const void *data, size_t size)
{
    wsr_status status = WSR_OK;
    char path[64];
    const wsr__zip_piece piece = {data, size};
    (void)snprintf(path, sizeof(path), "%s%s", prefix, name);
    WSR_TRY(wsr__zip_writer_add(writer, path, &piece, 1));
out:
    return status;
}

// Tensors are in the order of the builder, which is the network's.
wsr_status wsr__pth_write(wsr__st_builder *builder, const char *path)
{
    wsr_status status = WSR_OK;
    wsr__zip_writer *writer = NULL;
    wsr__str pickle = {0};
    const wsr__st_tensor *t = NULL;
    put_state(&pickle, builder);
    WSR_TRY(wsr__str_status(&pickle));
    WSR_TRY(wsr__zip_writer_open(&writer, path));
    WSR_TRY(add(writer, "data.pkl", pickle.s, pickle.len));
    WSR_TRY(add(writer, "byteorder", "little", 6));
    for (size_t i = 0; (t = wsr__st_builder_at(builder, i)) != NULL; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "data/%zu", i);
        WSR_TRY(add(writer, name, t->data, t->bytes));
    }
    WSR_TRY(add(writer, "version", "3\n", 2));
    WSR_TRY(wsr__st_zip_metadata(writer, "archive/metadata.json", builder));
    WSR_TRY(wsr__zip_writer_commit(writer));
out:
    wsr__zip_writer_free(writer);
    wsr__str_free(&pickle);
    return status;
}
