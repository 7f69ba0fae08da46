set(pretrain ${CMAKE_CURRENT_SOURCE_DIR}/pretrain)
set(compress ${CMAKE_CURRENT_SOURCE_DIR}/compress)

espalier_add_recipe(registerCompactTransformers ${pretrain}/compact_transformers.cpp
  ${pretrain}/compact_transformers_card.cpp ${pretrain}/compact_transformers_probes.cpp)
espalier_add_recipe(registerFlexRound ${compress}/flexround.cpp ${compress}/flexround_card.cpp)
