#include "engine/nn/taps.h"

namespace espalier::nn {
namespace {
thread_local TapSink* g_taps = nullptr;
thread_local LayerHooks* g_hooks = nullptr;
}  // namespace

TapScope::TapScope(TapSink* sink) : m_previous(g_taps) { g_taps = sink; }
TapScope::~TapScope() { g_taps = m_previous; }
TapSink* currentTaps() { return g_taps; }
bool wantsTap(const std::string& name) { return g_taps && g_taps->wants(name); }
void tap(const std::string& name, const at::Tensor& value) {
    if (g_taps && g_taps->wants(name)) g_taps->take(name, value);
}

LayerHooksScope::LayerHooksScope(LayerHooks* hooks) : m_previous(g_hooks) { g_hooks = hooks; }
LayerHooksScope::~LayerHooksScope() { g_hooks = m_previous; }
LayerHooks* currentLayerHooks() { return g_hooks; }

}  // namespace espalier::nn
