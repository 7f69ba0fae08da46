#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/quant/uniform_quantizer.h"

namespace espalier::quant {

/// A weight's learnable rounding: what reconstruction trains. Lives on one device; not thread-safe.
class LearnableRounding {
public:
    virtual ~LearnableRounding() = default;
    /// Differentiable quantized weight while training.
    virtual at::Tensor soft() const = 0;
    /// True when soft() already is what hard() gives, so that a full-batch loss can be compared with earlier iterates.
    virtual bool isAlwaysHard() const { return false; }
    /// Final integers (without the zero point), as a float tensor.
    virtual at::Tensor hardCodes() const = 0;
    /// scale · hardCodes with the learned scale.
    virtual at::Tensor hard() const = 0;
    /// Scale that is stored with the codes.
    virtual at::Tensor finalScale() const = 0;
    virtual std::vector<at::Tensor> parameters() const = 0;
    /// Regulariser to add to the loss at `progress` in [0, 1); undefined when there is none.
    virtual at::Tensor regulariser(double progress) const = 0;
};

/// Which of FlexRound's factors are learned; all on by default, switches for ablation.
struct FlexRoundFactors {
    bool s1 = true, s2 = true, s3 = true, s4 = true;
};

/// FlexRound (arXiv 2306.00317, card 46 step 2): Wq = s1 · clamp(round(W / (s1 · S')), qLow, qHigh) with
/// S' = exp(l2 + l3 (+ l4)) and s1 = s1_init · exp(l1); all l start at 0, so the start is round-to-nearest bit for bit.
/// Straight-through rounding; the clamp's mask is written out (closed interval), see `flexRoundForward`.
class FlexRoundQuantizer : public LearnableRounding {
public:
    FlexRoundQuantizer(at::Tensor weight, Grid grid, FlexRoundFactors factors = {});
    at::Tensor soft() const override;
    at::Tensor hardCodes() const override;
    at::Tensor hard() const override;
    at::Tensor finalScale() const override;
    std::vector<at::Tensor> parameters() const override;
    at::Tensor regulariser(double) const override { return {}; }
    bool isAlwaysHard() const override { return true; }

    at::Tensor l1, l2, l3, l4;  ///< l4 undefined for linear weights

private:
    at::Tensor logDivisor() const;
    at::Tensor m_weight;
    Grid m_grid;
    FlexRoundFactors m_factors;
};

/// The quantizer with its closed-form gradients: inside the clamp dL/dlogS' = −G·s1·u and dL/ds1 = Σ G·(q − u) with
/// u = W/(s1·S'); outside 0 and Σ G·q.
at::Tensor flexRoundForward(const at::Tensor& weight, const at::Tensor& s1, const at::Tensor& logDivisor,
                            const at::Tensor& qLow, const at::Tensor& qHigh);

/// AdaRound (arXiv 2004.10568; constants as in card 46 step 3): Wq = s1 · clamp(floor(W/s1) + h(V), qLow, qHigh),
/// h(V) = clip(1.2·sigmoid(V) − 0.1, 0, 1). V starts so that h = frac(W/s1); at the end h is 1[V ≥ 0].
class AdaRoundQuantizer : public LearnableRounding {
public:
    /// `lambda` weighs Σ(1 − |2h − 1|^beta); off for the first `warmup` share, then beta falls linearly 20 → 2.
    AdaRoundQuantizer(at::Tensor weight, Grid grid, double lambda = 0.01, double warmup = 0.2);
    at::Tensor soft() const override;
    at::Tensor hardCodes() const override;
    at::Tensor hard() const override;
    at::Tensor finalScale() const override { return m_grid.scale; }
    std::vector<at::Tensor> parameters() const override { return {v}; }
    at::Tensor regulariser(double progress) const override;

    at::Tensor rectified() const;  ///< h(V)
    static double betaAt(double progress, double warmup);

    at::Tensor v;

private:
    at::Tensor m_weight, m_floor;
    Grid m_grid;
    double m_lambda, m_warmup;
};

/// AdaQuant (arXiv 2006.10518; card 04 step 3): the weights themselves move by V, with the grid's scale. Wq = s ·
/// clamp(round((W + V)/s), qLow, qHigh), s = s_init · exp(l1).
class AdaQuantQuantizer : public LearnableRounding {
public:
    AdaQuantQuantizer(at::Tensor weight, Grid grid);
    at::Tensor soft() const override;
    at::Tensor hardCodes() const override;
    at::Tensor hard() const override;
    at::Tensor finalScale() const override;
    std::vector<at::Tensor> parameters() const override { return {v, l1}; }
    at::Tensor regulariser(double) const override { return {}; }
    bool isAlwaysHard() const override { return true; }

    at::Tensor v, l1;

private:
    at::Tensor m_weight;
    Grid m_grid;
};

}  // namespace espalier::quant
