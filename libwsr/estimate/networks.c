// SPDX-License-Identifier: Apache-2.0
//
// The networks of the bench: read from files, or of a genotype and trained by
// the run. All plans share one arena, since one network works at a time.
//
// A resumed run needs nothing but its folder and the data, so networks of
// files and genotypes are copied there when the run begins.

#include "estimate/estimate.h"

#include <string.h>

// "network-LABEL.safetensors" or "genotype-LABEL.yaml".
static wsr_status path_in(char **out, const wsr__run *run, const char *stem,
                          const char *label, const char *ending)
{
    char name[192];
    (void)snprintf(name, sizeof(name), "%s-%s%s", stem, label, ending);
    return wsr__run_path(out, run, name);
}

wsr_status wsr__estimate_net_path(char **out, const wsr__estimate *b, size_t i,
                                  const wsr__run *run)
{
    return path_in(out, run, "network", b->nets[i].label, ".safetensors");
}

// What the file says must suit the data: attacks need the same images, and
// labels the same classes.
static wsr_status check_file(const wsr__estimate_net *net,
                             const wsr_dataset *data)
{
    const wsr_shape *const image = wsr_net_image(net->net);
    const wsr_shape *const have = wsr_dataset_shape(data);
    const size_t classes = (size_t)wsr_dataset_classes(data);
    if (image->dims[1] != have->dims[0] || image->dims[2] != have->dims[1] ||
        image->dims[3] != have->dims[2]) {
        char texts[2][96];
        wsr__shape_print(texts[0], image);
        wsr__shape_print(texts[1], have);
        return WSR_FAIL(WSR_SHAPE,
                        "networks: %.200s: takes images %.90s, the data have "
                        "%.90s",
                        net->cells, texts[0], texts[1]);
    }
    if (wsr_net_classes(net->net) != classes) {
        return WSR_FAIL(WSR_ARG,
                        "networks: %.200s: has %zu classes, the data %zu",
                        net->cells, wsr_net_classes(net->net), classes);
    }
    return WSR_OK;
}

static wsr_status open_file(wsr__estimate *b, size_t i, const wsr__run *run,
                            bool resume)
{
    wsr_status status = WSR_OK;
    wsr__estimate_net *const net = &b->nets[i];
    char *kept = NULL;
    if (resume) {
        WSR_TRY(wsr__estimate_net_path(&kept, b, i, run));
        WSR_TRY(wsr__net_from_file(&net->net, kept, NULL));
    } else {
        status = wsr__net_from_file(&net->net, net->cells, net->override);
        status = status == WSR_OK || status == WSR_NOMEM
                     ? status
                     : wsr__fail_at(status, "networks");
        WSR_TRY(status);
    }
    WSR_TRY(check_file(net, b->train));
out:
    wsr__free(kept);
    return status;
}

static wsr_status make_trained(wsr__estimate *b, size_t i, const wsr__run *run,
                               bool resume)
{
    wsr_status status = WSR_OK;
    wsr__estimate_net *const net = &b->nets[i];
    wsr_genotype *genotype = NULL;
    char *path = NULL;
    if (resume) {
        WSR_TRY(path_in(&path, run, "genotype", net->label, ".yaml"));
        WSR_TRY(wsr_genotype_load(&genotype, path));
    }
    // Networks of one genotype are to differ, or there would be one of them.
    status = wsr__network_from_config(&net->net, &wsr__net_network,
                                      &net->options.super, genotype, b->train,
                                      b->seed + i);
    status = status == WSR_NOTFOUND ? wsr__fail_at(status, "networks") : status;
out:
    wsr__free(path);
    wsr_genotype_free(genotype);
    return status;
}

wsr_status wsr__estimate_make_net(wsr__estimate *b, size_t i,
                                  const wsr__run *run, bool resume)
{
    return b->nets[i].is_file ? open_file(b, i, run, resume)
                              : make_trained(b, i, run, resume);
}

wsr_status wsr__estimate_store_net(const wsr__estimate *b, size_t i,
                                   const wsr__run *run)
{
    wsr_status status = WSR_OK;
    const wsr__estimate_net *const net = &b->nets[i];
    const wsr_genotype *const genotype = wsr_net_genotype(net->net);
    char *path = NULL;
    char *text = NULL;
    if (net->is_file) {
        WSR_TRY(wsr__estimate_net_path(&path, b, i, run));
        WSR_TRY(wsr_net_save(net->net, path));
    } else if (genotype != NULL) {
        WSR_TRY(path_in(&path, run, "genotype", net->label, ".yaml"));
        WSR_TRY(wsr_genotype_print(&text, genotype));
        WSR_TRY(wsr__file_write(path, text, strlen(text)));
    }
out:
    wsr_text_free(text);
    wsr__free(path);
    return status;
}

// Without drop path and second classifier. As released batch norms use the
// batch; that they would also move the running statistics changes nothing.
wsr_status wsr__estimate_make_plans(wsr__estimate *b, size_t i)
{
    wsr_status status = WSR_OK;
    wsr__estimate_net *const net = &b->nets[i];
    const unsigned mode = b->quirks.batch_stats ? (unsigned)WSR_TRAIN : 0u;
    wsr_graph *graph = NULL;
    if (net->attack != NULL) {
        return WSR_OK;
    }
    WSR_TRY(wsr_net_graph(&graph, net->net, false));
    WSR_TRY(wsr__plan_new_in(&net->forward, graph, b->batch, mode, &b->arena));
    WSR_TRY(wsr__plan_new_in(&net->attack, graph, b->batch,
                             WSR_GRAD_INPUT | mode, &b->arena));
out:
    wsr_graph_free(graph);
    return status;
}
