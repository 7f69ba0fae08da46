#include "app/pages/page_list.h"

#if __has_include("app/pages/train_page.h")
#include "app/pages/train_page.h"
#define ESPALIER_HAS_TRAIN 1
#endif
#if __has_include("app/pages/attend_page.h")
#include "app/pages/attend_page.h"
#define ESPALIER_HAS_ATTEND 1
#endif
#if __has_include("app/pages/quantize_page.h")
#include "app/pages/quantize_page.h"
#define ESPALIER_HAS_QUANTIZE 1
#endif
#if __has_include("app/pages/compare_page.h")
#include "app/pages/compare_page.h"
#define ESPALIER_HAS_COMPARE 1
#endif
#if __has_include("app/pages/data_page.h")
#include "app/pages/data_page.h"
#define ESPALIER_HAS_DATA 1
#endif

namespace espalier::app {

std::vector<Page*> createPages(AppContext& context, QWidget* parent) {
    std::vector<Page*> pages;
#ifdef ESPALIER_HAS_TRAIN
    pages.push_back(new TrainPage(context, parent));
#endif
#ifdef ESPALIER_HAS_ATTEND
    pages.push_back(new AttendPage(context, parent));
#endif
#ifdef ESPALIER_HAS_QUANTIZE
    pages.push_back(new QuantizePage(context, parent));
#endif
#ifdef ESPALIER_HAS_COMPARE
    pages.push_back(new ComparePage(context, parent));
#endif
#ifdef ESPALIER_HAS_DATA
    pages.push_back(new DataPage(context, parent));
#endif
    return pages;
}

}  // namespace espalier::app
