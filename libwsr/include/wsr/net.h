// SPDX-License-Identifier: Apache-2.0
//
// Networks: built from a genotype, from RobNet codes, or a supernet that holds
// all candidates. A network owns its parameters and makes graphs over them.
//
// Options of networks are text "key=value,key=value":
//
//   channels        width of the first cells (36; supernet 16)
//   layers          number of cells (20; supernet 8); two of them halve the
//                   image and double the width
//   classes         number of classes (10)
//   image_size      pixels of a side; 0, the default: what the stem is for
//   image_channels  channels of an image (3)
//   stem            cifar (32 pixels), int (64: stride 2), imagenet (224:
//                   stride 8), imagenet_tiny (64)
//   mean, std       subtracted from images, and what they are divided by then:
//                   one value or [one,for,each,channel], in units of [0, 1]
//                   (0 and 1). Networks normalise, callers never do: images,
//                   attacks and their strengths stay in [0, 1]
//   auxiliary       second classifier in training graphs (networks from
//                   genotypes; false)
//   drop_path       probability that training drops an operation's result
//                   (networks from genotypes; 0)
//   genotype        name or file, where no genotype is given as such
//   codes           the same of RobNet codes
//   space           of a supernet's candidates (darts)
//
// Graphs have the input "x", images (n, c, h, w) with values in [0, 1], and
// the output "logits" (n, classes). Parameter names are those of PyTorch's
// state_dict for the same network.

#ifndef WSR_NET_H
#define WSR_NET_H

#include "wsr/genotype.h"
#include "wsr/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A network: its description and its parameters. */
typedef struct wsr_net wsr_net;

/**
 * Make a network from a genotype, with random parameters.
 *
 * @param out [out, owned] release with wsr_net_free()
 * @param genotype [copied] NULL: the one that the option `genotype` names
 * @param options [borrowed] see above, NULL for the defaults
 * @param seed of the parameters
 * @returns WSR_OK; WSR_CONFIG for an option, or for a width that the genotype
 *          cannot have; WSR_SHAPE for an image too small for the layers;
 *          WSR_NOTFOUND, WSR_FORMAT, WSR_IO from loading the genotype;
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_new(wsr_net **out,
                                            const wsr_genotype *genotype,
                                            const char *options, uint64_t seed);

/**
 * Make a RobNet, with random parameters.
 *
 * @param out [out, owned] release with wsr_net_free()
 * @param codes [copied] NULL: those that the option `codes` names
 * @param options [borrowed] see above, NULL for the defaults
 * @param seed of the parameters
 * @returns as wsr_net_new(); WSR_CONFIG when there are fewer lists of codes
 *          than cells
 */
WSR_API WSR_MUST_USE wsr_status wsr_robnet_new(wsr_net **out,
                                               const wsr_robnet_codes *codes,
                                               const char *options,
                                               uint64_t seed);

/**
 * Make a supernet, with random parameters for all candidates.
 *
 * @param out [out, owned] release with wsr_net_free()
 * @param options [borrowed] see above, NULL for the defaults
 * @param seed of the parameters
 * @returns as wsr_net_new()
 */
WSR_API WSR_MUST_USE wsr_status wsr_supernet_new(wsr_net **out,
                                                 const char *options,
                                                 uint64_t seed);

/**
 * Make a network of any kind, with random parameters.
 *
 * @param out [out, owned] release with wsr_net_free()
 * @param kind [borrowed] "network", "robnet" or "supernet"; options name the
 *        genotype, the codes or the space
 * @param options [borrowed] see above, NULL for the defaults
 * @param seed of the parameters
 * @returns as wsr_net_new(); WSR_NOTFOUND for another kind
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_new_kind(wsr_net **out,
                                                 const char *kind,
                                                 const char *options,
                                                 uint64_t seed);

/**
 * Option of networks from genotypes and from RobNet codes.
 *
 * @param i number of the option
 * @returns [borrowed, static] its key, such as "channels"; NULL beyond the end
 */
WSR_API const char *wsr_net_option(size_t i);

/** What an option means. @returns [borrowed, static] NULL beyond the end */
WSR_API const char *wsr_net_option_help(size_t i);

/**
 * Release a network and its parameters; graphs and plans over them must be
 * released before.
 *
 * @param net NULL is legal
 */
WSR_API void wsr_net_free(wsr_net *net);

/**
 * Kind of a network.
 *
 * @returns [borrowed, static] "network", "robnet" or "supernet"
 */
WSR_API const char *wsr_net_kind(const wsr_net *net);

/** Parameters of a network. @returns [borrowed] */
WSR_API wsr_params *wsr_net_params(const wsr_net *net);

/** Number of classes. @returns at least 1 */
WSR_API size_t wsr_net_classes(const wsr_net *net);

/** Shape of one image, (1, c, h, w). @returns [borrowed] */
WSR_API const wsr_shape *wsr_net_image(const wsr_net *net);

/** Genotype of a network. @returns [borrowed] NULL for other kinds */
WSR_API const wsr_genotype *wsr_net_genotype(const wsr_net *net);

/**
 * Describe a network in one line for a person.
 *
 * @param out [out, owned] release with wsr_text_free()
 * @param net a network
 * @returns WSR_OK or WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_describe(char **out,
                                                 const wsr_net *net);

/**
 * Make the graph of a network from a genotype or from RobNet codes.
 *
 * @param out [out, owned] release with wsr_graph_free()
 * @param net must outlive the graph
 * @param training true: with the output "aux" (n, classes) where the option
 *        auxiliary is set, and with the masks of wsr_net_drop_path() where
 *        drop_path is above 0
 * @returns WSR_OK; WSR_ARG for a supernet; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_graph(wsr_graph **out,
                                              const wsr_net *net,
                                              bool training);

/**
 * Draw the masks of a plan of a training graph: each operation's result, the
 * identity's apart, is dropped for a sample with the given probability, and
 * divided by one minus it otherwise. They hold until the next call.
 *
 * @param plan of a graph of `net`; without masks nothing happens
 * @param net a network
 * @param probability in [0, 1)
 * @param seed, step what the masks depend on
 * @returns WSR_OK, or WSR_ARG for another probability
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_drop_path(wsr_plan *plan,
                                                  const wsr_net *net,
                                                  double probability,
                                                  uint64_t seed, uint64_t step);

/**
 * Number of edges of a supernet that an architecture chooses for: those of a
 * normal cell and then those of a reduction cell.
 *
 * @returns 28 for the space darts, 0 when `net` is no supernet
 */
WSR_API size_t wsr_supernet_edges(const wsr_net *net);

/**
 * Number of candidates on each edge.
 *
 * @returns 8 for the space darts, 0 when `net` is no supernet
 */
WSR_API size_t wsr_supernet_candidates(const wsr_net *net);

/**
 * Name of a candidate.
 *
 * @returns [borrowed, static] NULL beyond the end
 */
WSR_API const char *wsr_supernet_candidate(const wsr_net *net, size_t i);

/**
 * Make the graph of one path through a supernet. Only the chosen candidates
 * are computed; edges whose choice is "none" cost nothing.
 *
 * @param out [out, owned] release with wsr_graph_free()
 * @param net a supernet; must outlive the graph
 * @param choices [borrowed] a candidate for each of wsr_supernet_edges()
 * @param weights [borrowed] what each edge's result is multiplied by, NULL: 1
 * @returns WSR_OK; WSR_ARG for another kind of network, a choice that does not
 *          exist, or a weight that is not finite; WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_supernet_graph(wsr_graph **out,
                                                   const wsr_net *net,
                                                   const unsigned char *choices,
                                                   const float *weights);

/**
 * Write a network to a safetensors file, which is replaced as a whole or not
 * at all. The file describes itself: metadata hold kind, genotype and options.
 *
 * @param net a network
 * @param path of the file
 * @returns WSR_OK, WSR_NOMEM, or WSR_IO when it cannot be written
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_save(const wsr_net *net,
                                             const char *path);

/**
 * Read a network. A file of another program without our metadata needs the
 * option `genotype` (or `codes`); channels, layers, classes, stem and whether
 * there is an auxiliary classifier follow from its tensors unless given; mean
 * and std, with which it was trained, do not, but for a layer in front (below).
 * Weights may be F32, F16, BF16 (widened exactly) or F64 (rounded). Words that
 * wrappers put before all names, "module.", "_orig_mod.", "model." or "1.", are
 * stepped over. A layer beside the network with "mean" and "std" (or "mu" and
 * "sigma"; one value, or one a channel) gives these options; other tensors
 * beside the network are refused, since they may be a layer.
 *
 * @param out [out, owned] release with wsr_net_free()
 * @param path of a safetensors file
 * @param options [borrowed] override what the file says; NULL for none
 * @returns WSR_OK; WSR_IO; WSR_FORMAT, naming the tensors, when some are
 *          missing, of another shape, or too many; WSR_CONFIG for an option;
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_load(wsr_net **out, const char *path,
                                             const char *options);

/**
 * Give a network the parameters and running statistics of a file, to train it
 * further. Nothing changes on failure.
 *
 * @param net of the architecture that the file holds: every tensor has its
 *        parameter and its shape, and where the file describes itself, kind,
 *        stem, mean, std, genotype and codes are those of `net`
 * @param path of a safetensors file, as for wsr_net_load()
 * @returns WSR_OK; WSR_IO; WSR_FORMAT, naming tensors or what differs;
 *          WSR_NOMEM
 */
WSR_API WSR_MUST_USE wsr_status wsr_net_load_params(wsr_net *net,
                                                    const char *path);

#ifdef __cplusplus
}
#endif

#endif
