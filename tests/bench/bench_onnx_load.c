// SPDX-License-Identifier: Apache-2.0
//
// Time to load a network from an ONNX file, median. The peer creates sessions
// of ONNX Runtime (peer_onnx_load.sh), for torchvision's ResNet-50:
//
//   bench_onnx_load model=resnet50.onnx peer="bash peer_onnx_load.sh"
//
// Without a model a small one is written and loaded. Prints one JSON object.
//
// bench_onnx_load [model=FILE] [repeat=N] [peer=COMMAND]

#include "bench.h"

#include "wsr/net.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST = 99 };

static double load_once(const char *path)
{
    wsr_net *net = NULL;
    const double start = bench_seconds();
    bench_must(wsr_net_load(&net, path, NULL));
    const double seconds = bench_seconds() - start;
    wsr_net_free(net);
    return seconds;
}

static const char *small_model(void)
{
    static const char path[] = "bench_onnx_load.onnx";
    wsr_net *net = NULL;
    bench_must(wsr_net_new_kind(&net, "resnet", "width=8", 1));
    bench_must(wsr_net_save(net, path));
    wsr_net_free(net);
    return path;
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"model", "repeat", "peer", NULL};
    double seconds[MOST];
    char command[4096];
    char text[4096];
    bench_check(argc, argv, keys);
    const char *const given = bench_text(argc, argv, "model", "");
    const char *const model = given[0] != '\0' ? given : small_model();
    const char *const peer = bench_text(argc, argv, "peer", "");
    long repeat = bench_number(argc, argv, "repeat", 5);
    repeat = repeat < 1 ? 1 : repeat > MOST ? MOST : repeat;
    if (peer[0] != '\0') { // it makes the model where there is none
        (void)snprintf(command, sizeof(command), "%s '%s' %ld", peer, model,
                       repeat);
        bench_peer(text, sizeof(text), command);
    }
    for (long i = 0; i < repeat; i++) {
        seconds[i] = load_once(model);
    }
    if (given[0] == '\0') {
        (void)remove(model);
    }
    const double median = bench_median(seconds, (size_t)repeat);
    printf("{\"load_seconds\": %.4f", median);
    if (peer[0] != '\0') {
        const double session = bench_field(text, "session_seconds");
        printf(", \"peer_session_seconds\": %.4f, \"ratio\": %.3f", session,
               median / session);
    }
    printf("}\n");
    return 0;
}
