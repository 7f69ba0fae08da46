#pragma once

#include <string>

#include "engine/api/torch.h"

namespace espalier::nn {

/// Receives labelled intermediates of a forward pass. Installed for one thread by TapScope; without one, tap() costs a
/// branch. Names: "tokens", "embedded", "block.0.attn", "block.0.out", "pool_weight", …
class TapSink {
public:
    virtual ~TapSink() = default;
    /// Asked before anything expensive (attention maps) is computed.
    virtual bool wants(const std::string& name) const = 0;
    virtual void take(const std::string& name, const at::Tensor& value) = 0;
};

/// Installs a sink on this thread until the scope ends.
class TapScope {
public:
    explicit TapScope(TapSink* sink);
    ~TapScope();
    TapScope(const TapScope&) = delete;
    TapScope& operator=(const TapScope&) = delete;

private:
    TapSink* m_previous;
};

TapSink* currentTaps();
bool wantsTap(const std::string& name);
void tap(const std::string& name, const at::Tensor& value);

/// Sees and may replace the input and the weight of every quantizable layer; how quantization gets into any model.
class LayerHooks {
public:
    virtual ~LayerHooks() = default;
    virtual at::Tensor input(int layer, const at::Tensor& x) = 0;
    virtual at::Tensor weight(int layer, const at::Tensor& stored) = 0;
};

class LayerHooksScope {
public:
    explicit LayerHooksScope(LayerHooks* hooks);
    ~LayerHooksScope();
    LayerHooksScope(const LayerHooksScope&) = delete;
    LayerHooksScope& operator=(const LayerHooksScope&) = delete;

private:
    LayerHooks* m_previous;
};

LayerHooks* currentLayerHooks();

}  // namespace espalier::nn
