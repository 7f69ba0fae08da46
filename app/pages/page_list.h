#pragma once

#include <memory>
#include <vector>

#include "app/pages/page.h"

namespace espalier::app {

/// Every page of this build in tab order. A page that is not part of it has no tab.
std::vector<Page*> createPages(AppContext& context, QWidget* parent);

}  // namespace espalier::app
