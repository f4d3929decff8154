// SPDX-License-Identifier: Apache-2.0
//
// ONNX as a format of networks: a file holds a graph, as which networks are
// read (net/onnx.c) and written. Tensors without a graph are no ONNX file.

#include "io/format.h"

#include "net/net.h"
#include "onnx/onnx.h"

// A key and its value, one after the other.
static wsr_status add_note(void *ctx, const char *key, const char *value)
{
    wsr_status status = WSR_OK;
    wsr__names *const texts = ctx;
    WSR_TRY(wsr__names_add(texts, key));
    WSR_TRY(wsr__names_add(texts, value));
out:
    return status;
}

// The description of a network as pairs of texts that `texts` owns. [out,
// owned]
static wsr_status describe(wsr__onnx_note **out, wsr__names *texts,
                           const wsr_net *net)
{
    wsr_status status = WSR_OK;
    *out = NULL;
    WSR_TRY(wsr__net_metadata(net, add_note, texts));
    *out = wsr__alloc(texts->n, sizeof(**out));
    WSR_TRY(*out != NULL ? WSR_OK : WSR_NOMEM);
    for (size_t i = 0; i < texts->n / 2; i++) {
        (*out)[i] =
            (wsr__onnx_note){texts->names[2 * i], texts->names[2 * i + 1]};
    }
out:
    return status;
}

// In evaluation mode, for images of the network's size.
static wsr_status write_net(const wsr_net *net, const char *path)
{
    wsr_status status = WSR_OK;
    wsr_graph *graph = NULL;
    wsr__names texts = {0};
    wsr__onnx_note *notes = NULL;
    WSR_TRY(wsr_net_graph(&graph, net, false));
    WSR_TRY(describe(&notes, &texts, net));
    WSR_TRY(wsr__onnx_write(graph, path, notes, texts.n / 2));
out:
    wsr__free(notes);
    wsr__names_free(&texts);
    wsr_graph_free(graph);
    return status;
}

static wsr_status write_tensors(wsr__st_builder *builder, const char *path)
{
    (void)builder;
    return WSR_FAIL(WSR_ARG,
                    "%s: an ONNX file holds a network, tensors are written as "
                    ".safetensors, .npz or .pth",
                    path);
}

static const char *const endings[] = {".onnx", NULL};

const wsr__format_class wsr__format_onnx = {
    .super = {"onnx", "networks as graphs, for ONNX Runtime and others", "",
              NULL, 0},
    .endings = endings,
    .write = write_tensors,
    .write_net = write_net,
};
