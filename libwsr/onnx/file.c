// SPDX-License-Identifier: Apache-2.0
//
// Parses ONNX files. The parser takes its memory from an allocator that counts:
// a file of n bytes may become a small multiple of n bytes, since short
// messages become structs of pointers, and a hostile one cannot ask for more.

#include "onnx/file.h"

#include "onnx/onnx.h"

#include <string.h>

// Bytes in memory for a byte of file, and for the smallest of files.
enum { MEMORY_FACTOR = 32, MEMORY_LEAST = 1 << 20 };

bool wsr__onnx_is_path(const char *path)
{
    static const char ending[] = ".onnx";
    const size_t n = strlen(path);
    const size_t tail = sizeof(ending) - 1;
    return n > tail && wsr__streq(path + n - tail, ending);
}

static void *take(void *ctx, size_t size)
{
    wsr__onnx_memory *const memory = ctx;
    if (size > memory->left) {
        memory->refused = true;
        return NULL;
    }
    memory->left -= size;
    return wsr__alloc_raw(size, 1);
}

static void give_back(void *ctx, void *ptr)
{
    (void)ctx;
    wsr__free(ptr);
}

// Versions of ONNX's operator sets that the nodes are read by.
enum { OPSET_LEAST = 9, OPSET_MOST = 21 };

static bool is_standard(const char *domain)
{
    return domain == NULL || domain[0] == '\0' || wsr__streq(domain, "ai.onnx");
}

static wsr_status check_opset(const wsr__onnx_file *file)
{
    const Wsr__Onnx__Model *const model = file->model;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Wsr__Onnx__OperatorSet *const set = model->opset_import[i];
        if (!is_standard(set->domain)) {
            continue;
        }
        return set->version >= OPSET_LEAST && set->version <= OPSET_MOST
                   ? WSR_OK
                   : WSR_FAIL(WSR_FORMAT,
                              "%s: opset %lld is outside [%d, %d]; export the "
                              "network with opset_version=17",
                              file->path, (long long)set->version, OPSET_LEAST,
                              OPSET_MOST);
    }
    return WSR_FAIL(WSR_FORMAT, "%s: is no ONNX model: it has no opset",
                    file->path);
}

// An empty graph has no output, and no message to say so better.
wsr_status wsr__onnx_parse(wsr__onnx_file *out, const void *bytes, size_t size,
                           const char *path)
{
    *out = (wsr__onnx_file){.path = path};
    const size_t most = (SIZE_MAX - MEMORY_LEAST) / MEMORY_FACTOR;
    out->memory.left = MEMORY_LEAST +
                       MEMORY_FACTOR * (size < most ? size : most);
    out->memory.allocator = (ProtobufCAllocator){take, give_back, &out->memory};
    out->model = wsr__onnx__model__unpack(&out->memory.allocator, size, bytes);
    if (out->model == NULL) {
        return WSR_FAIL(WSR_FORMAT, "%s: is no ONNX model%s", path,
                        out->memory.refused
                            ? ", or memory is short: it unpacks to too much"
                            : ": it is damaged or of another format");
    }
    if (out->model->graph == NULL || out->model->graph->n_output == 0) {
        return WSR_FAIL(WSR_FORMAT, "%s: is no ONNX model: it has no graph",
                        path);
    }
    return check_opset(out);
}

void wsr__onnx_close(wsr__onnx_file *file)
{
    if (file->model != NULL) {
        wsr__onnx__model__free_unpacked(file->model, &file->memory.allocator);
        file->model = NULL;
    }
}
