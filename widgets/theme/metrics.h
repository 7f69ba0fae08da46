#pragma once

/// Lengths in device-independent pixels at 100 % (LOOK.md sections 2 and 6). Spacing only from this list.
namespace espalier::widgets::metrics {

inline constexpr int kSpace2 = 2, kSpace4 = 4, kSpace6 = 6, kSpace8 = 8, kSpace12 = 12, kSpace16 = 16, kSpace24 = 24,
                     kSpace32 = 32;

inline constexpr int kMenuBar = 30, kTabBar = 32, kPageToolBar = 36, kDockHeader = 28, kStatusBar = 22, kJobRow = 28,
                     kJobsHeader = 26;
inline constexpr int kNavigator = 248, kNavigatorMin = 200, kInspector = 272, kInspectorMin = 232;
inline constexpr int kPagePadding = 14, kColumnGap = 20, kToolBarPadding = 12, kToolBarGap = 8;

inline constexpr int kRowTree = 24, kRowTable = 24, kRowDense = 20, kRowHeader = 24, kRowKeyValue = 20, kRowMenu = 24,
                     kRowList = 28, kRowTwoLine = 40, kKeyColumn = 104;

inline constexpr int kControl = 24, kControlSmall = 20, kControlLarge = 28, kRadius = 4, kRadiusBadge = 3,
                     kRadiusCard = 6, kRadiusSwatch = 2;
inline constexpr int kSwatch = 10, kSparkWidth = 44, kSparkHeight = 14;
inline constexpr int kIconInline = 12, kIconRow = 14, kIconTool = 16, kIconEmpty = 32;
inline constexpr int kProgress = 6, kSliderGroove = 4, kSliderHandle = 12, kScrollBar = 10;

inline constexpr int kChartHeader = 26, kChartLeft = 46, kChartRight = 12, kChartTop = 8, kChartBottom = 22;
inline constexpr double kLineSmooth = 1.75, kLineFocused = 2.25, kLineSpark = 1.25;
inline constexpr double kAlphaRaw = 0.34, kAlphaRawMany = 0.11, kAlphaBand = 0.16;

inline constexpr int kPanelMs = 120, kToastMs = 120, kToastStayMs = 6000, kHatchMs = 1600, kLiveFrameMs = 33;

}  // namespace espalier::widgets::metrics
