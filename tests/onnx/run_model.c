// SPDX-License-Identifier: Apache-2.0
//
// run_model MODEL X V N OUT: logits of the N images in X, and the gradient of
// the sum of logits times V with respect to the images, as raw floats, for
// compare.py.

#include <wsr/net.h>

#include <stdio.h>
#include <stdlib.h>

// Floats of a file into memory of that many.
static int read_floats(float *out, size_t n, const char *path)
{
    FILE *const f = fopen(path, "rb");
    const size_t got = f == NULL ? 0 : fread(out, sizeof(*out), n, f);
    if (f != NULL) {
        (void)fclose(f);
    }
    return got == n;
}

static int run(wsr_plan *plan, size_t n, size_t m, char **args)
{
    FILE *const f = fopen(args[4], "wb");
    int good = f != NULL && read_floats(wsr_plan_src(plan, "x"), n, args[1]) &&
               wsr_plan_forward(plan) == WSR_OK;
    good = good && fwrite(wsr_plan_dst(plan, "logits"), 4, m, f) == m;
    good = good && read_floats(wsr_plan_diff_dst(plan, "logits"), m, args[2]) &&
           wsr_plan_backward(plan) == WSR_OK;
    good = good && fwrite(wsr_plan_diff_src(plan, "x"), 4, n, f) == n;
    return f != NULL && fclose(f) == 0 && good;
}

int main(int argc, char **argv)
{
    wsr_net *net = NULL;
    wsr_graph *graph = NULL;
    wsr_plan *plan = NULL;
    if (argc != 6) {
        return 2;
    }
    const size_t n = (size_t)strtoul(argv[4], NULL, 10);
    if (wsr_net_load(&net, argv[1], NULL) != WSR_OK ||
        wsr_net_graph(&graph, net, false) != WSR_OK ||
        wsr_plan_new(&plan, graph, n, WSR_GRAD_INPUT) != WSR_OK) {
        (void)fprintf(stderr, "%s\n", wsr_error_detail());
        return 1;
    }
    const size_t pixels = n * (size_t)wsr_shape_count(wsr_net_image(net));
    const int good = run(plan, pixels, n * wsr_net_classes(net), argv + 1);
    wsr_plan_free(plan);
    wsr_graph_free(graph);
    wsr_net_free(net);
    return good ? 0 : 1;
}
