// SPDX-License-Identifier: Apache-2.0
//
// A program as the model: serves a network file over standard input and output
// (docs/protocol.md), so that wsr-attack can attack it as a black box:
//
//   wsr-attack --net "cmd:example_serve net.safetensors" --data synthetic \
//       --attack square --set attack.queries=1000
//
// For a model of your own, replace what computes the logits. Standard output
// belongs to the protocol; messages for people go to standard error. Numbers
// are little-endian, as they are in the memory of most machines.

#include <wsr.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// In front of every payload. The fields lie without gaps.
typedef struct header {
    char type[4];    // "WSRH", "WSRQ", "WSRA" or "WSRE"
    uint32_t number; // version of the protocol, or number of images
    uint64_t query;  // number of the query, which its answer repeats
    uint64_t length; // bytes of the payload
} header;

static int send_message(header h, const void *payload)
{
    return fwrite(&h, sizeof(h), 1, stdout) == 1 &&
           fwrite(payload, 1, h.length, stdout) == h.length &&
           fflush(stdout) == 0;
}

static int send_error(const char *text)
{
    const header h = {.type = {'W', 'S', 'R', 'E'}, .length = strlen(text)};
    (void)send_message(h, text);
    return EXIT_FAILURE;
}

// Answers one query of images, each of `pixels` floats.
static int answer(wsr_model *model, const header *query, size_t pixels)
{
    const size_t n = query->number;
    const size_t classes = wsr_model_classes(model);
    float *const images = calloc(n, pixels * sizeof(*images));
    float *const logits = calloc(n, classes * sizeof(*logits));
    const header h = {.type = {'W', 'S', 'R', 'A'},
                      .number = query->number,
                      .query = query->query,
                      .length = n * classes * sizeof(*logits)};
    int code = EXIT_FAILURE; // of the pipes: the other side is gone
    if (images == NULL || logits == NULL) {
        (void)send_error("memory is short");
    } else if (fread(images, pixels * sizeof(*images), n, stdin) == n) {
        if (wsr_model_logits(logits, model, images, n) != WSR_OK) {
            (void)send_error(wsr_error_detail());
        } else if (send_message(h, logits)) {
            code = EXIT_SUCCESS;
        }
    }
    free(images);
    free(logits);
    return code;
}

// Says which images the model takes, and answers until the input ends.
static int serve(wsr_model *model)
{
    const int64_t *const dims = wsr_model_shape(model)->dims;
    const size_t pixels = (size_t)(dims[0] * dims[1] * dims[2]);
    const uint32_t hello[4] = {(uint32_t)dims[0], (uint32_t)dims[1],
                               (uint32_t)dims[2],
                               (uint32_t)wsr_model_classes(model)};
    const uint32_t version = 1;
    header h = {.type = {'W', 'S', 'R', 'H'},
                .number = version,
                .length = sizeof(hello)};
    if (!send_message(h, hello)) {
        return EXIT_FAILURE;
    }
    while (fread(&h, sizeof(h), 1, stdin) == 1) {
        if (memcmp(h.type, "WSRQ", 4) != 0 || h.number == 0 ||
            h.length != (uint64_t)h.number * pixels * sizeof(float)) {
            return send_error("this is no query of version 1");
        }
        const int code = answer(model, &h, pixels);
        if (code != EXIT_SUCCESS) {
            return code;
        }
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    wsr_net *net = NULL;
    wsr_model *model = NULL;
    int code = EXIT_FAILURE;
    if (argc != 2) {
        fprintf(stderr, "usage: %s NETWORK\n", argv[0]);
    } else if (wsr_net_load(&net, argv[1], NULL) != WSR_OK ||
               wsr_model_from_net(&model, net, 0) != WSR_OK) {
        fprintf(stderr, "%s: %s\n", argv[0], wsr_error_detail());
    } else {
        code = serve(model);
    }
    wsr_model_free(model);
    wsr_net_free(net);
    return code;
}
