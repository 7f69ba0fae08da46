#pragma once

#include "engine/api/torch.h"

namespace espalier::quant {

/// Per-tensor asymmetric activation quantizer with a learnable step (LSQ-style straight-through gradient).
/// x → s · (clamp(round(x/s) + zp, 0, 2^b − 1) − zp). 32 bits = identity.
class ActivationQuantizer {
public:
    /// Step and zero point from the range of calibration inputs (min-max over `samples`).
    ActivationQuantizer(const at::Tensor& samples, int bits);
    /// A step and zero point that were learned before.
    ActivationQuantizer(at::Tensor step, double zeroPoint, int bits);
    at::Tensor operator()(const at::Tensor& x) const;
    at::Tensor step() const { return m_start * m_log.exp(); }  ///< [1]
    /// What is learned: the logarithm of the step's growth, 0 at the start, so that one rate serves every width.
    const at::Tensor& parameter() const { return m_log; }
    double zeroPoint() const { return m_zeroPoint; }
    int bits() const { return m_bits; }

private:
    at::Tensor m_start, m_log;
    double m_zeroPoint = 0;
    int m_bits = 8;
};

}  // namespace espalier::quant
