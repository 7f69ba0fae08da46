#pragma once
// The only file that includes <torch/torch.h>; the shared precompiled header is made of it.
#include <torch/torch.h>
