// SPDX-License-Identifier: Apache-2.0
//
// Everything libwsr offers; the only header that callers need.

#ifndef WSR_H
#define WSR_H

#include "wsr/attack.h"
#include "wsr/base.h"
#include "wsr/comm.h"
#include "wsr/config.h"
#include "wsr/corrupt.h"
#include "wsr/data.h"
#include "wsr/estimate.h"
#include "wsr/estimator.h"
#include "wsr/eval.h"
#include "wsr/genotype.h"
#include "wsr/graph.h"
#include "wsr/hessian.h"
#include "wsr/log.h"
#include "wsr/loss.h"
#include "wsr/net.h"
#include "wsr/optim.h"
#include "wsr/predictor.h"
#include "wsr/registry.h"
#include "wsr/report.h"
#include "wsr/result.h"
#include "wsr/run.h"
#include "wsr/search.h"
#include "wsr/tensor.h"
#include "wsr/train.h"
#include "wsr/verify.h"

#endif
