// SPDX-License-Identifier: Apache-2.0
//
// Reads the graph of an ONNX file, node by node in the file's order, which is
// topological. Nodes that the logits do not need are left out.

#include "onnx/read.h"

#include "onnx/onnx.h"

#include <stdlib.h>
#include <string.h>

// Elements that constants may take beside a multiple of the file's.
enum {
    ROOM = 1 << 20,
    MOST_BATCH = 1 << 16,
    MOST_CLASSES = 100000,
    USUAL_SIDE = 224
};

static const char *text_of(const char *text)
{
    return text != NULL ? text : "";
}

// ------------------------------------------------------------------- values

static int by_name(const void *a, const void *b)
{
    const wsr__onnx_value *const x = a;
    const wsr__onnx_value *const y = b;
    return strcmp(x->name, y->name);
}

static wsr__onnx_value *find(const wsr__onnx_reader *r, const char *name)
{
    const wsr__onnx_value key = {.name = name};
    return bsearch(&key, r->values, r->n_values, sizeof(*r->values), by_name);
}

// An empty name stands for an output that nobody wants.
static size_t list_names(wsr__onnx_value *values, const Wsr__Onnx__Graph *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n_initializer; i++) {
        values[n++].name = text_of(g->initializer[i]->name);
    }
    for (size_t i = 0; i < g->n_input; i++) {
        values[n++].name = text_of(g->input[i]->name);
    }
    for (size_t i = 0; i < g->n_node; i++) {
        for (size_t k = 0; k < g->node[i]->n_output; k++) {
            values[n++].name = g->node[i]->output[k];
        }
    }
    return n;
}

// Inputs may be initialisers, too (opset 9 wants so): of values of one name one
// is kept. Outputs of nodes must be new; set_outputs() sees that they are.
static wsr_status make_values(wsr__onnx_reader *r)
{
    const Wsr__Onnx__Graph *const g = r->file->model->graph;
    size_t n = g->n_initializer + g->n_input;
    for (size_t i = 0; i < g->n_node; i++) {
        n += g->node[i]->n_output;
    }
    r->values = wsr__alloc(n, sizeof(*r->values));
    if (r->values == NULL) {
        return WSR_NOMEM;
    }
    n = list_names(r->values, g);
    qsort(r->values, n, sizeof(*r->values), by_name);
    for (size_t i = 0; i < n; i++) {
        if (r->n_values == 0 ||
            !wsr__streq(r->values[r->n_values - 1].name, r->values[i].name)) {
            r->values[r->n_values++].name = r->values[i].name;
        }
    }
    return WSR_OK;
}

static void free_values(wsr__onnx_reader *r)
{
    for (size_t i = 0; r->values != NULL && i < r->n_values; i++) {
        wsr__free(r->values[i].floats);
        wsr__free(r->values[i].ints);
        wsr__free(r->values[i].powers);
    }
    wsr__free(r->values);
}

static wsr_status take_initializers(wsr__onnx_reader *r)
{
    wsr_status status = WSR_OK;
    const Wsr__Onnx__Graph *const g = r->file->model->graph;
    for (size_t i = 0; i < g->n_initializer; i++) {
        const Wsr__Onnx__Tensor *const t = g->initializer[i];
        wsr__onnx_value *const value = find(r, text_of(t->name));
        WSR_TRY(
            wsr__onnx_tensor_shape(&value->shape, &value->count, r->file, t));
        value->made = true;
        value->constant = true;
        value->tensor = t;
        value->integer = !wsr__onnx_is_float(t);
    }
out:
    return status;
}

// -------------------------------------------------------------------- image

// The one input that is no initialiser.
static wsr_status find_image(const Wsr__Onnx__ValueInfo **out,
                             const wsr__onnx_reader *r)
{
    const Wsr__Onnx__Graph *const g = r->file->model->graph;
    *out = NULL;
    for (size_t i = 0; i < g->n_input; i++) {
        if (find(r, text_of(g->input[i]->name))->made) {
            continue;
        }
        if (*out != NULL) {
            return WSR_FAIL(WSR_FORMAT,
                            "%s: has the inputs '%.80s' and '%.80s', a "
                            "classifier has one",
                            r->file->path, text_of((*out)->name),
                            text_of(g->input[i]->name));
        }
        *out = g->input[i];
    }
    return *out != NULL ? WSR_OK
                        : WSR_FAIL(WSR_FORMAT, "%s: has no input for images",
                                   r->file->path);
}

// A size that the file leaves open is the caller's, else the usual one.
static int64_t size_of(const Wsr__Onnx__Dimension *d, int64_t said,
                       int64_t usual)
{
    return d->has_dim_value && d->dim_value > 0 ? d->dim_value
           : said > 0                           ? said
                                                : usual;
}

static wsr_status image_shape(wsr_shape *out, wsr__onnx_reader *r,
                              const Wsr__Onnx__ValueInfo *info,
                              const wsr__onnx_image *image)
{
    const Wsr__Onnx__TensorType *const type =
        info->type != NULL ? info->type->tensor_type : NULL;
    if (type == NULL || type->shape == NULL || type->shape->n_dim != 4 ||
        (type->elem_type != WSR__ONNX_FLOAT &&
         type->elem_type != WSR__ONNX_FLOAT16 &&
         type->elem_type != WSR__ONNX_BFLOAT16 &&
         type->elem_type != WSR__ONNX_DOUBLE)) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: input '%.80s' is no image (n, c, h, w) of "
                        "floating-point numbers",
                        r->file->path, text_of(info->name));
    }
    Wsr__Onnx__Dimension *const *const d = type->shape->dim;
    r->batch = size_of(d[0], 0, 1);
    *out = wsr__shape4(1, size_of(d[1], image->channels, 3),
                       size_of(d[2], image->height, USUAL_SIDE),
                       size_of(d[3], image->width, USUAL_SIDE));
    if (r->batch > MOST_BATCH || out->dims[1] > 1024 || out->dims[2] > 4096 ||
        out->dims[3] > 4096) {
        char shape[96];
        wsr__shape_print(shape, out);
        return WSR_FAIL(WSR_FORMAT,
                        "%s: input '%.80s': an image %s is too large",
                        r->file->path, text_of(info->name), shape);
    }
    return WSR_OK;
}

static wsr_status take_image(wsr__onnx_reader *r, const wsr__onnx_image *image)
{
    wsr_status status = WSR_OK;
    const Wsr__Onnx__ValueInfo *info = NULL;
    wsr_shape shape;
    WSR_TRY(find_image(&info, r));
    WSR_TRY(image_shape(&shape, r, info, image));
    wsr__onnx_value *const value = find(r, text_of(info->name));
    value->made = true;
    value->shape = shape;
    value->batch = 0;
    WSR_TRY(wsr_graph_input(&value->value, r->graph, "x", &shape));
out:
    return status;
}

// -------------------------------------------------------------------- nodes

static bool is_standard(const char *domain)
{
    return domain == NULL || domain[0] == '\0' || wsr__streq(domain, "ai.onnx");
}

// Puts the node in front of what its reader says. What a graph refuses is a bad
// file here.
static wsr_status blame(const wsr__onnx_node *node, wsr_status status)
{
    if (status == WSR_OK || status == WSR_NOMEM || status == WSR_IO) {
        return status;
    }
    return wsr__fail_at(WSR_FORMAT, "%s: node '%.80s' (%.40s, opset %lld)",
                        node->reader->file->path, text_of(node->proto->name),
                        text_of(node->proto->op_type),
                        (long long)node->reader->opset);
}

static wsr_status unsupported(const wsr__onnx_node *node)
{
    const bool own = is_standard(node->proto->domain);
    return blame(node,
                 WSR_FAIL(WSR_FORMAT,
                          "%s%.40s is not supported; docs/onnx.md lists what "
                          "is: export the network without it, in evaluation "
                          "mode",
                          own ? "the operator" : "an operator of the domain ",
                          own ? "" : node->proto->domain));
}

static wsr_status link_inputs(wsr__onnx_node *node)
{
    for (size_t i = 0; i < node->n_in; i++) {
        const char *const name = node->proto->input[i];
        node->in[i] = name[0] == '\0' ? NULL : find(node->reader, name);
        if (name[0] != '\0' && (node->in[i] == NULL || !node->in[i]->made)) {
            return WSR_FAIL(WSR_FORMAT,
                            "nothing before it makes its input '%.80s'", name);
        }
        if (node->in[i] == NULL && i < node->row->least) {
            return WSR_FAIL(WSR_FORMAT, "input %zu is missing", i);
        }
    }
    return node->n_in >= node->row->least
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT, "it has %zu inputs, not %zu", node->n_in,
                          node->row->least);
}

static wsr_status link_outputs(wsr__onnx_node *node)
{
    for (size_t i = 0; i < node->n_out; i++) {
        const char *const name = node->proto->output[i];
        node->out[i] = name[0] == '\0' ? NULL : find(node->reader, name);
        if (node->out[i] != NULL && node->out[i]->made) {
            return WSR_FAIL(WSR_FORMAT, "its output '%.80s' exists already",
                            name);
        }
    }
    return node->n_out > 0 && node->out[0] != NULL
               ? WSR_OK
               : WSR_FAIL(WSR_FORMAT, "it has no output");
}

// Every reader makes its first output.
static wsr_status read_node(wsr__onnx_reader *r, const Wsr__Onnx__Node *proto)
{
    wsr_status status = WSR_OK;
    wsr__onnx_node node = {.reader = r,
                           .proto = proto,
                           .n_in = proto->n_input,
                           .n_out = proto->n_output};
    node.row = is_standard(proto->domain)
                   ? wsr__onnx_row_of(text_of(proto->op_type))
                   : NULL;
    if (node.row == NULL) {
        return unsupported(&node);
    }
    node.in = wsr__alloc(node.n_in, sizeof(wsr__onnx_value *));
    node.out = wsr__alloc(node.n_out, sizeof(wsr__onnx_value *));
    WSR_TRY(node.in != NULL && node.out != NULL ? WSR_OK : WSR_NOMEM);
    WSR_TRY(link_inputs(&node));
    WSR_TRY(link_outputs(&node));
    WSR_TRY(node.row->read(&node));
out:
    status = blame(&node, status);
    wsr__free(node.in);
    wsr__free(node.out);
    return status;
}

// ------------------------------------------------------------ what is needed

static void want(const wsr__onnx_reader *r, unsigned char *wanted,
                 const char *name)
{
    const wsr__onnx_value *const value = find(r, name);
    if (value != NULL && name[0] != '\0') {
        wanted[value - r->values] = 1;
    }
}

// From the last node to the first: a node is needed when an output of it is,
// and then its inputs are. [out, owned] a mark for each node.
static wsr_status mark_nodes(unsigned char **out, const wsr__onnx_reader *r)
{
    const Wsr__Onnx__Graph *const g = r->file->model->graph;
    unsigned char *const wanted = wsr__alloc(r->n_values, 1);
    unsigned char *const marks = wsr__alloc(g->n_node, 1);
    *out = marks;
    if (wanted == NULL || marks == NULL) {
        wsr__free(wanted);
        return WSR_NOMEM;
    }
    want(r, wanted, text_of(g->output[0]->name));
    for (size_t i = g->n_node; i-- > 0;) {
        const Wsr__Onnx__Node *const node = g->node[i];
        for (size_t k = 0; k < node->n_output; k++) {
            const wsr__onnx_value *const v = find(r, node->output[k]);
            marks[i] |= wanted[v - r->values];
        }
        for (size_t k = 0; marks[i] != 0 && k < node->n_input; k++) {
            want(r, wanted, node->input[k]);
        }
    }
    wsr__free(wanted);
    return WSR_OK;
}

static wsr_status read_nodes(wsr__onnx_reader *r)
{
    wsr_status status = WSR_OK;
    const Wsr__Onnx__Graph *const g = r->file->model->graph;
    unsigned char *marks = NULL;
    WSR_TRY(mark_nodes(&marks, r));
    for (size_t i = 0; i < g->n_node; i++) {
        if (marks[i] != 0) {
            WSR_TRY(read_node(r, g->node[i]));
        }
    }
out:
    wsr__free(marks);
    return status;
}

// ------------------------------------------------------------------- output

// (n, classes), or that with trailing axes of one pixel.
static wsr_status take_output(wsr__onnx_reader *r)
{
    wsr_status status = WSR_OK;
    const Wsr__Onnx__Graph *const g = r->file->model->graph;
    const char *const name = text_of(g->output[0]->name);
    if (g->n_output != 1) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: has the outputs '%.80s' and '%.80s', a classifier "
                        "has one: export it in evaluation mode",
                        r->file->path, name, text_of(g->output[1]->name));
    }
    const wsr__onnx_value *const value = find(r, name);
    if (value == NULL || !value->made || value->constant) {
        return WSR_FAIL(WSR_FORMAT,
                        "%s: output '%.80s' does not depend on the image",
                        r->file->path, name);
    }
    const int64_t classes = wsr_shape_count(&value->shape);
    if (!wsr__onnx_is_plain(value) || value->shape.ndims < 2 ||
        value->shape.dims[1] != classes || classes > MOST_CLASSES) {
        char shape[96];
        wsr__shape_print(shape, &value->shape);
        return WSR_FAIL(WSR_FORMAT,
                        "%s: output '%.80s' is %s for an image, not (1, "
                        "classes)",
                        r->file->path, name, shape);
    }
    const wsr__onnx_node node = {.reader = r};
    const wsr_shape flat = wsr__shape2(1, classes);
    wsr_value logits = 0;
    WSR_TRY(wsr__onnx_reshape(&logits, &node, value, &flat, 0));
    WSR_TRY(wsr_graph_output(r->graph, "logits", logits));
out:
    return status;
}

static int64_t opset_of(const wsr__onnx_file *file)
{
    for (size_t i = 0; i < file->model->n_opset_import; i++) {
        if (is_standard(file->model->opset_import[i]->domain)) {
            return file->model->opset_import[i]->version;
        }
    }
    return 0; // the parser has seen one
}

wsr_status wsr__onnx_read_bytes(wsr_graph **out, wsr_params *params,
                                const void *bytes, size_t size,
                                const char *path, const wsr__onnx_image *image)
{
    static const wsr__onnx_image unknown = {0};
    wsr_status status = WSR_OK;
    wsr__onnx_file file = {0};
    wsr_graph *graph = NULL;
    wsr__onnx_reader r = {.file = &file, .room = ROOM + size};
    *out = NULL;
    WSR_TRY(wsr__onnx_parse(&file, bytes, size, path));
    WSR_TRY(wsr_graph_new(&graph, params));
    r.graph = graph;
    r.opset = opset_of(&file);
    r.own = wsr__streq(text_of(file.model->producer_name), WSR__ONNX_PRODUCER);
    WSR_TRY(make_values(&r));
    WSR_TRY(take_initializers(&r));
    WSR_TRY(take_image(&r, image != NULL ? image : &unknown));
    WSR_TRY(read_nodes(&r));
    WSR_TRY(take_output(&r));
    *out = graph;
    graph = NULL;
out:
    free_values(&r);
    wsr_graph_free(graph);
    wsr__onnx_close(&file);
    return status;
}

wsr_status wsr__onnx_read(wsr_graph **out, wsr_params *params, const char *path,
                          const wsr__onnx_image *image)
{
    wsr_status status = WSR_OK;
    unsigned char *bytes = NULL;
    size_t size = 0;
    *out = NULL;
    WSR_TRY(wsr__file_read(&bytes, &size, path, SIZE_MAX / 64));
    WSR_TRY(wsr__onnx_read_bytes(out, params, bytes, size, path, image));
out:
    wsr__free(bytes);
    return status;
}
