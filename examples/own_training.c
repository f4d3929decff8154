// SPDX-License-Identifier: Apache-2.0
//
// Train a network with a loss of your own, in two ways:
//
//   - a trainer of the library, which asks your function for the loss: here the
//     focal loss (Lin et al. 2017, arXiv:1708.02002);
//   - a loop of your own over batches: here TRADES (Zhang et al. 2019,
//     arXiv:1901.08573), whose loss needs the logits of two passes,
//
//       CE(f(x), y) + beta KL(softmax f(x'), softmax f(x)).
//
// The file is C and C++ alike.
//
//   cc own_training.c $(pkg-config --cflags --libs wsr) -lm -o own_training

#include <wsr.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, SIDE = 16, PIXELS = 3 * SIDE * SIDE, CLASSES = 3 };

static const char data_spec[] =
    "synthetic:size=16,count=192,test_count=64,classes=3";
static const char net_options[] =
    "genotype=cna_r,channels=4,layers=3,classes=3,image_size=16";

static void check(wsr_status status)
{
    if (status != WSR_OK) {
        (void)fprintf(stderr, "own_training: %s\n", wsr_error_detail());
        exit(EXIT_FAILURE);
    }
}

// Accuracy of a network on images as they are.
static double accuracy(const wsr_net *net, const wsr_dataset *data)
{
    const size_t n = wsr_dataset_count(data);
    float *const images = (float *)malloc(n * PIXELS * sizeof(float));
    float *const logits = (float *)malloc(n * CLASSES * sizeof(float));
    const wsr_shape shape = {2, {(int64_t)n, CLASSES}};
    wsr_model *model = NULL;
    if (images == NULL || logits == NULL) {
        exit(EXIT_FAILURE);
    }
    check(wsr_dataset_images(images, data, NULL, n));
    check(wsr_model_from_net(&model, net, BATCH));
    check(wsr_model_logits(logits, model, images, n));
    const size_t correct =
        wsr_count_correct(logits, &shape, wsr_dataset_labels(data));
    wsr_model_free(model);
    free(logits);
    free(images);
    return (double)correct / (double)n;
}

// ------------------------------------------------- a loss for the trainer

// Mean of -(1 - p)^gamma log p, p the probability of the label, and its
// gradient by the logits: dL/dp p (onehot - softmax).
static wsr_status focal(double *loss, float *diff, const float *logits,
                        const wsr_shape *shape, const int32_t *labels,
                        void *user)
{
    const double gamma = *(const double *)user;
    const size_t n = (size_t)shape->dims[0];
    const size_t k = (size_t)shape->dims[1];
    *loss = 0;
    for (size_t i = 0; i < n; i++) {
        const float *const z = logits + i * k;
        const size_t y = (size_t)labels[i];
        double sum = 0;
        for (size_t c = 0; c < k; c++) {
            sum += exp((double)z[c] - (double)z[y]);
        }
        const double p = 1 / sum;
        const double rest = 1 - p;
        const double by_log_p = gamma * pow(rest, gamma - 1) * p * log(p) -
                                pow(rest, gamma);
        *loss -= pow(rest, gamma) * log(p) / (double)n;
        for (size_t c = 0; c < k; c++) {
            const double share = p * exp((double)z[c] - (double)z[y]);
            const double by_z = (c == y ? 1 : 0) - share;
            diff[i * k + c] = (float)(by_log_p * by_z / (double)n);
        }
    }
    return WSR_OK;
}

static double train_focal(const wsr_dataset *train, const wsr_dataset *test)
{
    static const char options[] =
        "trainer=natural,epochs=4,batch=32,lr=0.05,eval_every=0";
    const char *const file = "own_training.checkpoint";
    double gamma = 2;
    wsr_net *net = NULL;
    wsr_trainer *trainer = NULL;
    check(wsr_net_new(&net, NULL, net_options, 1));
    check(wsr_trainer_new(&trainer, net, train, NULL, options, 1));
    wsr_trainer_set_loss(trainer, focal, &gamma);
    while (!wsr_trainer_done(trainer)) {
        check(wsr_trainer_epoch(trainer));
        check(wsr_trainer_save(trainer, file)); // wsr_trainer_load() goes on
        const size_t epoch = wsr_trainer_epochs(trainer) - 1;
        printf("focal, epoch %zu: rate %.3f, loss %.3f, accuracy %.2f\n", epoch,
               wsr_trainer_get(trainer, epoch, WSR_TRAIN_LR),
               wsr_trainer_get(trainer, epoch, WSR_TRAIN_LOSS),
               wsr_trainer_get(trainer, epoch, WSR_TRAIN_ACCURACY));
    }
    const double reached = accuracy(net, test);
    wsr_trainer_free(trainer);
    wsr_net_free(net);
    return reached;
}

// -------------------------------------------------- a loop of one's own

// What the loop needs besides the data. Both plans share the parameters: the
// gradients of both add up there.
typedef struct trades {
    wsr_net *net;
    wsr_plan *clean;
    wsr_plan *attacked;
    wsr_model *model;
    wsr_attack *attack;
    wsr_optim *optim;
    wsr_sched *sched;
} trades;

static void make(trades *t)
{
    const unsigned purpose = WSR_GRAD_PARAMS | WSR_TRAIN | WSR_MOVE_STATS;
    const float eps = 8.0f / 255;
    wsr_graph *graph = NULL;
    check(wsr_net_new(&t->net, NULL, net_options, 1));
    check(wsr_net_graph(&graph, t->net, true));
    check(wsr_plan_new(&t->clean, graph, BATCH, purpose));
    check(wsr_plan_new(&t->attacked, graph, BATCH, purpose));
    wsr_graph_free(graph); // plans do not need it
    check(wsr_model_from_net(&t->model, t->net, BATCH));
    check(wsr_attack_new(&t->attack, "tpgd:steps=3", "stop=false"));
    check(wsr_attack_set_strengths(t->attack, &eps, 1));
    check(wsr_optim_new(&t->optim, wsr_net_params(t->net),
                        "sgd:momentum=0.9,weight_decay=1e-4"));
    check(wsr_sched_new(&t->sched, "cosine"));
}

static void release(trades *t)
{
    wsr_sched_free(t->sched);
    wsr_optim_free(t->optim);
    wsr_attack_free(t->attack);
    wsr_model_free(t->model);
    wsr_plan_free(t->attacked);
    wsr_plan_free(t->clean);
    wsr_net_free(t->net);
}

static const float *forward(wsr_plan *plan, const float *images)
{
    memcpy(wsr_plan_src(plan, "x"), images, BATCH * PIXELS * sizeof(float));
    check(wsr_plan_forward(plan));
    return wsr_plan_dst(plan, "logits");
}

// Accumulate the gradients of the loss of a batch. @returns the loss
static double learn(trades *t, const wsr_batch *batch)
{
    const double beta = 3;
    const float *const x = wsr_batch_images(batch);
    const int32_t *const labels = wsr_batch_labels(batch);
    const wsr_shape *const shape = wsr_plan_shape(t->clean, "logits");
    float *const by_clean = wsr_plan_diff_dst(t->clean, "logits");
    float *const by_attacked = wsr_plan_diff_dst(t->attacked, "logits");
    float by_target[BATCH * CLASSES];
    wsr_attack_result *result = NULL;
    double ce = 0;
    double kl = 0;
    check(wsr_attack_run(&result, t->attack, t->model, x, labels, BATCH));
    const float *const z = forward(t->clean, x);
    const float *const z_attacked =
        forward(t->attacked, wsr_attack_result_images(result, 0));
    check(wsr_cross_entropy(&ce, by_clean, z, shape, labels, 0));
    check(wsr_kl_divergence(&kl, by_attacked, by_target, z_attacked, z, shape));
    for (size_t i = 0; i < BATCH * CLASSES; i++) {
        by_clean[i] += (float)beta * by_target[i];
        by_attacked[i] *= (float)beta;
    }
    check(wsr_plan_backward(t->clean));
    check(wsr_plan_backward(t->attacked));
    wsr_attack_result_free(result);
    return ce + beta * kl;
}

static double train_trades(const wsr_dataset *train, const wsr_dataset *test)
{
    const int64_t epochs = 4;
    trades t;
    wsr_loader *loader = NULL;
    memset(&t, 0, sizeof(t));
    make(&t);
    check(wsr_loader_new(&loader, train,
                         "batch=32,drop_last=true,augment=[flip],seed=1"));
    for (int64_t epoch = 0; epoch < epochs; epoch++) {
        const wsr_batch *batch = NULL;
        const double lr = wsr_sched_rate(t.sched, 0.05, epoch, epochs);
        double loss = 0;
        check(wsr_loader_next(&batch, loader));
        while (batch != NULL) {
            wsr_params_zero_grad(wsr_net_params(t.net), true);
            loss += learn(&t, batch) / (double)wsr_loader_batches(loader);
            check(wsr_optim_clip(NULL, t.optim, 5));
            check(wsr_optim_step(t.optim, lr));
            check(wsr_loader_next(&batch, loader));
        }
        printf("trades, epoch %d: rate %.3f, loss %.3f\n", (int)epoch, lr,
               loss);
    }
    check(wsr_net_save(t.net, "own_training.net"));
    check(wsr_optim_save(t.optim, "own_training.optim"));
    const double reached = accuracy(t.net, test);
    wsr_loader_free(loader);
    release(&t);
    return reached;
}

int main(void)
{
    wsr_dataset *train = NULL;
    wsr_dataset *test = NULL;
    wsr_set_threads(1); // threads would wait for each other with so little work
    check(wsr_dataset_open(&train, data_spec, "train", NULL));
    check(wsr_dataset_open(&test, data_spec, "test", NULL));
    const double by_focal = train_focal(train, test);
    const double by_trades = train_trades(train, test);
    printf("accuracy: focal %.2f, trades %.2f\n", by_focal, by_trades);
    wsr_dataset_free(test);
    wsr_dataset_free(train);
    return by_focal > 0.5 && by_trades > 0.5 ? EXIT_SUCCESS : EXIT_FAILURE;
}
