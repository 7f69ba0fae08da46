#pragma once

namespace espalier::app {

/// Writes "1 run" and "3 runs" for tr("%n run(s)"): the source language needs plural forms like any other. Does
/// nothing the second time. A translation that is installed later wins.
void installEnglishPlurals();

}  // namespace espalier::app
