#pragma once
// Umbrella for recipes: torch and every shared building block. Include this and engine/api/*.h, nothing else.
#include "engine/api/torch.h"

#include "engine/data/image_batches.h"
#include "engine/data/image_pipeline.h"
#include "engine/data/image_source.h"
#include "engine/data/mixup.h"
#include "engine/nn/loop_spec.h"
#include "engine/nn/named_tensors.h"
// Blocks are added here by the room that owns them.
#include "engine/interop/safetensors.h"
#include "engine/metrics/classification.h"
#include "engine/nn/attention_readouts.h"
#include "engine/nn/compact_transformer.h"
#include "engine/nn/image_classifier.h"
#include "engine/nn/losses.h"
#include "engine/nn/model_io.h"
#include "engine/nn/schedules.h"
#include "engine/nn/taps.h"
#include "engine/quant/model_quantizer.h"
