#pragma once
// Umbrella for recipes: torch and every shared building block. Include this and engine/api/*.h, nothing else.
#include "engine/api/torch.h"

#include "engine/data/image_batches.h"
#include "engine/data/image_pipeline.h"
#include "engine/data/image_source.h"
#include "engine/data/mixup.h"
#include "engine/data/store_image_source.h"
#include "engine/nn/loop_spec.h"
#include "engine/nn/named_tensors.h"
// Blocks are added here by the room that owns them.
