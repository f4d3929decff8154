// SPDX-License-Identifier: Apache-2.0
//
// Models that are programs: a black box that is asked for the logits of batches
// over pipes (docs/protocol.md). The library waits for the hello of the program
// when the model is made, and for one answer to each query.
//
// Nothing that a program says is believed before it is checked: lengths before
// anything is read, counts, and that logits are finite. After the first failure
// the program is ended, since nobody knows what it would answer next.

#include "attack/engine/model_command.h"

#include "attack/engine/protocol.h"
#include "base/process.h"

#include <math.h>
#include <string.h>

enum { BATCH = 64, HEADER = WSR__PROTOCOL_HEADER };

typedef struct program {
    wsr_model super;
    wsr__process *process;
    wsr__command_params params;
    wsr__protocol_hello hello;
    unsigned char *query;       // header and images of a whole batch
    unsigned char *answer;      // header and payload, and one byte too many
    size_t room;                // bytes of `answer`
    wsr__protocol_header asked; // header of the last query
} program;

// ----------------------------------------------------------------- messages

// A message of the program in the buffer of a transfer.
typedef struct message {
    wsr__protocol_header header;
    wsr__transfer transfer;
} message;

typedef wsr_status (*checker)(const wsr__protocol_header *header,
                              const program *m);

static void set_clock(wsr__transfer *t, double seconds)
{
    t->seconds = seconds;
    t->until = wsr__seconds() + seconds;
}

// Reads one message; a refusal is a failure with the text of the program.
static wsr_status receive(message *in, program *m, checker check)
{
    wsr_status status = WSR_OK;
    const char *const name = wsr__process_name(m->process);
    wsr__transfer *const t = &in->transfer;
    char text[WSR__PROTOCOL_MESSAGE + 1];
    WSR_TRY(wsr__process_transfer(m->process, t, HEADER));
    status = wsr__protocol_get(&in->header, t->receive);
    status = status == WSR_OK ? check(&in->header, m) : status;
    if (status != WSR_OK) {
        status = wsr__fail_at(status, "%s", name);
        goto out;
    }
    const size_t length = (size_t)in->header.length;
    WSR_TRY(wsr__process_transfer(m->process, t, HEADER + length));
    if (in->header.type == WSR__REFUSAL) {
        wsr__protocol_text(text, t->receive + HEADER, length);
        status = WSR_FAIL(WSR_IO, "%s: says: %s", name, text);
    } else if (t->received > HEADER + length) {
        status = WSR_FAIL(WSR_FORMAT,
                          "%s: wrote more than the message that it announced",
                          name);
    }
out:
    if (status != WSR_OK) {
        wsr__process_kill(m->process);
    }
    return status;
}

static wsr_status check_hello(const wsr__protocol_header *header,
                              const program *m)
{
    (void)m;
    return wsr__protocol_check_hello(header);
}

static wsr_status check_logits(const wsr__protocol_header *header,
                               const program *m)
{
    return wsr__protocol_check_logits(header, &m->asked, m->super.classes);
}

static wsr_status receive_hello(program *m)
{
    wsr_status status = WSR_OK;
    unsigned char bytes[HEADER + WSR__PROTOCOL_MESSAGE + 1];
    message in = {.transfer = {.receive = bytes, .room = sizeof(bytes)}};
    set_clock(&in.transfer, m->params.timeout);
    WSR_TRY(receive(&in, m, check_hello));
    status = wsr__protocol_hello_of(&m->hello, bytes + HEADER,
                                    (size_t)in.header.length);
    if (status != WSR_OK) {
        status = wsr__fail_at(status, "%s", wsr__process_name(m->process));
    }
out:
    return status;
}

// ------------------------------------------------------------------- queries

// Allocated for the first query: by then the shape is that of the caller's
// images, too.
static wsr_status reserve(program *m)
{
    const size_t batch = m->super.batch;
    const size_t pixels = (size_t)m->super.pixels;
    const size_t logits = batch * m->super.classes * sizeof(float);
    const size_t text = WSR__PROTOCOL_MESSAGE;
    if (m->query == NULL) {
        m->query = wsr__alloc_raw(HEADER + batch * pixels * sizeof(float), 1);
    }
    if (m->answer == NULL) {
        m->room = HEADER + (logits > text ? logits : text) + 1;
        m->answer = wsr__alloc_raw(m->room, 1);
    }
    return m->query == NULL || m->answer == NULL ? WSR_NOMEM : WSR_OK;
}

// range (x - mean) / std, as a network of an ONNX file computes it.
static void put_image(float *out, const float *x, const program *m)
{
    const wsr__normalize *const by = &m->params.normalize;
    const int64_t *const dims = m->super.shape.dims;
    const int64_t plane = dims[1] * dims[2];
    const float range = (float)m->params.range;
    for (int64_t c = 0; c < dims[0]; c++) {
        const float mean = wsr__normalize_mean(by, c);
        const float std = wsr__normalize_std(by, c);
        for (int64_t i = c * plane; i < (c + 1) * plane; i++) {
            out[i] = range * ((x[i] - mean) / std);
        }
    }
}

// Header and images of the rows. Returns the bytes of the query.
static size_t put_query(program *m, const float *x, const wsr__rows *rows)
{
    const size_t pixels = (size_t)m->super.pixels;
    const size_t floats = rows->n * pixels;
    void *const payload = m->query + HEADER;
    float *const images = payload;
    m->asked = (wsr__protocol_header){.type = WSR__QUERY,
                                      .number = (uint32_t)rows->n,
                                      .query = m->asked.query + 1,
                                      .length = floats * sizeof(float)};
    wsr__protocol_put(m->query, &m->asked);
    for (size_t k = 0; k < rows->n; k++) {
        put_image(images + k * pixels, x + wsr__row(rows, k) * pixels, m);
    }
    wsr__protocol_floats(payload, floats);
    return HEADER + floats * sizeof(float);
}

static wsr_status take_logits(float *logits, program *m, const wsr__rows *rows)
{
    const size_t classes = m->super.classes;
    wsr__protocol_floats(m->answer + HEADER, rows->n * classes);
    const void *const payload = m->answer + HEADER;
    const float *const z = payload;
    for (size_t i = 0; i < rows->n * classes; i++) {
        if (!isfinite(z[i])) {
            wsr__process_kill(m->process);
            return WSR_FAIL(WSR_NUMERIC,
                            "%s: logit %zu of image %zu of its %zu is %g, not "
                            "finite",
                            wsr__process_name(m->process), i % classes,
                            i / classes, rows->n, (double)z[i]);
        }
    }
    for (size_t k = 0; k < rows->n; k++) {
        memcpy(logits + wsr__row(rows, k) * classes, z + k * classes,
               classes * sizeof(*logits));
    }
    return WSR_OK;
}

// One query and its answer.
static wsr_status ask(program *m, const float *x, const wsr__rows *rows)
{
    message in = {.transfer = {.send = m->query,
                               .to_send = put_query(m, x, rows),
                               .receive = m->answer,
                               .room = m->room}};
    set_clock(&in.transfer, m->params.timeout);
    return receive(&in, m, check_logits);
}

static wsr_status forward(wsr_model *model, float *logits, const float *x,
                          const wsr__rows *rows)
{
    wsr_status status = WSR_OK;
    program *const m = (program *)model;
    WSR_TRY(reserve(m));
    WSR_TRY(ask(m, x, rows));
    WSR_TRY(take_logits(logits, m, rows));
out:
    return status;
}

// -------------------------------------------------------------------- lifetime

static void release(wsr_model *model)
{
    program *const m = (program *)model;
    wsr__process_free(m->process);
    wsr__free(m->query);
    wsr__free(m->answer);
}

static const wsr__model_class cls = {.forward = forward, .release = release};

wsr_status wsr__model_from_command(wsr_model **out, const char *command,
                                   const wsr__command_params *params)
{
    wsr_status status = WSR_OK;
    program *m = wsr__alloc(1, sizeof(*m));
    *out = NULL;
    if (m == NULL) {
        return WSR_NOMEM;
    }
    m->params = *params;
    WSR_TRY(wsr__process_start(&m->process, command));
    WSR_TRY(receive_hello(m));
    const wsr_shape shape =
        wsr__shape3(m->hello.channels, m->hello.height, m->hello.width);
    WSR_TRY(wsr__model_init(&m->super, &cls, &shape, (size_t)m->hello.classes));
    WSR_TRY(wsr__normalize_fit(&params->normalize, "net.", m->hello.channels));
    m->super.batch = params->batch > 0 ? (size_t)params->batch : BATCH;
    m->super.fixed_batch = true;
    *out = &m->super;
    m = NULL;
out:
    if (m != NULL) {
        release(&m->super);
        wsr__free(m);
    }
    return status;
}

#define AT(field) offsetof(wsr__command_params, field)

static const wsr__option schema[] = {
    WSR__TIMEOUT_OPTION(AT(timeout)),
    {"batch", WSR__INT, AT(batch), "0", 0, 65536, "images",
     "of a query at most, 0: 64", NULL},
    WSR__NORMALIZE_OPTIONS(AT(normalize)),
    {"range", WSR__FLOAT, AT(range), "1", 1e-6, 65536, "",
     "what normalised images are multiplied by", NULL},
    {0},
};

wsr_status wsr_model_from_command(wsr_model **out, const char *command,
                                  const char *options)
{
    wsr_status status = WSR_OK;
    wsr__command_params params;
    *out = NULL;
    wsr__params_default(&params, schema);
    WSR_TRY(wsr__params_parse(&params, schema, "model.",
                              options == NULL ? "" : options));
    WSR_TRY(wsr__model_from_command(out, command, &params));
out:
    return status;
}

const char *wsr__model_command_name(const wsr_model *model)
{
    return ((const program *)model)->hello.name;
}
